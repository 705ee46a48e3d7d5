"""Messages late, twice, mixed, corrected before they are final: what leaves is never older, unverified or another's."""

from pathlib import Path

import pytest

from labohub.contracts import topics
from labohub.contracts.events import MessageArchived, ReportReceived
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import BlobRef
from tests.support.ingest import Running, errors, msa, running
from tests.support.ltw_corpus.draft import NA, Draft, K, battery, ins, msh, order, pid, placer, result
from tests.support.ltw_corpus.kinds import CULTURE

MAIL = '[[sender]]\napplication = "*"\nmailboxes = { "99700001037" = "corentin.hallegot@test-ci-sis.mssante.fr" }\n'
SOLENE = pid()
BAPTISTE = pid(
    "ARD000502", ins("1520377123044"), "OSTREVANT^BAPTISTE^BAPTISTE JEAN", "19520314", "M", "77123", "26105002"
)
EARLY, NOON, LATE = "20260502090000", "20260502120000", "20260502150000"
ION = "IONO^Ionogramme^99ARD"

Sent = tuple[str, str, str]  # the patient's local number, OBX-11, value


def message(
    number: str,
    *observations: str,
    at: str,
    sent: str = "",
    status: str = "F",
    patient: str = SOLENE,
    demand: str = "D1",
    sender: str = "SGL-ARDOISE",
) -> bytes:
    """Return an ORU of one battery: its OBR-22, its MSH-7."""
    head = msh(number, at=sent or at, sender=sender)
    lines = (head, patient, "PV1|1|N", order(demand, 1, at), battery(demand, 1, ION, status, at))
    return Draft((*lines, *observations)).raw()


def na(value: str, status: str = "F", **more: str) -> str:
    return result(1, "NM", NA, value, "mmol/L", status=status, **more)


def k(value: str, status: str = "F") -> str:
    return result(2, "NM", K, value, "mmol/L", status=status)


async def reports(hub: Running, messages: int) -> list[LaboratoryReport]:
    """Return all reports that left, once so many messages are told of."""
    events = await hub.events(topics.REPORT, messages)
    assert all(isinstance(each, ReportReceived | MessageArchived) for each in events)
    refs = [each.report.results for each in events if isinstance(each, ReportReceived)]
    return [LaboratoryReport.model_validate_json(await hub.platform.blobs.read(ref)) for ref in refs if ref]


def said(report: LaboratoryReport) -> list[tuple[str, str]]:
    return [(each.status, each.value) for battery_ in report.batteries for each in battery_.results]


async def play(folder: Path, *messages: bytes, extra: str = "") -> tuple[list[bytes], list[LaboratoryReport]]:
    """Return the answers and the reports of messages sent one after the other."""
    path = folder / "senders.toml"
    path.write_text(MAIL + extra)
    async with running(folder, senders=path) as hub:
        answers = await hub.send(*messages)
        kept = [each for each in answers if msa(each)[0] == "AA"]
        return answers, await reports(hub, len(kept))


async def test_a_final_that_was_overtaken_by_its_correction_does_not_come_back(tmp_path: Path) -> None:
    corrected = message("M2", na("141", "C"), at=NOON, status="C")
    final = message("M1", na("139"), at=EARLY)
    answers, left = await play(tmp_path, corrected, final)
    assert [said(each) for each in left] == [[("C", "141")]]
    assert errors(answers[1]) == [("0", "OBR^1^22", "W")]


async def test_two_finals_of_one_minute_are_told_by_the_time_of_their_messages(tmp_path: Path) -> None:
    newer = message("M2", na("141"), at=NOON, sent="20260502120500")
    older = message("M1", na("139"), at=NOON, sent="20260502120100")
    _, left = await play(tmp_path, newer, older)
    assert [said(each) for each in left] == [[("F", "141")]]


async def test_a_day_without_time_is_not_before_an_hour_of_that_day(tmp_path: Path) -> None:
    first = message("M1", na("139"), at=NOON, sent=NOON)
    second = message("M2", na("141", "C"), at="20260502", sent=LATE, status="C")
    _, left = await play(tmp_path, first, second)
    assert [said(each) for each in left] == [[("F", "139")], [("C", "141")]]


async def test_a_wrong_patient_before_any_final_sends_nothing_and_his_value_never_leaves(tmp_path: Path) -> None:
    wrong = message("M1", na("139", "W"), k("4.1", "W"), at=EARLY)
    again = message("M2", na("139"), k("4.4"), at=NOON)
    _, left = await play(tmp_path, wrong, again)
    assert [said(each) for each in left] == [[("F", "4.4")]]


async def test_a_cancellation_before_the_final_makes_room_for_it(tmp_path: Path) -> None:
    cancelled = message("M1", na("", "X"), at=EARLY, status="X")
    final = message("M2", na("139"), at=NOON)
    _, left = await play(tmp_path, cancelled, final)
    assert [said(each) for each in left] == [[("F", "139")]]


async def test_a_withdrawal_sent_without_value_or_type_withdraws(tmp_path: Path) -> None:
    first = message("M1", na("139"), k("4.1"), at=EARLY)
    bare = f"OBX|1||{NA}||||||||W"
    answers, left = await play(tmp_path, first, message("M2", bare, k("4.1"), at=NOON, status="C"))
    assert [msa(each)[0] for each in answers] == ["AA", "AA"]
    assert [said(each) for each in left] == [[("F", "139"), ("F", "4.1")], [("F", "4.1")]]


async def test_the_same_content_under_a_new_number_sends_nothing_again(tmp_path: Path) -> None:
    _, left = await play(tmp_path, message("M1", na("139"), at=NOON), message("M2", na("139"), at=NOON, sent=LATE))
    assert [said(each) for each in left] == [[("F", "139")]]


async def test_the_same_bytes_again_get_the_same_answer_and_send_nothing(tmp_path: Path) -> None:
    once = message("M1", na("139"), at=NOON)
    path = tmp_path / "senders.toml"
    path.write_text(MAIL)
    async with running(tmp_path, senders=path) as hub:
        first, second = await hub.send(once, once)
        other = await hub.send(message("M1", na("140"), at=NOON))
        left = await reports(hub, 1)
    assert first == second
    assert [said(each) for each in left] == [[("F", "139")]]
    assert (msa(other[0]), errors(other[0])) == (("AE", "M1"), [("205", "MSH^1^10", "E")])


async def test_two_laboratories_with_the_same_numbers_are_two_demands(tmp_path: Path) -> None:
    one = message("M1", na("139"), at=NOON)
    other = message("M1", na("151"), at=NOON, patient=BAPTISTE, sender="SGL-TUFFEAU")
    answers, left = await play(tmp_path, one, other)
    assert [msa(each)[0] for each in answers] == ["AA", "AA"]
    assert sorted(said(each)[0][1] for each in left) == ["139", "151"]


@pytest.mark.parametrize("demand", ["D1", "D2"])
async def test_a_known_number_for_another_patient_is_an_alarm_and_never_leaves(tmp_path: Path, demand: str) -> None:
    """Whatever demand the message says: results follow their filler number."""
    first = message("M1", na("139"), at=EARLY)
    other = Draft(tuple(message("M2", na("151", "C"), at=NOON, status="C", patient=BAPTISTE).decode().split("\r")[:-1]))
    other = other.put("ORC[1]-4", placer(demand))
    answers, left = await play(tmp_path, first, other.raw())
    assert [said(each) for each in left] == [[("F", "139")]]
    assert ("0", "PID^1^3", "W") in errors(answers[1])


@pytest.mark.parametrize("group", ["", placer("D9"), "D1"])
async def test_a_correction_reaches_its_report_whatever_it_says_of_the_demand(tmp_path: Path, group: str) -> None:
    first = message("M1", na("139"), k("4.1"), at=EARLY)
    fixed = Draft(tuple(message("M2", na("141", "C"), at=NOON, status="C").decode().split("\r")[:-1]))
    _, left = await play(tmp_path, first, fixed.put("ORC[1]-4", group).raw())
    assert [said(each) for each in left] == [[("F", "139"), ("F", "4.1")], [("C", "141"), ("F", "4.1")]]
    assert [each.version for each in left] == [1, 2]
    assert len({each.number for each in left}) == 1


async def test_of_two_demands_in_one_message_a_later_correction_is_never_lost(tmp_path: Path) -> None:
    both = Draft(
        (
            msh("M1", at=EARLY), SOLENE, "PV1|1|N", order("D1", 1, EARLY), battery("D1", 1, ION, "F", EARLY), na("139"),
            order("D2", 1, EARLY), battery("D2", 1, ION, "F", EARLY), k("4.1"),
        )
    )  # fmt: skip
    fixed = message("M2", k("4.4", "C"), at=NOON, status="C", demand="D2")
    answers, left = await play(tmp_path, both.raw(), fixed)
    assert errors(answers[0]) == [("0", "ORC^2^4", "W")]
    assert [said(each) for each in left] == [[("F", "139"), ("F", "4.1")], [("F", "139"), ("C", "4.4")]]


async def test_what_is_known_in_two_demands_is_not_put_into_one(tmp_path: Path) -> None:
    one, two = message("M1", na("139"), at=EARLY, demand="D1"), message("M2", k("4.1"), at=EARLY, demand="D2")
    both = Draft(
        (
            msh("M3", at=NOON), SOLENE, "PV1|1|N",
            order("D1", 1, NOON), battery("D1", 1, ION, "C", NOON), na("141", "C"),
            order("D2", 1, NOON), battery("D2", 1, ION, "C", NOON), k("4.4", "C"),
        )
    )  # fmt: skip
    answers, left = await play(tmp_path, one, two, both.raw())
    assert (msa(answers[2])[0], errors(answers[2])) == ("AE", [("199", "OBR^2^3", "E")])
    assert len(left) == 2


async def test_a_patient_known_by_his_matricule_alone_is_told_from_another(tmp_path: Path) -> None:
    lone = Draft(tuple(message("M1", na("139"), at=EARLY).decode().split("\r")[:-1]))
    lone = lone.put("PID[1]-3", lone.get("PID[1]-3").split("~")[1])
    other = Draft(tuple(message("M2", na("151", "C"), at=NOON, status="C", patient=BAPTISTE).decode().split("\r")[:-1]))
    other = other.put("PID[1]-3", other.get("PID[1]-3").split("~")[1])
    answers, left = await play(tmp_path, lone.raw(), other.raw())
    assert [said(each) for each in left] == [[("F", "139")]]
    assert ("0", "PID^1^3", "W") in errors(answers[1])


async def test_a_hospital_s_number_added_later_is_no_other_patient(tmp_path: Path) -> None:
    first = message("M1", na("139"), at=EARLY)
    later = Draft(tuple(message("M2", na("141", "C"), at=NOON, status="C").decode().split("\r")[:-1]))
    later = later.put("PID[1]-3", later.get("PID[1]-3") + "~IPP77^^^CH-ANJOU&990000341&N^PI")
    _, left = await play(tmp_path, first, later.raw())
    assert [said(each) for each in left] == [[("F", "139")], [("C", "141")]]


async def test_demands_that_cross_each_other_keep_apart(tmp_path: Path) -> None:
    steps = (
        message("M1", na("131"), at=EARLY, status="P", demand="D1"),
        message("M2", na("151", "P"), at=EARLY, status="P", demand="D2", patient=BAPTISTE),
        message("M3", na("132"), at=NOON, demand="D1"),
        message("M4", na("152"), at=NOON, demand="D2", patient=BAPTISTE),
        message("M5", na("153", "C"), at=LATE, status="C", demand="D2", patient=BAPTISTE),
    )
    _, left = await play(tmp_path, *steps)
    assert [(each.number, said(each)) for each in left] == [
        ("D1", [("F", "132")]), ("D2", [("F", "152")]), ("D2", [("C", "153")]),
    ]  # fmt: skip


async def test_a_batch_takes_its_good_children_and_names_the_bad_one(tmp_path: Path) -> None:
    good = message("M1", na("139"), at=EARLY)
    bad = message("M2", na("<1"), at=EARLY, demand="D2", patient=BAPTISTE)
    latin = (
        message("M3", na("140"), at=EARLY, demand="D3").replace(b"UNICODE UTF-8", b"8859/1").decode().encode("latin-1")
    )
    fhs = b"FHS|^~\\&|SGL-ARDOISE|L\rBHS|^~\\&|SGL-ARDOISE|L\r"
    path = tmp_path / "senders.toml"
    path.write_text(MAIL)
    async with running(tmp_path, senders=path) as hub, hub.connect() as peer:
        whole = (await peer.send(fhs + good + bad + latin + b"BTS|3\rFTS|1\r"))[0]
        answers = [whole, await peer.answer(), await peer.answer()]
        short = await peer.send(fhs + message("M4", na("1"), at=EARLY, demand="D4") + b"BTS|2\rFTS|1\r")
        bare = await peer.send(message("M5", na("1"), at=EARLY, demand="D5") + b"BTS|2\r")
        left = await reports(hub, 2)
    assert [(msa(each), errors(each)) for each in answers] == [
        (("AA", "M1"), []), (("AE", "M2"), [("102", "OBX^1^5", "E")]), (("AA", "M3"), []),
    ]  # fmt: skip
    assert errors(short[0]) == errors(bare[0]) == [("102", "BTS^1^1", "E")]
    assert sorted(said(each)[0][1] for each in left) == ["139", "140"]


async def test_an_antibiogram_refused_for_its_isolate_is_taken_once_the_isolate_has_come(tmp_path: Path) -> None:
    culture = Draft(CULTURE.segments[:8]).named("M1").raw()
    child = Draft((*CULTURE.segments[:3], *CULTURE.segments[8:11])).named("M2").raw()
    path = tmp_path / "senders.toml"
    path.write_text(MAIL)
    async with running(tmp_path, senders=path) as hub:
        first, again, parent, then, replayed = await hub.send(child, child, culture, child, child)
        rows = await hub.rows("messages")
        raws = [await hub.platform.blobs.read(BlobRef.model_validate_json(row["raw"])) for row in rows]
        left = await reports(hub, 2)
    assert errors(first) == [("204", "OBR^1^26", "E")]
    assert again == first
    assert [msa(each)[0] for each in (parent, then)] == ["AA", "AA"]
    assert replayed == then
    assert sorted(raws) == sorted((culture, child))
    assert [row["state"] for row in rows] == ["accepted", "accepted"]
    assert [len(each.batteries) for each in left] == [1, 2]


async def test_a_cancelled_battery_that_is_performed_after_all_leaves_step_by_step(tmp_path: Path) -> None:
    steps = (
        message("M1", na("", "X"), k("", "X"), at=EARLY, status="X"),
        message("M2", na("139"), k("4.0", "P"), at=NOON, status="P"),
        message("M3", na("139"), k("4.1"), at=LATE),
    )
    (tmp_path / "senders.toml").write_text(f'{MAIL}report_policy = "partial"\n')
    async with running(tmp_path, senders=tmp_path / "senders.toml") as hub:
        answers = await hub.send(*steps)
        left = await reports(hub, 3)
    assert [errors(each) for each in answers] == [[], [], []]
    assert [(each.partial, said(each)) for each in left] == [
        (True, [("F", "139"), ("P", "4.0")]), (False, [("F", "139"), ("F", "4.1")]),
    ]  # fmt: skip
