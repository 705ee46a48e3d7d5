"""The board as SQL: every statement is an insert that a repetition leaves as it is, or an upsert that commutes."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Table, and_, case, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from console.adapters.tables import destinations, documents, evidence, messages, numbers, reports, steps, waiting
from console.core.facts import Attention, Destination, Document, Facts
from console.core.masking import masked_traits
from console.core.states import OUTCOME_RANK, STAGE_RANK
from labohub.contracts.codec import derived_id
from labohub.store.sql import insert_ignore

_HEADING = (
    "received_at", "control_id", "message_type", "sender_application", "sender_facility", "path", "request",
    "processing_id", "expected",
)  # fmt: skip
_SETTLED = ("state", "settled_at", "code", "delivered", "failed", "uncertain")


def _insert(dialect: str, table: Table) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _message_upsert(dialect: str, columns: tuple[str, ...]) -> Any:
    """Return the upsert that keeps the oldest and newest fact, the highest stage, and overwrites `columns`."""
    statement = _insert(dialect, messages)
    new, old = statement.excluded, messages.c
    further = new.stage_rank > old.stage_rank
    return statement.on_conflict_do_update(
        index_elements=["message_id"],
        set_={
            "seen_at": case((new.seen_at < old.seen_at, new.seen_at), else_=old.seen_at),
            "last_at": case((new.last_at > old.last_at, new.last_at), else_=old.last_at),
            "stage": case((further, new.stage), else_=old.stage),
            "stage_rank": case((further, new.stage_rank), else_=old.stage_rank),
            **{column: new[column] for column in columns},
        },
    )


@cache
def _report_upsert(dialect: str) -> Any:
    """Return the upsert that makes a report point at its newest message."""
    statement = _insert(dialect, reports)
    new, old = statement.excluded, reports.c
    newer = new.last_received_at >= old.last_received_at
    newest = {
        name: case((newer, new[name]), else_=old[name])
        for name in ("last_message_id", "last_received_at", "patient", "traits")
    }
    first_at = case((new.first_at < old.first_at, new.first_at), else_=old.first_at)
    return statement.on_conflict_do_update(index_elements=["report_id"], set_={"first_at": first_at, **newest})


@cache
def _destination_upsert(dialect: str) -> Any:
    """Return the upsert that keeps the furthest outcome of a destination."""
    statement = _insert(dialect, destinations)
    new, old = statement.excluded, destinations.c
    changed = {name: new[name] for name in ("outcome", "outcome_rank", "at", "code", "document_id")}
    return statement.on_conflict_do_update(
        index_elements=["message_id", "target_id"], set_=changed, where=new.outcome_rank > old.outcome_rank
    )


@cache
def _waiting_upsert(dialect: str) -> Any:
    statement = _insert(dialect, waiting)
    changed = {name: statement.excluded[name] for name in ("opened_at", "closed_at", "is_open", "code")}
    return statement.on_conflict_do_update(index_elements=["item_id"], set_=changed)


class SqlBoard:
    """Writes facts into the tables of `console.adapters.tables`."""

    def __init__(self, connection: AsyncConnection, trace_id: Callable[[], str]) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._trace_id = trace_id

    async def show(self, facts: Facts, now: datetime) -> None:
        """Write what one event changes."""
        await self._step(facts)
        if facts.message_id:  # a set-aside event may know its report alone
            await self._message(facts)
        if facts.received is not None or facts.archived is not None:
            await self._report(facts)
        if facts.destinations:
            rows = [_destination_row(facts, destination) for destination in facts.destinations]
            await self._connection.execute(_destination_upsert(self._dialect), rows)
        await insert_ignore(self._connection, documents, [_document_row(facts, each) for each in facts.documents])
        if facts.closes:
            closed = [_item_id(facts, worklist, target) for worklist, target in facts.closes]
            still_open = and_(waiting.c.item_id.in_(closed), waiting.c.is_open)
            await self._connection.execute(update(waiting).where(still_open).values(is_open=False, closed_at=now))
        if facts.opens is not None:
            await self._connection.execute(_waiting_upsert(self._dialect), _waiting_row(facts, facts.opens))

    async def _step(self, facts: Facts) -> None:
        step = facts.step
        row = {
            "event_id": step.event_id,
            "report_id": facts.report_id,
            "message_id": facts.message_id,
            "at": step.occurred_at,
            "service": step.service,
            "step": step.name,
            "outcome": step.outcome,
            "code": step.code,
            "target": step.target,
            "detail": orjson.dumps(step.detail).decode(),
            "trace_id": self._trace_id(),
        }
        await insert_ignore(self._connection, steps, [row])
        if step.evidence is not None:
            kept = {name: row[name] for name in ("event_id", "report_id", "at", "step")}
            kept["blob"] = step.evidence.model_dump_json()
            await insert_ignore(self._connection, evidence, [kept])

    async def _message(self, facts: Facts) -> None:
        row: dict[str, Any] = {
            "message_id": facts.message_id,
            "report_id": facts.report_id,
            "seen_at": facts.step.occurred_at,
            "last_at": facts.step.occurred_at,
            "stage": facts.stage.value,
            "stage_rank": STAGE_RANK[facts.stage],
        }
        columns: tuple[str, ...] = ()
        if facts.received is not None or facts.archived is not None:
            row |= _heading(facts)
            columns += _HEADING
        if (settled := facts.settlement) is not None:
            row |= {
                "state": settled.state,
                "settled_at": settled.at,
                "code": settled.code,
                "delivered": settled.delivered,
                "failed": settled.failed,
                "uncertain": settled.uncertain,
            }
            columns += _SETTLED
        if facts.received is not None or (facts.archived is not None and facts.settlement is not None):
            columns += ("report_id",)  # a message in quarantine was not known to be of this report
        await self._connection.execute(_message_upsert(self._dialect, columns), row)

    async def _report(self, facts: Facts) -> None:
        report = facts.received
        received_at = report.received_at if report else facts.step.occurred_at
        row = {
            "report_id": facts.report_id,
            "first_at": received_at,
            "last_message_id": facts.message_id,
            "last_received_at": received_at,
            "patient": masked_traits(report.patient.traits) if report else "",
            "traits": report.patient.traits.model_dump_json() if report else "",
        }
        await self._connection.execute(_report_upsert(self._dialect), row)
        if report and report.order_numbers:
            known = dict.fromkeys(number for number in report.order_numbers if number)
            rows = [{"number": number, "report_id": facts.report_id} for number in known]
            await insert_ignore(self._connection, numbers, rows)


def _heading(facts: Facts) -> dict[str, Any]:
    if (report := facts.received) is not None:
        return {
            "received_at": report.received_at,
            "control_id": report.control_id,
            "message_type": report.message_type,
            "sender_application": report.sender.application,
            "sender_facility": report.sender.facility,
            "path": report.path.value,
            "request": report.request.value,
            "processing_id": report.processing_id,
            "expected": len(facts.destinations),
        }
    archived = facts.archived
    assert archived is not None
    return {
        "received_at": facts.step.occurred_at,
        "control_id": archived.control_id,
        "message_type": archived.message_type,
        "sender_application": archived.sender_application,
        "sender_facility": archived.sender_facility,
        "path": "",
        "request": "",
        "processing_id": "",
        "expected": 0,
    }


def _destination_row(facts: Facts, destination: Destination) -> dict[str, Any]:
    return {
        "message_id": facts.message_id,
        "target_id": destination.target_id,
        "report_id": facts.report_id,
        "channel": destination.channel,
        "kind": destination.kind,
        "target": destination.target,
        "name": destination.name,
        "outcome": destination.outcome.value,
        "outcome_rank": OUTCOME_RANK[destination.outcome],
        "at": destination.at,
        "code": destination.code,
        "document_id": destination.document_id,
    }


def _document_row(facts: Facts, document: Document) -> dict[str, Any]:
    return {
        "document_id": document.facts.unique_id,
        "report_id": facts.report_id,
        "message_id": facts.message_id,
        "at": document.at,
        "title": document.facts.title,
        "level": document.facts.level,
        "version_number": document.facts.version_number,
        "replaces": document.facts.replaces,
        "conformance": document.conformance,
        "sha256": document.blob.sha256,
        "size_bytes": document.blob.size_bytes,
        "blob": document.blob.model_dump_json(),
        "pdf": document.pdf.model_dump_json() if document.pdf else "",
        "conformance_report": document.conformance_report.model_dump_json() if document.conformance_report else "",
    }


def _item_id(facts: Facts, worklist: str, target_id: str) -> str:
    return derived_id("console.waiting", worklist, facts.message_id, target_id)


def _waiting_row(facts: Facts, attention: Attention) -> dict[str, Any]:
    return {
        "item_id": _item_id(facts, attention.worklist, attention.target_id),
        "worklist": attention.worklist,
        "report_id": facts.report_id,
        "message_id": facts.message_id,
        "opened_at": facts.step.occurred_at,
        "closed_at": None,
        "is_open": True,
        "code": attention.code,
        "target": attention.target,
    }
