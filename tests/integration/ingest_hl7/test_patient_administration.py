"""ADT messages through the whole service: requests under way follow the identity and the consent of their patient."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from labohub.contracts import topics
from labohub.contracts.codec import derived_id
from labohub.contracts.events import (
    Event,
    FeedingOpposed,
    IdentityUnresolved,
    MailDelivered,
    MessageArchived,
    MessageSettled,
    PatientCorrected,
    ReportReceived,
    SubmissionAccepted,
    SubmissionRefused,
)
from labohub.contracts.values import IdentityStatus, Ins, Recipient, RecipientKind
from tests.support.ingest import (
    MAILBOX,
    MATRICULE,
    OTHER_MATRICULE,
    SB,
    TEST_OID,
    Running,
    errors,
    msa,
    pid,
    relay_message,
    results_message,
    running,
)
from tests.support.pam import adt_message, local, zfa

SAMPLES = sorted((Path(__file__).parents[4] / "shared/data/hl7/pfi/adt").glob("*.er7"))
OLD_PID = pid().replace("R000451", "R000999")


@pytest.fixture(params=["sqlite", "postgresql"])
async def hub(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    url = request.getfixturevalue("postgres_server").fresh_database() if request.param == "postgresql" else ""
    async with running(tmp_path, store_url=url) as started:
        yield started


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def accepted(hub: Running, *messages: bytes) -> list[bytes]:
    answers = await hub.send(*messages)
    assert [msa(answer)[0] for answer in answers] == ["AA"] * len(messages)
    return answers


async def report_events(hub: Running, count: int) -> list[Event]:
    return await hub.events(topics.REPORT, count)


def of(events: list[Event], kind: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def deliver(hub: Running, report: ReportReceived) -> None:
    """Say that the mail of a report arrived, and its document."""
    common = {"occurred_at": report.occurred_at, "report_id": report.report_id, "message_id": report.message_id}
    recipient = Recipient(kind=RecipientKind.PROFESSIONAL, address=MAILBOX)
    mail = derived_id("mail", report.message_id)
    await hub.tell(
        MailDelivered(event_id=mail, mail_id=mail, document_id="1", recipient=recipient, **common),
        SubmissionAccepted(
            event_id=derived_id("dmp", report.message_id), submission_id="1", document_id="1", operation="TD2.1",
            **common,
        ),
    )  # fmt: skip


async def test_an_adt_is_acknowledged_archived_and_answered_the_same_again(small: Running) -> None:
    message = adt_message("A31", "ADT-1")
    (first,), (again,) = await small.send(message), await small.send(message)
    assert first == again
    assert msa(first) == ("AA", "ADT-1")
    assert b"|ACK^A31^ACK|" in first
    assert errors(first) == []
    archived, settled = await report_events(small, 1), await small.events(topics.MESSAGE, 1)
    assert [(type(each), each.reason) for each in archived if isinstance(each, MessageArchived)] == [
        (MessageArchived, "pam.identity")
    ]
    assert isinstance(settled[0], MessageSettled)
    assert (settled[0].state, settled[0].code) == ("archived", "pam.identity")
    assert len(await small.rows("known_patients")) == 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (adt_message("A99", "X"), ("AR", "201", "MSH^1^9^2")),
        (adt_message("A31", "X").replace(b"2.5^FRA^2.11", b"2.3"), ("AR", "203", "MSH^1^12")),
        (adt_message("A40", "X"), ("AE", "100", "MRG^1")),
        (adt_message("A01", "X", zfa("OPPOSE")), ("AE", "103", "ZFA^1^9")),
    ],
    ids=["event", "version", "merge", "consent"],
)
async def test_a_refused_adt_changes_nothing(small: Running, message: bytes, expected: tuple[str, str, str]) -> None:
    (answer,) = await small.send(message)
    assert (msa(answer)[0], errors(answer)[0][0], errors(answer)[0][1]) == expected
    assert (await small.rows("known_patients"), await small.rows("consents")) == ([], [])


@pytest.mark.parametrize("event", ["A08", "A28", "A31", "A01", "A04", "A05"])
async def test_a_corrected_trait_follows_the_report_that_is_under_way(small: Running, event: str) -> None:
    await accepted(small, results_message(), adt_message(event, "ADT-1", patient=pid(name="KERMARREC")))
    received, corrected, _ = await report_events(small, 3)
    assert isinstance(received, ReportReceived)
    assert isinstance(corrected, PatientCorrected)
    assert (corrected.report_id, corrected.message_id) == (received.report_id, received.message_id)
    assert corrected.patient.traits.birth_name == "KERMARREC"
    assert corrected.patient.local_ids == received.report.patient.local_ids
    (adt,) = [row for row in await small.rows("messages") if row["control_id"] == "ADT-1"]
    assert corrected.cause == adt["message_id"]


async def test_a_movement_corrects_nobody(small: Running) -> None:
    await accepted(small, results_message(), adt_message("A03", "ADT-1", patient=pid(name="KERMARREC")))
    assert [type(event) for event in await report_events(small, 2)] == [ReportReceived, MessageArchived]


async def test_the_ins_and_the_reliability_follow_too(hub: Running) -> None:
    provisional = results_message(patient=pid("", reliability="PROV"))
    await accepted(hub, provisional, adt_message("A31", "ADT-1"))
    (corrected,) = of(await report_events(hub, 3), PatientCorrected)
    assert corrected.patient.ins == Ins(matricule=MATRICULE, oid=TEST_OID)
    assert corrected.patient.reliability == ("VALI",)

    await accepted(hub, adt_message("A31", "ADT-2", patient=pid("", reliability="PROV~DOUT")))
    corrected = of(await report_events(hub, 5), PatientCorrected)[-1]
    assert (corrected.patient.ins, corrected.patient.reliability) == (None, ("PROV", "DOUT"))


async def test_a_stopped_report_is_told_and_a_failed_or_unchanged_one_is_not(small: Running) -> None:
    await accepted(small, results_message())
    (received,) = await report_events(small, 1)
    common = {"occurred_at": received.occurred_at, "report_id": received.report_id, "message_id": received.message_id}
    unresolved = IdentityUnresolved(
        event_id="u1", control_id="LTW-0001", status=IdentityStatus.VALIDEE, code="insi.not-found", **common
    )
    await small.tell(unresolved)
    await small.settled_rows("requests", lambda rows: rows[0]["state"] == "stopped")
    await accepted(small, adt_message("A31", "ADT-1"))
    await accepted(small, adt_message("A31", "ADT-2", patient=pid(name="KERMARREC")))
    events = await report_events(small, 4)
    assert [event.patient.traits.birth_name for event in of(events, PatientCorrected)] == ["KERMARREC"]


async def test_a_delivered_report_is_told_only_what_makes_it_wrong(small: Running) -> None:
    await accepted(small, results_message())
    (received,) = await report_events(small, 1)
    assert isinstance(received, ReportReceived)
    await deliver(small, received)
    await small.settled_rows("requests", lambda rows: rows[0]["state"] == "delivered")
    used = pid().replace("^^^^L||", "^^^^L~MARTIN^^^^^^D||")
    await accepted(small, adt_message("A31", "ADT-1", patient=used))
    await accepted(small, adt_message("A31", "ADT-2", patient=pid(OTHER_MATRICULE)))
    (corrected,) = of(await report_events(small, 4), PatientCorrected)
    assert corrected.patient.ins == Ins(matricule=OTHER_MATRICULE, oid=TEST_OID)
    assert corrected.patient.traits.used_name == ""


async def test_another_hospital_s_patient_of_the_same_number_is_left_alone(small: Running) -> None:
    elsewhere = pid("", name="AUTRE").replace("REMPARTS&990000911&N", "CHU&990000555&N")
    bare = pid("", name="AUTRE").replace("REMPARTS&990000911&N", "REMPARTS")
    await accepted(
        small, results_message(), adt_message("A31", "ADT-1", patient=elsewhere),
        adt_message("A31", "ADT-2", patient=bare, facility="CHU"),
    )  # fmt: skip
    assert of(await report_events(small, 3), PatientCorrected) == []


async def test_an_older_identity_that_comes_late_is_kept_and_not_applied(small: Running) -> None:
    await accepted(small, results_message())
    newer = adt_message("A31", "ADT-2", patient=pid(name="KERMARREC"), recorded_at="20260312100000")
    older = adt_message("A31", "ADT-1", patient=pid(name="KERMADEK"), recorded_at="20260312095900")
    _, late = await accepted(small, newer, older)
    assert [(error[0], error[2]) for error in errors(late)] == [("0", "W")]
    events = await report_events(small, 4)
    assert [event.patient.traits.birth_name for event in of(events, PatientCorrected)] == ["KERMARREC"]
    assert [event.reason for event in of(events, MessageArchived)] == ["pam.identity", "pam.older-state"]


async def test_a_report_that_comes_after_its_correction_keeps_what_it_says_with_a_warning(small: Running) -> None:
    _, answer = await accepted(
        small, adt_message("A31", "ADT-1", patient=pid(name="KERMARREC")), results_message()
    )  # fmt: skip
    assert [(error[0], error[1], error[2]) for error in errors(answer)] == [("0", "PID^1", "W")]
    (received,) = of(await report_events(small, 2), ReportReceived)
    assert received.report.patient.traits.birth_name == "KERMADEC"
    (row,) = [row for row in await small.rows("messages") if row["control_id"] == "LTW-0001"]
    assert row["warnings"] == "patient.differs-from-known"


async def test_a_merge_moves_the_reports_of_the_old_identifier_to_the_surviving_one(hub: Running) -> None:
    await accepted(hub, results_message(patient=OLD_PID))
    await accepted(hub, adt_message("A40", "ADT-1", f"MRG|{local('R000999')}"))
    received, corrected, archived = await report_events(hub, 3)
    assert isinstance(corrected, PatientCorrected)
    assert [each.value for each in corrected.patient.local_ids] == ["R000451"]
    assert (corrected.report_id, corrected.message_id) == (received.report_id, received.message_id)
    assert isinstance(archived, MessageArchived)
    assert archived.reason == "pam.merge"


async def test_a_merged_demand_goes_on_under_either_identifier(hub: Running) -> None:
    await accepted(hub, results_message("LTW-1", patient=OLD_PID))
    await accepted(hub, adt_message("A40", "ADT-1", f"MRG|{local('R000999')}"))
    await accepted(hub, results_message("LTW-2", value="4.2", reported_at="20260312101000"))
    (answer,) = await accepted(
        hub, results_message("LTW-3", value="4.3", reported_at="20260312102000", patient=OLD_PID)
    )  # fmt: skip
    assert [(error[0], error[1], error[2]) for error in errors(answer)] == [("0", "PID^1^3", "W")]
    received = of(await report_events(hub, 5), ReportReceived)
    assert len({event.report_id for event in received}) == 1
    assert [[each.value for each in event.report.patient.local_ids] for event in received] == [
        ["R000999"], ["R000451"], ["R000451"],
    ]  # fmt: skip
    states = {row["control_id"]: (row["state"], row["reason"]) for row in await hub.rows("messages")}
    assert states["LTW-2"] == states["LTW-3"] == ("accepted", "")


async def test_a_demand_whose_results_are_only_kept_is_followed_too(hub: Running) -> None:
    await accepted(hub, results_message("LTW-1", status="P", patient=OLD_PID))
    await accepted(hub, adt_message("A40", "ADT-1", f"MRG|{local('R000999')}"))
    await accepted(hub, results_message("LTW-2", reported_at="20260312101000"))
    events = await report_events(hub, 3)
    assert [event.reason for event in of(events, MessageArchived)] == ["ltw.not-final", "pam.merge"]
    assert (len(of(events, ReportReceived)), of(events, PatientCorrected)) == (1, [])


async def test_without_a_merge_a_known_demand_is_never_another_patient_s(small: Running) -> None:
    await accepted(small, results_message("LTW-1", patient=OLD_PID), results_message("LTW-2", value="4.2"))
    assert len(of(await report_events(small, 2), ReportReceived)) == 1


async def test_merges_follow_one_another_and_may_be_turned_round(small: Running) -> None:
    def merging(number: int, old: str, new: str) -> bytes:
        return adt_message("A40", f"ADT-{number}", f"MRG|{local(old)}", patient=pid().replace("R000451", new))

    await accepted(small, results_message("LTW-1", patient=OLD_PID))
    await accepted(small, merging(1, "R000999", "R2"), merging(2, "R2", "R3"))
    corrected = of(await report_events(small, 5), PatientCorrected)
    assert [event.patient.local_ids[0].value for event in corrected] == ["R2", "R3"]
    await accepted(small, merging(3, "R3", "R000999"))
    corrected = of(await report_events(small, 7), PatientCorrected)
    assert corrected[-1].patient.local_ids[0].value == "R000999"
    survivors = {row["survivor"] for row in await small.rows("merged_identifiers")}
    assert len(survivors) == 1


async def test_a_changed_identifier_is_followed_like_a_merge(small: Running) -> None:
    await accepted(small, results_message(patient=OLD_PID), adt_message("A47", "ADT-1", f"MRG|{local('R000999')}"))
    (corrected,) = of(await report_events(small, 3), PatientCorrected)
    assert corrected.patient.local_ids[0].value == "R000451"


async def test_an_identity_told_of_a_merged_identifier_is_not_applied(small: Running) -> None:
    await accepted(small, adt_message("A40", "ADT-1", f"MRG|{local('R000999')}"), results_message())
    stale = adt_message("A31", "ADT-2", patient=OLD_PID.replace("KERMADEC", "AUTRE"), recorded_at="20260313090000")
    (answer,) = await accepted(small, stale)
    assert [error[2] for error in errors(answer)] == ["W"]
    assert of(await report_events(small, 3), PatientCorrected) == []


async def test_an_opposition_keeps_later_reports_from_the_dmp_and_the_source_is_told(hub: Running) -> None:
    await accepted(hub, adt_message("A01", "ADT-1", zfa("IO")), relay_message())
    (received,) = of(await report_events(hub, 2), ReportReceived)
    assert not received.report.to_dmp
    (refused,) = await hub.events(topics.SUBMISSION, 1)
    assert isinstance(refused, SubmissionRefused)
    assert (refused.code, refused.message_id) == ("dmp.opposed", received.message_id)
    outcomes = await hub.settled_rows("outcomes", lambda rows: any(row["outcome"] == "failed" for row in rows))
    assert {row["target"]: (row["outcome"], row["code"]) for row in outcomes} == {
        "dmp": ("failed", "dmp.opposed"), MAILBOX: ("pending", ""),
    }  # fmt: skip
    (zam,) = await hub.rows("answers")
    assert zam["message_type"] == "ZAM^Z01^ZAM_Z01"
    assert "dmp.opposed^" in zam["payload"]
    assert "N^^expandedYes-NoIndicator" in zam["payload"]


async def test_a_report_for_the_dmp_alone_ends_as_failed(small: Running) -> None:
    alone = relay_message(flags={"DESTMSSANTEPS": "N"}, prts=[SB])
    await accepted(small, adt_message("A01", "ADT-1", zfa("IO")), alone)
    rows = await small.settled_rows("requests", lambda found: bool(found and found[0]["is_settled"]))
    assert rows[0]["state"] == "failed"
    settled = of(await small.events(topics.MESSAGE, 3), MessageSettled)
    assert [(event.state, event.code) for event in settled if event.state == "failed"] == [("failed", "dmp.opposed")]


async def test_the_opposition_is_known_under_the_ins_and_under_a_merged_identifier(hub: Running) -> None:
    elsewhere = pid().replace("R000451^^^REMPARTS&990000911&N", "77^^^CHU&990000555&N")
    await accepted(hub, adt_message("A01", "ADT-1", zfa("IO"), patient=elsewhere), results_message("LTW-1"))
    await accepted(
        hub,
        adt_message("A28", "ADT-2", zfa("IO"), patient=pid("", reliability="PROV").replace("R000451", "R5")),
        adt_message("A40", "ADT-3", f"MRG|{local('R5')}", patient=pid("").replace("R000451", "R6")),
        results_message("LTW-2", demand="D2", patient=pid("").replace("R000451", "R6")),
        results_message("LTW-3", demand="D3", patient=pid("").replace("R000451", "R7")),
    )
    received = of(await report_events(hub, 6), ReportReceived)
    assert [event.report.to_dmp for event in received] == [False, False, True]


async def test_an_opposition_reaches_the_requests_under_way_once_and_its_end_too(hub: Running) -> None:
    await accepted(hub, results_message())
    io, again = adt_message("A31", "ADT-1", zfa("IO")), adt_message("A31", "ADT-2", zfa("IO", "20260312091000"))
    lifted = adt_message("A31", "ADT-3", zfa("INO", "20260312100000"))
    late = adt_message("A31", "ADT-4", zfa("IO", "20260312093000"))
    await accepted(hub, io, again, lifted, late)
    events = await report_events(hub, 7)
    (received,) = of(events, ReportReceived)
    assert [(event.opposed, event.message_id) for event in of(events, FeedingOpposed)] == [
        (True, received.message_id), (False, received.message_id),
    ]  # fmt: skip
    await accepted(hub, results_message("LTW-9", demand="D9"))
    assert of(await report_events(hub, 8), ReportReceived)[-1].report.to_dmp
    assert len(await hub.rows("consents")) == 8  # four, under the identifier and under the INS


async def test_not_collected_lifts_no_opposition(small: Running) -> None:
    await accepted(
        small, adt_message("A31", "ADT-1", zfa("IO")), adt_message("A31", "ADT-2", zfa("NA", "")), results_message()
    )
    (received,) = of(await report_events(small, 3), ReportReceived)
    assert not received.report.to_dmp


async def test_a_document_that_is_in_the_dmp_stays_there_untold(small: Running) -> None:
    await accepted(small, results_message())
    (received,) = await report_events(small, 1)
    assert isinstance(received, ReportReceived)
    await deliver(small, received)
    await small.settled_rows("requests", lambda rows: rows[0]["state"] == "delivered")
    await accepted(small, adt_message("A31", "ADT-1", zfa("IO")))
    assert of(await report_events(small, 2), FeedingOpposed) == []


async def test_a_deletion_is_not_opposed(small: Running) -> None:
    await accepted(small, relay_message(), adt_message("A01", "ADT-1", zfa("IO")))
    await accepted(small, relay_message("CDA-0002", request="deletion"))
    events = await report_events(small, 4)
    assert [event.report.to_dmp for event in of(events, ReportReceived)] == [True, True]
    assert len(of(events, FeedingOpposed)) == 1


async def test_messages_in_one_frame_see_one_another(small: Running) -> None:
    messages = [
        results_message("LTW-1", demand="D1", patient=OLD_PID),
        adt_message("A40", "ADT-1", f"MRG|{local('R000999')}"),
        results_message("LTW-2", demand="D2", patient=OLD_PID),
        adt_message("A31", "ADT-2", zfa("IO")),
        results_message("LTW-3", demand="D3", patient=OLD_PID),
    ]
    await accepted(small, *messages)
    events = await report_events(small, 8)
    received = of(events, ReportReceived)
    assert [(event.report.patient.local_ids[0].value, event.report.to_dmp) for event in received] == [
        ("R000999", True), ("R000451", True), ("R000451", False),
    ]  # fmt: skip
    assert {event.message_id for event in of(events, FeedingOpposed)} == {event.message_id for event in received[:2]}


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.stem for path in SAMPLES])
async def test_an_official_sample_is_taken_and_does_what_it_says(tmp_path: Path, sample: Path) -> None:
    """They are written for debugging (MSH-11 D), with line feeds, and one with its ZBE one field too far."""
    async with running(tmp_path, processing_ids="P,T,D") as hub:
        (answer,) = await accepted(hub, sample.read_bytes())
        assert b"|ACK^A0" in answer
        said = {row["feeding"] for row in await hub.rows("consents")}
        assert said == ({sample.stem.rpartition("-")[2]} if "alim" in sample.stem else set())
        (row,) = await hub.rows("messages")
        assert (row["state"], row["reason"]) == (
            "archived", "pam.movement" if "a03" in sample.stem else "pam.identity",
        )  # fmt: skip
        assert ("pam.movement-shifted" in row["warnings"]) == ("a03" in sample.stem)
        assert "er7.line-feed" in row["warnings"]


async def test_a_sample_for_debugging_does_not_enter_an_ordinary_installation(small: Running) -> None:
    (answer,) = await small.send(adt_message("A01", "ADT-1", zfa("IO")).replace(b"|P|2.5", b"|D|2.5"))
    assert (msa(answer)[0], errors(answer)[0][:2]) == ("AR", ("202", "MSH^1^11"))
