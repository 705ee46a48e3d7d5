"""Results come message after message; what leaves, what waits and what is withdrawn follows the laboratory's policy."""

from pathlib import Path
from typing import Any

import pytest

from labohub.contracts import topics
from labohub.contracts.events import Event, MessageArchived, ReportHeld, ReportReceived
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import Request
from tests.support.ingest import Running, errors, msa, pid, running
from tests.support.ltw import DOCTOR, er7_of, lines_of, msh, obr, obx, orc, oru, spm

MAIL = "anne.morvan@test-ci-sis.mssante.fr"
TSH = "TSH^TSH^99REM^3016-3^TSH^LN"


def entry(folder: Path, extra: str = "") -> dict[str, Any]:
    """Return the setting of one sender."""
    path = folder / "senders.toml"
    path.write_text(f'[[sender]]\napplication = "*"\n{extra}\nmailboxes = {{ "99700006012" = "{MAIL}" }}\n')
    return {"senders": path}


async def told(hub: Running, count: int) -> list[Event]:
    """Return the facts of the first `count` messages: what left, what waits, what was kept."""
    found: list[Event] = []
    wanted = count
    while len(found) < count:
        events = await hub.events(topics.REPORT, wanted)
        found = [each for each in events if isinstance(each, ReportReceived | ReportHeld | MessageArchived)]
        wanted += 1
    return found[:count]


async def content(hub: Running, event: Event) -> LaboratoryReport:
    """Return the report that leaves with an event."""
    assert isinstance(event, ReportReceived)
    assert event.report.results is not None
    return LaboratoryReport.model_validate_json(await hub.platform.blobs.read(event.report.results))


def values(report: LaboratoryReport) -> list[tuple[str, str]]:
    return [(result.status, result.value) for battery in report.batteries for result in battery.results]


def thyroid(control_id: str, status: str, *observations: str, at: str) -> bytes:
    return oru(orc(), obr(code="THYR^Bilan^99REM", status=status, at=at), *observations, control_id=control_id)


EARLY = thyroid("M1", "P", obx(TSH, "0.02", unit=""), obx("T4L^T4^99REM", "", status="I"), at="20260312120000")
WHOLE = thyroid("M2", "F", obx(TSH, "0.02", unit=""), obx("T4L^T4^99REM", "41.2"), at="20260313090000")
FIXED = thyroid("M3", "C", obx(TSH, "0.02", unit=""), obx("T4L^T4^99REM", "31.2", status="C"), at="20260314080000")


async def test_a_partial_result_is_kept_and_never_leaves_before_the_final(tmp_path: Path) -> None:
    async with running(tmp_path, **entry(tmp_path)) as hub:
        answers = await hub.send(EARLY, WHOLE, FIXED)
        kept, final, corrected = await told(hub, 3)
        first, second = await content(hub, final), await content(hub, corrected)
    assert [(msa(each)[0], errors(each)) for each in answers] == [("AA", [])] * 3
    assert isinstance(kept, MessageArchived)
    assert kept.reason == "ltw.not-final"
    assert (first.version, first.partial, values(first)) == (1, False, [("F", "0.02"), ("F", "41.2")])
    assert isinstance(final, ReportReceived)
    assert final.report.request is Request.INITIAL
    assert (second.version, values(second)) == (2, [("F", "0.02"), ("C", "31.2")])
    assert isinstance(corrected, ReportReceived)
    assert corrected.report.request is Request.REPLACEMENT


async def test_under_the_partial_policy_each_step_replaces_the_one_before(tmp_path: Path) -> None:
    async with running(tmp_path, **entry(tmp_path, 'report_policy = "partial"')) as hub:
        await hub.send(EARLY, WHOLE)
        early, final = await told(hub, 2)
        first, second = await content(hub, early), await content(hub, final)
    assert isinstance(final, ReportReceived)
    assert (first.version, first.partial, values(first)) == (1, True, [("F", "0.02"), ("I", "")])
    assert (second.version, second.partial, final.report.request) == (2, False, Request.REPLACEMENT)


async def test_a_final_demand_waits_for_its_laboratory_s_word_under_the_on_event_policy(tmp_path: Path) -> None:
    async with running(tmp_path, **entry(tmp_path, 'report_policy = "on-event"')) as hub:
        await hub.send(EARLY, WHOLE)
        kept, held = await told(hub, 2)
    assert isinstance(kept, MessageArchived)
    assert isinstance(held, ReportHeld)


async def test_the_parts_of_a_demand_leave_together_once_all_are_final(tmp_path: Path) -> None:
    ecbu = "ECBU^ECBU^99REM"
    chemistry = oru(orc("F1"), obr("F1"), obx(), orc("F2", status="IP"), obr("F2", code=ecbu, status="I"))
    culture = oru(orc("F2"), obr("F2", code=ecbu, at="20260314"), obx("CULT^Culture^99REM", "NEG", kind="ST"),
                  control_id="M2")  # fmt: skip
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(chemistry, culture)
        kept, left = await told(hub, 2)
        report = await content(hub, left)
    assert isinstance(kept, MessageArchived)
    assert values(report) == [("F", "4.1"), ("F", "NEG")]


async def test_a_result_of_another_patient_is_withdrawn_from_the_report_that_left(tmp_path: Path) -> None:
    first = oru(orc(), obr(), obx(), obx(TSH, "2.0", unit=""))
    wrong = oru(orc(), obr(status="C", at="20260313"), obx(status="W"), obx(TSH, "2.0", unit=""), control_id="M2")
    async with running(tmp_path, **entry(tmp_path)) as hub:
        answers = await hub.send(first, wrong)
        _, replaced = await told(hub, 2)
        report = await content(hub, replaced)
        messages = {row["control_id"]: row["warnings"] for row in await hub.rows("messages")}
    assert [msa(each)[0] for each in answers] == ["AA", "AA"]
    assert values(report) == [("F", "2.0")]
    assert report.version == 2
    assert "attribué à tort" in report.comments[0]
    assert messages["M2"] == "ltw.wrong-patient"


async def test_a_report_of_which_all_is_withdrawn_is_replaced_by_one_that_says_so(tmp_path: Path) -> None:
    wrong = oru(orc(), obr(status="C", at="20260313"), obx(status="W"), control_id="M2")
    again = oru(orc(), obr(status="C", at="20260313"), obx(status="W"), control_id="M3")
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(oru(orc(), obr(), obx()), wrong, again)
        _, replaced, kept = await told(hub, 3)
        report = await content(hub, replaced)
    assert values(report) == [("X", "")]
    assert isinstance(kept, MessageArchived)
    assert kept.reason == "ltw.unchanged"


async def test_a_withdrawal_of_what_never_left_is_kept_under_its_own_reason(tmp_path: Path) -> None:
    async with running(tmp_path, **entry(tmp_path)) as hub:
        [answer] = await hub.send(oru(orc(), obr(status="C"), obx(status="W")))
        [kept] = await told(hub, 1)
    assert (msa(answer)[0], errors(answer)) == ("AA", [])
    assert isinstance(kept, MessageArchived)
    assert kept.reason == "ltw.wrong-patient"


async def test_a_correction_reaches_who_got_the_report_though_it_names_nobody(tmp_path: Path) -> None:
    nobody = oru(orc(doctor=""), obr(status="C", at="20260313"), obx(value="4.9", status="C"), control_id="M2")
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(oru(orc(), obr(), obx()), nobody)
        _, corrected = await told(hub, 2)
    assert isinstance(corrected, ReportReceived)
    assert [each.address for each in corrected.report.recipients] == [MAIL]


def order(*lines: str, control_id: str = "O1", event: str = "O21", patient: str | None = None) -> bytes:
    who = patient if patient is not None else pid()
    return er7_of(msh(f"OML^{event}^OML_{event}", control_id, sender="DPI"), who, "PV1|1|I", *lines)


ASKED = (orc("", placer="P-F1", control="NW", status=""), obr("", placer="P-F1", clinical="Fièvre", copies=DOCTOR))


async def test_an_order_tells_what_its_results_do_not(tmp_path: Path) -> None:
    bare = oru(orc(doctor=""), obr(), obx())
    async with running(tmp_path, **entry(tmp_path)) as hub:
        [answer, _] = await hub.send(order(*ASKED), bare)
        _, left = await told(hub, 2)
        report = await content(hub, left)
        [row] = await hub.rows("orders")
    assert [each[1] for each in lines_of(answer, "ORC")] == ["OK"]
    assert report.prescriber is not None
    assert report.prescriber.identifier == "99700006012"
    assert report.batteries[0].clinical_information == "Fièvre"
    assert isinstance(left, ReportReceived)
    assert [each.address for each in left.report.recipients] == [MAIL]
    assert row["state"] == "resulted"
    assert b"Fi" not in row["content"].encode()  # kept encrypted, by reference


async def test_an_order_of_another_patient_tells_nothing(tmp_path: Path) -> None:
    other = pid("", name="QUERE").replace("19840512", "19500101")
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(order(*ASKED, patient=other), oru(orc(), obr(), obx()))
        _, left = await told(hub, 2)
        report = await content(hub, left)
    assert report.batteries[0].clinical_information == ""


async def test_the_first_report_waits_for_the_orders_of_its_demand(tmp_path: Path) -> None:
    two = order(*ASKED, orc("", placer="P-F2", control="NW", status=""), obr("", placer="P-F2", code="NFS^NFS^99REM"))
    second = oru(orc("F2"), obr("F2", code="NFS^NFS^99REM"), obx("HB^Hb^99REM", "12.1"), control_id="M2")
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(two, oru(orc(), obr(), obx()), second)
        _, kept, left = await told(hub, 3)
        report = await content(hub, left)
    assert isinstance(kept, MessageArchived)
    assert kept.reason == "ltw.not-complete"
    assert [value for _, value in values(report)] == ["4.1", "12.1"]


async def test_orders_whose_numbers_a_laboratory_does_not_repeat_hold_nothing_back(tmp_path: Path) -> None:
    bare = oru(orc().replace("P-F1^DPI", ""), obr().replace("P-F1^DPI", ""), obx())
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(order(*ASKED), bare)
        _, left = await told(hub, 2)
    assert isinstance(left, ReportReceived)


async def test_a_cancelled_order_is_not_waited_for_and_one_with_results_is_not_cancelled(tmp_path: Path) -> None:
    two = order(*ASKED, orc("", placer="P-F2", control="NW", status=""), obr("", placer="P-F2", code="NFS^NFS^99REM"))
    cancel = [
        order(orc("", placer=f"P-F{n}", control="CA"), obr("", placer=f"P-F{n}"), control_id=f"O{n + 1}")
        for n in (1, 2)
    ]
    async with running(tmp_path, **entry(tmp_path)) as hub:
        [_, cancelled, _, refused] = await hub.send(two, cancel[1], oru(orc(), obr(), obx()), cancel[0])
        _, _, left, _ = await told(hub, 4)
    assert [each[1] for each in lines_of(cancelled, "ORC")] == ["CR"]
    assert isinstance(left, ReportReceived)
    assert [each[1] for each in lines_of(refused, "ORC")] == ["UC"]


async def test_the_same_order_message_gets_the_very_same_answer(tmp_path: Path) -> None:
    async with running(tmp_path, **entry(tmp_path)) as hub:
        [first] = await hub.send(order(*ASKED))
        [second] = await hub.send(order(*ASKED))
    assert first == second


async def test_an_antibiogram_whose_isolate_came_before_joins_it_and_another_is_refused(tmp_path: Path) -> None:
    culture = oru(
        orc(),
        obr(code="ECBU^ECBU^99REM"),
        obx("CULT^Culture^99REM", "ECOLI^E. coli^99REM", kind="CE", sub_id="1", unit=""),
    )
    named = [
        oru(orc("F2"),
            obr("F2", code="ATB^ATB^99REM", parent=f"CULT&Culture&99REM^{number}^E. coli", parent_order="P-F1^F1"),
            obx("AMX^Amoxicilline^99REM", "S", kind="ST", unit=""), control_id=f"A{number}")
        for number in (7, 1)
    ]  # fmt: skip
    async with running(tmp_path, **entry(tmp_path)) as hub:
        [_, lost, found] = await hub.send(culture, *named)
        _, left = await told(hub, 2)
        report = await content(hub, left)
    assert (msa(lost)[0], errors(lost)) == ("AE", [("204", "OBR^1^26", "E")])
    assert msa(found)[0] == "AA"
    assert [each.parent.sub_id if each.parent else None for each in report.batteries] == [None, "1"]


async def test_earlier_values_of_the_patient_are_quoted_for_the_same_analysis_and_unit(tmp_path: Path) -> None:
    def demand(number: int, value: str, at: str, unit: str = "mmol/L^mmol/L^UCUM") -> bytes:
        measured = obx(value=value, unit=unit).replace("20260312080000", at)
        return oru(orc(f"F{number}", demand=f"D{number}"), obr(f"F{number}"), measured, control_id=f"M{number}")

    async with running(tmp_path, **entry(tmp_path, "previous_results = 2")) as hub:
        for raw in (
            demand(1, "3.9", "20260101080000"), demand(2, "39", "20260115080000", "mg/L^mg/L^UCUM"),
            demand(3, "4.0", "20260201080000"), demand(4, "4.2", "20260301080000"),
        ):  # fmt: skip
            await hub.send(raw)
        *_, last = await told(hub, 4)
        report = await content(hub, last)
    assert [each.value for each in report.batteries[0].results[0].previous] == ["4.0", "3.9"]


async def test_earlier_values_that_the_message_repeats_are_quoted_and_are_no_results(tmp_path: Path) -> None:
    old = obx(value="3.8").replace("20260312080000", "20250312080000")
    raw = oru(orc("OLD", control="PR"), obr("OLD"), old, orc(), obr(), obx())
    async with running(tmp_path, **entry(tmp_path)) as hub:
        await hub.send(raw)
        [left] = await told(hub, 1)
        report = await content(hub, left)
    assert values(report) == [("F", "4.1")]
    assert [(each.value, each.unit) for each in report.batteries[0].results[0].previous] == [("3.8", "mmol/L")]


@pytest.mark.parametrize("event", ["R22", "R24"])
async def test_an_oul_of_a_sender_that_declares_it_is_a_report(event: str, tmp_path: Path) -> None:
    inner = [spm(), obr(), orc(), obx()] if event == "R22" else [obr(), orc(), spm(), "SAC|||C1", obx()]
    raw = er7_of(msh(f"OUL^{event}^OUL_{event}"), pid(), *inner)
    async with running(tmp_path, **entry(tmp_path, 'transactions = ["LAB-3"]')) as hub:
        [answer] = await hub.send(raw)
        [left] = await told(hub, 1)
        report = await content(hub, left)
    assert lines_of(answer, "MSH")[0][8] == f"ACK^{event}^ACK"
    assert values(report) == [("F", "4.1")]
