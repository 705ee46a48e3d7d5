"""Questions about reports to the read model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.adapters.paging import known, read_cursor, write_cursor
from console.adapters.tables import destinations, documents, messages, numbers, reports, steps
from console.adapters.views import DestinationView, DocumentView, MessageView, Page, ReportRow, ReportView, StepView
from console.core.states import IN_PROGRESS, NEEDS_SOMEONE, TERMINAL
from labohub.errors import Refused


class ReportUnknown(Refused):
    """No report has this identifier."""

    code = "console.report-unknown"


class StatusUnknown(Refused):
    """The status asked for is none of the list."""

    code = "console.status-unknown"


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a list of reports is narrowed to; empty fields do not narrow."""

    text: str = ""  # control id, order number or report id; a control id also by its beginning
    control_id: str = ""
    order_number: str = ""
    status: str = ""
    sender: str = ""
    since: datetime | None = None
    until: datetime | None = None


_REPORT_COLUMNS = (
    reports.c.report_id, reports.c.patient, reports.c.last_received_at.label("received_at"), messages.c.message_id,
    messages.c.state, messages.c.stage, messages.c.code, messages.c.control_id, messages.c.message_type,
    messages.c.sender_application, messages.c.sender_facility, messages.c.path, messages.c.request,
    messages.c.last_at, messages.c.expected,
)  # fmt: skip


def _reports() -> Select[Any]:
    """Return reports with their newest message. One that stood for a message in quarantine ends with its release."""
    columns: Sequence[Any] = _REPORT_COLUMNS
    newest = and_(messages.c.message_id == reports.c.last_message_id, messages.c.report_id == reports.c.report_id)
    return select(*columns).join(messages, newest)


def _status_clause(status: str) -> ColumnElement[bool]:
    open_ = messages.c.state == ""
    if status == "in-progress":
        return open_
    if status == "attention":
        return or_(
            messages.c.state.in_([state for state in NEEDS_SOMEONE if state in TERMINAL]),
            and_(open_, messages.c.stage.in_([state for state in NEEDS_SOMEONE if state not in TERMINAL])),
        )
    if status in TERMINAL:
        return messages.c.state == status
    if status in IN_PROGRESS:
        return and_(open_, messages.c.stage == status)
    raise StatusUnknown("no such status")


def _narrowed(query: Select[Any], wanted: ReportFilter) -> Select[Any]:
    def numbered(number: str) -> ColumnElement[bool]:
        return reports.c.report_id.in_(select(numbers.c.report_id).where(numbers.c.number == number))

    def controlled(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return reports.c.report_id.in_(select(messages.c.report_id).where(condition))

    if text := wanted.text.strip():
        beginning = messages.c.control_id.startswith(text, autoescape=True)
        query = query.where(or_(reports.c.report_id == text, numbered(text), controlled(beginning)))
    if wanted.control_id:
        query = query.where(controlled(messages.c.control_id == wanted.control_id))
    if wanted.order_number:
        query = query.where(numbered(wanted.order_number))
    if wanted.status:
        query = query.where(_status_clause(wanted.status))
    if wanted.sender:
        query = query.where(
            or_(messages.c.sender_application == wanted.sender, messages.c.sender_facility == wanted.sender)
        )
    if wanted.since:
        query = query.where(reports.c.last_received_at >= wanted.since)
    if wanted.until:
        query = query.where(reports.c.last_received_at <= wanted.until)
    return query


async def find_reports(
    connection: AsyncConnection, wanted: ReportFilter, *, limit: int, cursor: str = ""
) -> Page[ReportRow]:
    """Return reports, newest first.

    Raises:
        CursorMalformed, StatusUnknown: see the classes.
    """
    query = _narrowed(_reports(), wanted)
    if cursor:
        at, identifier = read_cursor(cursor)
        query = query.where(
            or_(
                reports.c.last_received_at < at,
                and_(reports.c.last_received_at == at, reports.c.report_id < identifier),
            )
        )
    query = query.order_by(reports.c.last_received_at.desc(), reports.c.report_id.desc()).limit(limit + 1)
    rows = (await connection.execute(query)).all()
    more, rows = len(rows) > limit, rows[:limit]
    outcomes = await _destinations_of(connection, [row.message_id for row in rows])
    items = [_report_row(row, outcomes.get(row.message_id, [])) for row in rows]
    return Page(items=items, next_cursor=write_cursor(rows[-1].received_at, rows[-1].report_id) if more else "")


def _report_row(row: Row[Any], outcomes: list[DestinationView]) -> ReportRow:
    fields = row._mapping
    return ReportRow(
        **{name: fields[name] for name in ReportRow.model_fields if name in fields and name != "state"},
        state=row.state or row.stage,
        is_settled=bool(row.state),
        destinations=outcomes,
    )


async def _destinations_of(connection: AsyncConnection, message_ids: Sequence[str]) -> dict[str, list[DestinationView]]:
    if not message_ids:
        return {}
    query = select(destinations).where(destinations.c.message_id.in_(message_ids))
    query = query.order_by(destinations.c.channel, destinations.c.kind, destinations.c.target)
    found: dict[str, list[DestinationView]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.message_id, []).append(DestinationView(**known(row, DestinationView)))
    return found


async def read_report(connection: AsyncConnection, report_id: str) -> ReportView:
    """Return one report with its messages, destinations and documents.

    Raises:
        ReportUnknown: see the class.
    """
    row = (await connection.execute(_reports().where(reports.c.report_id == report_id))).one_or_none()
    if row is None:
        raise ReportUnknown("no such report")
    sent = (
        await connection.execute(
            select(messages).where(messages.c.report_id == report_id).order_by(messages.c.seen_at.desc())
        )
    ).all()
    outcomes = await _destinations_of(connection, [message.message_id for message in sent])
    made = await connection.execute(
        select(documents).where(documents.c.report_id == report_id).order_by(documents.c.at.desc())
    )
    given = await connection.execute(select(numbers.c.number).where(numbers.c.report_id == report_id))
    head = _report_row(row, [])
    return ReportView(
        **head.model_dump(exclude={"destinations"}),
        destinations=[view for views in outcomes.values() for view in views],
        order_numbers=sorted(given.scalars()),
        messages=[
            MessageView(
                **known(message, MessageView) | {"state": message.state or message.stage},
                is_settled=bool(message.state),
            )
            for message in sent
        ],
        documents=[DocumentView(**known(document, DocumentView), has_pdf=bool(document.pdf)) for document in made],
    )


async def newest_report_id(connection: AsyncConnection) -> str:
    """Return the report that was received last.

    Raises:
        ReportUnknown: nothing was received yet.
    """
    query = select(reports.c.report_id).order_by(reports.c.last_received_at.desc(), reports.c.report_id.desc())
    found = (await connection.execute(query.limit(1))).scalar_one_or_none()
    if found is None:
        raise ReportUnknown("nothing was received yet")
    return str(found)


async def read_timeline(connection: AsyncConnection, report_id: str) -> list[StepView]:
    """Return every step of a report, oldest first."""
    query = select(steps).where(steps.c.report_id == report_id).order_by(steps.c.at, steps.c.id)
    return [
        StepView(**known(row, StepView) | {"detail": orjson.loads(row.detail)})
        for row in await connection.execute(query)
    ]


async def read_document(connection: AsyncConnection, report_id: str, document_id: str) -> Row[Any] | None:
    """Return the row of a document with its blob references, or None."""
    query = select(documents).where(documents.c.report_id == report_id, documents.c.document_id == document_id)
    return (await connection.execute(query)).one_or_none()


async def read_traits(connection: AsyncConnection, report_id: str) -> dict[str, str]:
    """Return the patient's traits in clear: only for an audited act.

    Raises:
        ReportUnknown: see the class.
    """
    found = (
        await connection.execute(select(reports.c.traits).where(reports.c.report_id == report_id))
    ).scalar_one_or_none()
    if not found:
        raise ReportUnknown("no such report")
    traits: dict[str, str] = orjson.loads(found)
    return traits
