"""What the intake remembers of documents: their chains, their other format, and in what order they go on."""

from pathlib import Path
from typing import Any

import pytest

from labohub.contracts import topics
from labohub.contracts.events import ReportReceived
from labohub.contracts.values import Report
from tests.support.ingest import (
    MATRICULE,
    OTHER_MATRICULE,
    Running,
    cda,
    errors,
    msa,
    pid,
    relay_message,
    results_message,
    running,
)

N3, N1 = cda("1.2.3.1"), cda("1.2.3.2", level="N1")
NEXT_N3, NEXT_N1 = cda("1.2.3.3", replaces="1.2.3.1"), cda("1.2.3.4", replaces="1.2.3.2", level="N1")


async def reports(hub: Running, count: int) -> list[Report]:
    found = await hub.events(topics.REPORT, count)
    return [each.report for each in found if isinstance(each, ReportReceived)]


async def warnings(hub: Running) -> list[set[str]]:
    """Return the codes kept with each message, in the order of their numbers."""
    rows = sorted(await hub.rows("messages"), key=lambda row: row["control_id"])
    return [{code for code in row["warnings"].split() if code.startswith("relay.")} for row in rows]


def pair(control_id: str, first: bytes = N3, second: bytes | None = N1, **more: Any) -> bytes:
    return relay_message(control_id, document=first, companion=second, **more)


async def test_both_formats_go_on_byte_for_byte_and_again_get_the_same_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        answers = await hub.send(pair("A"), pair("A"))
        [report] = await reports(hub, 1)
        assert report.document is not None
        assert report.companion is not None
        kept = [await hub.platform.blobs.read(each) for each in (report.document, report.companion)]
        documents = {row["document_id"]: row["companion_id"] for row in await hub.rows("documents")}
    assert answers[0] == answers[1]
    assert kept == [N3, N1]
    assert documents == {"1.2.3.1": "1.2.3.2", "1.2.3.2": "1.2.3.1"}


@pytest.mark.parametrize(
    ("second", "location"),
    [
        (pair("B", N3, None), "OBX^1^5"),  # alone, after it came with its N1
        (pair("B", N1, None), "OBX^1^5"),
        (pair("B", N3, cda("1.2.3.9", level="N1")), "OBX^1^5"),
    ],
)
async def test_formats_that_came_together_stay_together(second: bytes, location: str, tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        first, refused = await hub.send(pair("A"), second)
        reasons = {row["control_id"]: row["reason"] for row in await hub.rows("messages")}
    assert msa(first)[0] == "AA"
    assert errors(refused) == [("199", location, "E")]
    assert reasons["B"] == "document.paired-otherwise"


async def test_the_second_formats_identifier_is_no_more_free_than_the_first(tmp_path: Path) -> None:
    other = cda("1.2.3.2", level="N1", name="KERMADEC").replace(b"CR de biologie", b"CR corrige    ")
    async with running(tmp_path) as hub:
        _, refused = await hub.send(pair("A"), pair("B", N3, other))
    assert errors(refused) == [("205", "OBX^2^5", "E")]


async def test_a_pair_is_replaced_and_deleted_in_one_chain_and_comes_no_more(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        answers = await hub.send(
            pair("A"),
            pair("B", NEXT_N3, NEXT_N1, request="replacement"),
            pair("C", NEXT_N3, NEXT_N1, request="deletion"),
            pair("D", N3, N1, prts=None).replace(b"anne.morvan", b"autre.medecin"),
        )
        asked = await reports(hub, 3)
        kept = await warnings(hub)
    assert [msa(answer)[0] for answer in answers] == ["AA", "AA", "AA", "AE"]
    assert errors(answers[3]) == [("199", "OBX^1^5", "E")]
    assert len({each.report_id for each in asked}) == 1
    assert [each.request.value for each in asked] == ["initial", "replacement", "deletion"]
    assert kept == [set(), set(), set(), set()]


async def test_what_is_noteworthy_about_the_documents_aimed_at_is_kept_and_stops_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        answers = await hub.send(
            pair("A"),
            pair("B", NEXT_N3, None, request="replacement"),  # the N1 of A stays
            pair("C", cda("1.2.3.8", replaces="1.2.3.7"), None, request="replacement"),  # never seen
            pair("D", cda("1.2.3.6"), None, request="deletion"),  # never seen
            pair("E", cda("1.2.5.1"), None),
            pair("F", cda("1.2.5.2", level="N1"), None),
            pair("G", cda("1.2.5.3", replaces="1.2.5.1"), cda("1.2.5.4", replaces="1.2.5.2", level="N1"),
                 request="replacement"),
        )  # fmt: skip
        asked = {each.control_id: each.report_id for each in await reports(hub, 7)}
        kept = await warnings(hub)
    assert [msa(answer)[0] for answer in answers] == ["AA"] * 7
    assert kept == [
        set(), {"relay.other-format-left"}, {"relay.target-unknown"}, {"relay.target-unknown"}, set(), set(),
        {"relay.chains-joined"},
    ]  # fmt: skip
    assert asked["A"] == asked["B"]
    assert asked["G"] == asked["E"] != asked["F"]


async def test_a_document_that_comes_after_its_replacement_is_refused_and_the_chain_goes_on(tmp_path: Path) -> None:
    third = cda("1.2.3.5", replaces="1.2.3.3")
    async with running(tmp_path) as hub:
        answers = await hub.send(
            pair("A", NEXT_N3, None, request="replacement"), pair("B", N3, None),
            pair("C", third, None, request="replacement"),
        )  # fmt: skip
        asked = await reports(hub, 2)
    assert [msa(answer)[0] for answer in answers] == ["AA", "AE", "AA"]
    assert len({each.report_id for each in asked}) == 1


async def test_messages_of_one_connection_go_on_in_the_order_they_came_whatever_they_are(tmp_path: Path) -> None:
    """So two messages of one patient are published in their order: a report, results, a correction, a deletion."""
    somebody = pid(OTHER_MATRICULE, name="QUERE")
    messages = [
        pair("M01", N3, None),
        results_message("M02"),
        pair("M03", cda("1.2.9.1", matricule=OTHER_MATRICULE, name="QUERE"), None, patient=somebody),
        pair("M04", NEXT_N3, None, request="replacement"),
        results_message("M05", value="5.2", reported_at="20260312103000", demand="D26030002"),
        pair("M06", NEXT_N3, None, request="deletion"),
        pair("M07", cda("1.2.9.2"), None),
    ]
    async with running(tmp_path) as hub, hub.connect() as peer:
        answers = await peer.send(*messages)
        asked = await reports(hub, len(messages))
    assert [msa(answer) for answer in answers] == [("AA", f"M0{number}") for number in range(1, 8)]
    assert [each.control_id for each in asked] == [f"M0{number}" for number in range(1, 8)]
    ours = [each for each in asked if each.patient.ins and each.patient.ins.matricule == MATRICULE]
    assert [each.control_id for each in ours] == ["M01", "M02", "M04", "M05", "M06", "M07"]
