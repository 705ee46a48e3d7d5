"""The laboratory's word beside HL7: what it holds waits, what it releases leaves, whom it adds is served."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from labohub.contracts import topics
from labohub.contracts.events import (
    Event,
    FeedingOpposed,
    MessageSettled,
    ReportHeld,
    ReportReceived,
    SubmissionRefused,
)
from labohub.contracts.values import RecipientKind, Request
from tests.support.ingest import MAILBOX, Running, cda, msa, relay_message, results_message, running
from tests.support.sgl import event, http

DEMAND = "D26030001"


async def tell(hub: Running, body: dict[str, Any]) -> httpx.Response:
    """Send one event."""
    async with http(hub) as client:
        return await client.post("/events", json=body)


async def accept(hub: Running, message: bytes) -> None:
    """Send a message that must be acknowledged."""
    [answer] = await hub.send(message)
    assert msa(answer)[0] == "AA"


async def facts(hub: Running, count: int) -> list[Event]:
    """Return all facts of the report topic: exactly so many."""
    found = await hub.events(topics.REPORT, count)
    assert len(found) == count
    return found


async def test_a_held_report_is_acknowledged_and_does_not_leave_until_its_release(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        held = await tell(hub, event("report.hold", DEMAND))
        assert (held.status_code, held.json()["state"], held.json()["code"]) == (202, "waiting", "report.awaited")
        await accept(hub, results_message())
        [waits] = await facts(hub, 1)
        assert isinstance(waits, ReportHeld)
        assert (waits.reason, waits.control_id) == ("sgl.hold", "LTW-0001")
        released = await tell(hub, event("report.release", DEMAND))
        assert (released.status_code, released.json()["state"]) == (202, "applied")
        assert released.json()["reports"] == [waits.report_id]
        left = (await facts(hub, 2))[1]
        assert isinstance(left, ReportReceived)
        assert left.report.request is Request.INITIAL


async def test_a_hold_that_comes_after_the_report_left_is_told_too_late(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await accept(hub, relay_message())
        late = await tell(hub, event("report.hold", "CDA-0001", about="control-id"))
        assert (late.status_code, late.json()["code"]) == (409, "report.under-way")
        assert await hub.rows("sgl_marks") == []
        next_one = await tell(hub, event("report.hold", "P-77", next_version=True))
        assert (next_one.status_code, next_one.json()["code"]) == (202, "hold.next-version")
        replacement = cda("1.2.250.1.99999.9.1.2", replaces="1.2.250.1.99999.9.1.1")
        await accept(hub, relay_message("CDA-0002", document=replacement, request="replacement"))
        assert [type(each) for each in await facts(hub, 2)] == [ReportReceived, ReportHeld]


async def test_a_correction_during_a_hold_leaves_alone_and_the_first_message_is_archived(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await tell(hub, event("report.hold", "LTW-0001", about="control-id"))
        await accept(hub, results_message())
        await accept(hub, results_message("LTW-0002", value="5.9", reported_at="20260312101500"))
        first, second = await facts(hub, 2)
        assert isinstance(first, ReportHeld)
        assert isinstance(second, ReportHeld)  # held by its report: it must not overtake
        await tell(hub, event("report.release", "LTW-0001", about="control-id"))
        left = (await facts(hub, 3))[2]
        [settled] = await hub.events(topics.MESSAGE, 1)
    assert isinstance(left, ReportReceived)
    assert (left.report.control_id, left.report.request) == ("LTW-0002", Request.INITIAL)
    assert isinstance(settled, MessageSettled)
    assert (settled.control_id, settled.state) == ("LTW-0001", "archived")
    assert settled.code == "report.superseded-while-held"


async def test_results_withdrawn_while_held_never_leave_and_later_ones_are_the_first(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await tell(hub, event("report.hold", DEMAND))
        await accept(hub, results_message())
        wrong = results_message("LTW-0002", status="C", reported_at="20260312101500").replace(b"|||C|||", b"|||W|||")
        await accept(hub, wrong)
        await tell(hub, event("report.release", DEMAND))
        ends = await hub.events(topics.MESSAGE, 2)
        assert [type(each) for each in await facts(hub, 2)] == [ReportHeld, ReportHeld]
        right = results_message("LTW-0003", status="C", value="4.4", reported_at="20260312111500")
        await accept(hub, right)
        first = (await facts(hub, 3))[2]
    codes = [(each.state, each.code) for each in ends if isinstance(each, MessageSettled)]
    assert codes == [("archived", "report.withdrawn-while-held")] * 2
    assert isinstance(first, ReportReceived)
    assert first.report.request is Request.INITIAL


async def test_a_relayed_document_deleted_while_held_never_leaves(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await tell(hub, event("report.hold", "1.2.250.1.99999.9.1.1", about="document"))
        await accept(hub, relay_message())
        await accept(hub, relay_message("CDA-0002", request="deletion"))
        await tell(hub, event("report.release", "1.2.250.1.99999.9.1.1", about="document"))
        settled = await hub.events(topics.MESSAGE, 4)
        assert [type(each) for each in await facts(hub, 2)] == [ReportHeld, ReportHeld]
        requests = await hub.rows("requests")
    ends = [each for each in settled if isinstance(each, MessageSettled)]
    assert {(each.state, each.code) for each in ends} == {("stopped", "report.deleted-while-held")}
    assert all(row["is_settled"] for row in requests)


async def test_the_same_event_gets_the_same_answer_and_another_one_under_its_id_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        body = event("report.hold", DEMAND, id_="E-1")
        first, again = await tell(hub, body), await tell(hub, dict(reversed(body.items())))
        assert first.json() == again.json()
        assert (first.status_code, again.status_code) == (202, 202)
        assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
        other = await tell(hub, event("report.hold", "D-2", id_="E-1"))
        assert (other.status_code, other.json()["code"]) == (409, "event.id-reused")
        assert len(await hub.rows("sgl_events")) == 1
        async with http(hub) as client:
            became = (await client.get("/events/E-1")).json()
            by_ours = (await client.get(first.headers["Location"].removeprefix("/api/v1"))).json()
            unknown = await client.get("/events/E-2")
    assert became == by_ours
    assert (became["state"], became["type"]) == ("waiting", "report.hold")
    assert unknown.status_code == 404


async def test_the_header_may_carry_the_key_and_may_not_contradict_the_body(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, http(hub) as client:
        body = event("report.hold", DEMAND, id_="E-1")
        differs = await client.post("/events", json=body, headers={"Idempotency-Key": "E-2"})
        del body["id"]
        taken = await client.post("/events", json=body, headers={"Idempotency-Key": '"E-2"'})
    assert (differs.status_code, differs.json()["code"]) == (422, "event.malformed")
    assert (taken.status_code, taken.json()["id"]) == (202, "E-2")


async def test_added_recipients_get_the_same_document_and_nobody_else_does(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await accept(hub, relay_message())
        [sent] = await facts(hub, 1)
        assert isinstance(sent, ReportReceived)
        new = {"kind": "professional", "address": "paul.riou@test-ci-sis.mssante.fr", "family_name": "RIOU"}
        known = {"kind": "professional", "address": MAILBOX.upper()}
        added = await tell(hub, event("recipients.changed", "CDA-0001", about="control-id", add=[new, known]))
        assert (added.status_code, added.json()["state"]) == (202, "applied")
        again = await tell(hub, event("recipients.changed", "CDA-0001", about="control-id", add=[new]))
        assert (again.json()["state"], again.json()["code"]) == ("no-effect", "recipients.known")
        late = await tell(hub, event("recipients.changed", "P-77", remove=[MAILBOX]))
        assert (late.status_code, late.json()["code"]) == (409, "report.under-way")
        more = (await facts(hub, 2))[1]
        outcomes = await hub.rows("outcomes")
    assert isinstance(more, ReportReceived)
    assert more.report.document == sent.report.document
    assert [each.address for each in more.report.recipients] == [new["address"]]
    assert not more.report.to_dmp
    assert (more.report.control_id, more.report.report_id) == (sent.report.control_id, sent.report.report_id)
    assert [row["target"] for row in outcomes if row["message_id"] == more.message_id] == [new["address"]]


async def test_a_recipient_added_to_a_demand_gets_its_corrections(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await accept(hub, results_message())
        new = {"kind": "organisation", "address": "service@test-ci-sis.mssante.fr", "organisation_name": "SERVICE"}
        await tell(hub, event("recipients.changed", DEMAND, add=[new]))
        await accept(hub, results_message("LTW-0002", value="5.9", reported_at="20260312101500"))
        correction = (await facts(hub, 3))[2]
    assert isinstance(correction, ReportReceived)
    assert (correction.report.control_id, correction.report.request) == ("LTW-0002", Request.REPLACEMENT)
    assert new["address"] in [each.address for each in correction.report.recipients]


async def test_recipients_of_a_held_report_change_before_it_leaves(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await tell(hub, event("report.hold", "P-77"))
        await accept(hub, relay_message())
        new = {"kind": "professional", "address": "paul.riou@test-ci-sis.mssante.fr"}
        await tell(hub, event("recipients.changed", "P-77", add=[new], remove=[MAILBOX]))
        await tell(hub, event("report.release", "P-77"))
        left = (await facts(hub, 2))[1]
        outcomes = await hub.rows("outcomes")
    assert isinstance(left, ReportReceived)
    assert [each.address for each in left.report.recipients] == [new["address"]]
    assert left.report.to_dmp
    assert sorted(row["target"] for row in outcomes) == ["dmp", new["address"]]


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ({"kind": "patient", "address": "140053304172136@patient.mssante.fr"}, "recipients.refused"),
        ({"kind": "professional", "address": "140053304172136@patient.mssante.fr"}, "recipients.refused"),
        ({"kind": "professional", "address": "dr@-.fr"}, "recipients.refused"),
    ],
)
async def test_a_mailbox_that_the_report_may_not_go_to_is_refused(
    tmp_path: Path, recipient: dict[str, str], code: str
) -> None:
    async with running(tmp_path) as hub:
        await accept(hub, relay_message())
        refused = await tell(hub, event("recipients.changed", "P-77", add=[recipient]))
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        await facts(hub, 1)


SENDERS = """
[[sender]]
application = "SGL-REMPARTS"
facility = "REMPARTS"
{more}
[sender.mailboxes]
"99700006012" = "anne.morvan@test-ci-sis.mssante.fr"
"""


def senders(folder: Path, more: str) -> Path:
    """Write a senders' file."""
    path = folder / "senders.toml"
    path.write_text(SENDERS.format(more=more))
    return path


MASKED = """to_patient = true
visibility = {masked_from_professionals = false, invisible_to_patient = true, invisible_to_guardians = false,
 secret_connection = false, changes_visibility = false}"""


async def test_an_announcement_makes_a_demand_visible_by_a_replacement_and_it_stays_so(tmp_path: Path) -> None:
    path = senders(tmp_path, MASKED.replace("\n ", " "))
    async with running(tmp_path, senders=path) as hub:
        early = await tell(hub, event("announcement.done", DEMAND, id_="A-1"))
        assert (early.status_code, early.json()["code"]) == (404, "report.unknown")
        await accept(hub, results_message())
        told = await tell(hub, event("announcement.done", DEMAND, id_="A-1"))
        assert (told.status_code, told.json()["state"]) == (202, "applied")
        twice = await tell(hub, event("announcement.done", DEMAND))
        assert (twice.json()["state"], twice.json()["code"]) == ("no-effect", "report.not-masked")
        await accept(hub, results_message("LTW-0002", value="5.9", reported_at="20260312101500"))
        first, unmasked, correction = await facts(hub, 3)
    assert isinstance(first, ReportReceived)
    assert first.report.visibility.invisible_to_patient
    assert RecipientKind.PATIENT not in {each.kind for each in first.report.recipients}
    for report in (unmasked, correction):
        assert isinstance(report, ReportReceived)
        assert not report.report.visibility.invisible_to_patient
        assert report.report.request is Request.REPLACEMENT
        assert {each.kind for each in report.report.recipients} == {RecipientKind.PROFESSIONAL, RecipientKind.PATIENT}
    assert isinstance(unmasked, ReportReceived)
    assert unmasked.report.visibility.changes_visibility
    assert unmasked.report.results == first.report.results
    assert unmasked.report.to_dmp


async def test_a_laboratory_unmasks_its_own_document_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await accept(hub, relay_message(flags={"INVISIBLE_PATIENT": "Y"}))
        refused = await tell(hub, event("announcement.done", "P-77"))
        assert (refused.status_code, refused.json()["code"]) == (409, "report.author-must-replace")
        await facts(hub, 1)


async def test_under_the_policy_on_event_each_version_leaves_when_it_is_validated(tmp_path: Path) -> None:
    async with running(tmp_path, senders=senders(tmp_path, 'report_policy = "on-event"')) as hub:
        await accept(hub, results_message())
        [waits] = await facts(hub, 1)
        assert isinstance(waits, ReportHeld)
        assert waits.reason == "sgl.not-validated"
        await tell(hub, event("report.validated", DEMAND, id_="V-1"))
        twice = await tell(hub, event("report.validated", DEMAND, id_="V-2"))
        assert (twice.status_code, twice.json()["code"]) == (409, "report.nothing-waits")
        await accept(hub, results_message("LTW-0002", value="5.9", reported_at="20260312101500"))
        later = await tell(hub, event("report.validated", DEMAND, id_="V-2"))
        assert later.status_code == 202
        kinds = [type(each) for each in await facts(hub, 4)]
    assert kinds == [ReportHeld, ReportReceived, ReportHeld, ReportReceived]


async def test_a_validation_that_comes_before_the_results_lets_one_version_leave(tmp_path: Path) -> None:
    async with running(tmp_path, senders=senders(tmp_path, 'report_policy = "on-event"')) as hub:
        early = await tell(hub, event("report.validated", DEMAND))
        assert (early.status_code, early.json()["state"]) == (202, "waiting")
        await accept(hub, results_message())
        await accept(hub, results_message("LTW-0002", value="5.9", reported_at="20260312101500"))
        assert [type(each) for each in await facts(hub, 2)] == [ReportReceived, ReportHeld]


async def test_a_validation_does_not_lift_a_hold_nor_a_release_the_validation(tmp_path: Path) -> None:
    async with running(tmp_path, senders=senders(tmp_path, 'report_policy = "on-event"')) as hub:
        await tell(hub, event("report.hold", DEMAND))
        await accept(hub, results_message())
        validated = await tell(hub, event("report.validated", DEMAND))
        assert validated.json()["code"] == "report.still-held"
        assert len(await facts(hub, 1)) == 1
        released = await tell(hub, event("report.release", DEMAND))
        assert released.json()["code"] == ""
        assert [type(each) for each in await facts(hub, 2)] == [ReportHeld, ReportReceived]


PATIENT = {"kind": "patient", "value": "R000451", "authority": "990000911"}


async def test_an_opposition_recorded_before_the_report_keeps_it_from_the_dmp(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        said = event("consent.recorded", "", feeding="opposed")
        opposed = await tell(hub, {**said, "subject": PATIENT})
        assert (opposed.status_code, opposed.json()["code"]) == (202, "patient.awaited")
        await accept(hub, relay_message())
        [sent] = await facts(hub, 1)
        later = event("consent.recorded", "", feeding="not-opposed")
        lifted = await tell(hub, {**later, "subject": PATIENT, "occurred_at": "2026-03-13T10:05:00+01:00"})
        assert (lifted.status_code, lifted.json()["state"]) == (202, "applied")
        await accept(hub, relay_message("CDA-0002", document=cda("1.2.250.1.99999.9.1.7")))
        again = (await facts(hub, 2))[1]
    assert isinstance(sent, ReportReceived)
    assert not sent.report.to_dmp
    assert isinstance(again, ReportReceived)
    assert again.report.to_dmp


async def test_an_opposition_told_about_an_order_reaches_the_report_under_way(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        unknown = await tell(hub, event("consent.recorded", "P-77", feeding="opposed"))
        assert (unknown.status_code, unknown.json()["code"]) == (404, "report.unknown")
        await accept(hub, relay_message())
        told = await tell(hub, event("consent.recorded", "P-77", feeding="opposed", consultation="refuses"))
        assert (told.status_code, told.json()["state"]) == (202, "applied")
        sent, opposed = await facts(hub, 2)
    assert isinstance(opposed, FeedingOpposed)
    assert (opposed.message_id, opposed.opposed) == (sent.message_id, True)


async def test_an_announcement_does_not_feed_the_dmp_of_a_patient_who_opposed_since(tmp_path: Path) -> None:
    async with running(tmp_path, senders=senders(tmp_path, MASKED.replace("\n ", " "))) as hub:
        await accept(hub, results_message())
        await tell(hub, event("consent.recorded", DEMAND, feeding="opposed"))
        await tell(hub, event("announcement.done", DEMAND))
        unmasked = (await facts(hub, 3))[2]
        [refused] = await hub.events(topics.SUBMISSION, 1)
    assert isinstance(unmasked, ReportReceived)
    assert not unmasked.report.to_dmp
    assert isinstance(refused, SubmissionRefused)
    assert (refused.code, refused.message_id) == ("dmp.opposed", unmasked.message_id)


async def test_schemas_are_served_for_every_type(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, http(hub) as client:
        listed = (await client.get("/events/schemas")).json()["types"]
        for kind, place in listed.items():
            schema = (await client.get(place.removeprefix("/api/v1"))).json()
            assert schema["properties"]["type"]["const"] == kind
        assert (await client.get("/events/schemas/report.burnt")).status_code == 404
        assert (await client.get("/openapi.json")).status_code == 200


async def test_a_malformed_event_is_refused_by_place_and_never_quoted(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        body = {**event("report.hold", DEMAND), "KERMADEC": 1, "occurred_at": "2026-03-12"}
        refused = await tell(hub, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "event.malformed")
        assert "KERMADEC" not in refused.text
        places = {each["place"]: each["rule"] for each in refused.json()["errors"]}
        assert places["?"] == "extra_forbidden"
        assert "occurred_at" in places
        assert await hub.rows("sgl_events") == []


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """Return the URL of each engine's store; empty for SQLite in the test's folder."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_server").fresh_database()
    return url


async def test_a_hold_at_the_same_instant_is_either_seen_or_told_too_late(tmp_path: Path, store: str) -> None:
    async with running(tmp_path, store_url=store) as hub, http(hub) as client:
        for number in range(12):
            demand = f"D2603{number:04d}"
            held = event("report.hold", demand)
            answer, _ = await asyncio.gather(
                client.post("/events", json=held), accept(hub, results_message(f"C{number}", demand=demand))
            )
            again = await client.post("/events", json=held)
            assert (again.status_code, again.json()["code"]) == (answer.status_code, answer.json()["code"])
            kind = type((await facts(hub, number + 1))[-1])
            assert (answer.status_code, kind) in ((202, ReportHeld), (409, ReportReceived))


async def test_events_have_their_effect_on_each_store(tmp_path: Path, store: str) -> None:
    path = senders(tmp_path, MASKED.replace("\n ", " ") + '\nreport_policy = "on-event"')
    async with running(tmp_path, store_url=store, senders=path) as hub:
        await tell(hub, event("report.hold", DEMAND))
        await accept(hub, results_message())
        new = {"kind": "professional", "address": "paul.riou@test-ci-sis.mssante.fr"}
        for body in (
            event("recipients.changed", DEMAND, add=[new]),
            event("report.validated", DEMAND),
            event("report.release", DEMAND),
            event("announcement.done", DEMAND),
            event("consent.recorded", DEMAND, feeding="opposed"),
        ):
            answer = await tell(hub, body)
            assert (answer.status_code, answer.json()["state"]) == (202, "applied"), body["type"]
        found = await facts(hub, 5)
    assert [type(each) for each in found] == [
        ReportHeld, ReportReceived, ReportReceived, FeedingOpposed, FeedingOpposed,
    ]  # fmt: skip
