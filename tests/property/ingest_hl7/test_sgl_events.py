"""Laws of the SGL events: one id is one event, and what waits leaves in order or not at all."""

import asyncio
import json
import tempfile
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_hl7.adapters.sgl_desk import Presented, Reply, SglDesk
from ingest_hl7.adapters.tables import TableUnit, metadata
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.returns import Us
from ingest_hl7.core.sgl_events import Departure, going
from ingest_hl7.core.sgl_refusals import EventIdReused
from ingest_hl7.handlers import Outcomes
from labohub.contracts.events import ReportReceived
from labohub.contracts.sgl import read_event
from labohub.contracts.values import (
    BlobRef,
    MessageId,
    Patient,
    Report,
    ReportId,
    Request,
    Sender,
    Traits,
    Visibility,
)
from labohub.contracts.values import Path as ReportPath
from labohub.store.database import Database

AT = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
KINDS = ("report.hold", "report.release", "report.validated", "announcement.done")
CALLS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(KINDS), st.sampled_from(("D1", "D2"))), max_size=8)


def event(id_: str, kind: str, order: str) -> dict[str, Any]:
    """Return an event about an order."""
    return {
        "id": id_,
        "type": kind,
        "occurred_at": AT.isoformat(),
        "source": {"application": "S", "facility": "F"},
        "subject": {"kind": "order", "value": order},
    }


def presented(body: dict[str, Any]) -> Presented:
    """Return an event as the door presents it."""
    read = read_event(body)
    digest = read.model_dump_json()
    return Presented(read, digest, BlobRef(id="b", sha256="0" * 64, size_bytes=1, media_type="application/json"), "k")


async def _answers(calls: list[tuple[str, str, str]]) -> list[Reply | None]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}", "ingest_hl7", metadata, lambda: AT)
        await database.open()
        registry = Registry(())
        desk = SglDesk(database.units(TableUnit), registry, Outcomes(Us("H", "P"), ZoneInfo("UTC"), registry))
        found: list[Reply | None] = []
        try:
            for call in calls:
                try:
                    found.append(await desk.take(presented(event(*call))))
                except EventIdReused:
                    found.append(None)
        finally:
            await database.close()
        return found


@settings(max_examples=25, deadline=None)
@given(CALLS)
def test_an_id_that_was_taken_always_gets_its_answer_and_never_another_effect(
    calls: list[tuple[str, str, str]],
) -> None:
    taken: dict[str, tuple[tuple[str, str, str], dict[str, Any]]] = {}
    for call, answer in zip(calls, asyncio.run(_answers(calls)), strict=True):
        if call[0] in taken:
            first, content = taken[call[0]]
            if first != call:
                assert answer is None
            else:
                assert answer is not None
                assert (answer.content, answer.replayed) == (content, True)
        else:
            assert answer is not None
            assert not answer.replayed
            if answer.status < 400:
                taken[call[0]] = call, answer.content


@given(st.permutations(list(event("a", "report.hold", "D1"))), st.sampled_from((None, 2)))
def test_an_event_is_the_same_however_it_is_spelt(order: list[str], indent: int | None) -> None:
    body = event("a", "report.hold", "D1")
    spelt = json.loads(json.dumps({name: body[name] for name in order}, indent=indent))
    assert read_event(spelt).model_dump_json() == read_event(body).model_dump_json()


def departure(number: int, path: ReportPath, state: str, request: Request) -> Departure:
    """Return the request of one message: `left`, `free` (nothing to wait for), `waits` or `ended`."""
    report = Report(
        report_id=ReportId("r"),
        message_id=MessageId(f"m{number}"),
        control_id=f"C{number}",
        message_type="ORU^R01",
        message_version="2.5",
        sender=Sender(application="S", facility="F"),
        processing_id="P",
        received_at=AT,
        path=path,
        request=request,
        patient=Patient(traits=Traits(birth_name="A", first_given_name="B", birth_date="19700101", sex="F")),
        visibility=Visibility(
            masked_from_professionals=False,
            invisible_to_patient=False,
            invisible_to_guardians=False,
            secret_connection=False,
            changes_visibility=False,
        ),
        to_dmp=True,
    )
    fact = ReportReceived(
        event_id=f"e{number}", occurred_at=AT, report_id=report.report_id, message_id=report.message_id, report=report
    )
    held_for = "" if state == "left" else "sgl.hold"
    return Departure(fact, held_for, needs_validation=state == "waits", is_settled=state == "ended")


STATES = st.lists(st.sampled_from(("left", "free", "waits", "ended")), min_size=1, max_size=7)


@given(STATES, st.sampled_from(list(ReportPath)), st.sampled_from(list(Request)))
def test_what_waits_leaves_in_order_once_and_never_behind_a_later_version(
    states: list[str], path: ReportPath, last: Request
) -> None:
    requests = [Request.INITIAL, *[Request.REPLACEMENT] * (len(states) - 2), last][-len(states) :]
    known = [
        departure(n, path, state, request) for n, (state, request) in enumerate(zip(states, requests, strict=True))
    ]
    free = [each for each, state in zip(known, states, strict=True) if state == "free"]
    plan = going(known, free)
    numbers = [int(each.fact.message_id[1:]) for each in plan.leaving]
    ended = [int(each.fact.message_id[1:]) for each, _ in plan.ended]
    assert numbers == sorted(set(numbers))
    assert not set(numbers) & set(ended)
    assert all(states[number] in ("free", "waits") for number in (*numbers, *ended))
    lefts = [number for number, state in enumerate(states) if state == "left"]
    if path is ReportPath.STRUCTURING and numbers:
        assert numbers == [max(n for n, state in enumerate(states) if state == "free")]
        assert all(number < numbers[0] for number in lefts)
        assert not [
            n for n, state in enumerate(states) if n < numbers[0] and state in ("free", "waits") and n not in ended
        ]
        wanted = Request.REPLACEMENT if lefts else Request.INITIAL
        assert plan.leaving[0].report.request is wanted
    if free:
        assert {each.fact.message_id for each in free} <= {f"m{number}" for number in (*numbers, *ended)}
