"""`/api/v1/messages`: what came, what was answered, what it holds. Bytes are given to whom the audit then names."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime
from sqlalchemy import Select, and_, or_, select

from ingest_hl7.adapters import tables
from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Scope
from ingest_hl7.adapters.audit import actor_of, note
from ingest_hl7.adapters.conformance import Inspector
from ingest_hl7.adapters.knowledge import unpack_frames
from ingest_hl7.adapters.paging import read_cursor, write_cursor
from ingest_hl7.adapters.tables import TableUnit
from labohub.contracts.values import BlobRef
from labohub.runtime.http import problem
from labohub.store.blobs import Blobs
from labohub.store.database import Database

MAX_ROWS = 500
MessageId = Annotated[str, Path(max_length=64)]
Word = Annotated[str, Query(max_length=199)]
_UNSEEN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}


def message_routes(access: Access, inspector: Inspector, database: Database, blobs: Blobs) -> APIRouter:
    """Return the routes of the messages: for the operator's keys, since they show every sender's."""
    router = APIRouter(prefix="/api/v1/messages", tags=["messages"])

    @router.get("")
    async def messages(  # noqa: PLR0917 - parameters of a query, given by name
        request: Request,
        control_id: Word = "",
        sender: Annotated[str, Query(max_length=199, description="MSH-3 or MSH-4, first component")] = "",
        state: Annotated[str, Query(max_length=30, description="accepted, archived, refused, quarantined")] = "",
        reason: Annotated[str, Query(max_length=100, description="code of a refusal, an archive or a warning")] = "",
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 50,
        cursor: Annotated[str, Query(max_length=300, description="`next_cursor` of the page before")] = "",
    ) -> Response:
        """Return messages, newest first."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        table = tables.messages
        query = _matching(select(table), control_id, sender, state, reason)
        if since is not None:
            query = query.where(table.c.received_at >= since)
        if until is not None:
            query = query.where(table.c.received_at < until)
        if (place := read_cursor(cursor)) is not None:
            at, last_id = place
            same = and_(table.c.received_at == at, table.c.message_id < last_id)
            query = query.where(or_(table.c.received_at < at, same))
        query = query.order_by(table.c.received_at.desc(), table.c.message_id.desc()).limit(limit + 1)
        async with database.reading() as connection:
            rows = [dict(row) for row in (await connection.execute(query)).mappings()]
        more, rows = len(rows) > limit, rows[:limit]
        last = rows[-1] if more else None
        next_cursor = write_cursor(last["received_at"], last["message_id"]) if last else ""
        return JSONResponse({"items": [shown(row) for row in rows], "next_cursor": next_cursor})

    @router.get("/{message_id}")
    async def message(request: Request, message_id: MessageId) -> Response:
        """Return where a message stands, the codes of its warnings, and what was answered."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        row = await _find(database, message_id)
        if row is None:
            return problem(404, "message.unknown", "no such message")
        frames = [frame.decode("latin-1") for frame in unpack_frames(row["answers"])]
        raw = BlobRef.model_validate_json(row["raw"])
        return JSONResponse({**shown(row), "size_bytes": raw.size_bytes, "answers": frames})

    @router.get("/{message_id}/raw", response_class=Response, responses={200: {"content": {"application/hl7-v2": {}}}})
    async def raw(request: Request, message_id: MessageId) -> Response:
        """Return the message byte for byte. Who reads it is written down first."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        row = await _find(database, message_id)
        if row is None:
            return problem(404, "message.unknown", "no such message")
        async with database.units(TableUnit)() as unit:
            await note(unit, actor_of(request, caller), "message.read", message_id)
        content = await blobs.read(BlobRef.model_validate_json(row["raw"]))
        return Response(content, media_type="application/hl7-v2", headers=_UNSEEN)

    @router.get("/{message_id}/conformance")
    async def conformance(request: Request, message_id: MessageId) -> Response:
        """Return how the message follows its profile; examined now when it was not yet."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        report = await inspector.report(message_id)
        return problem(404, "message.unknown", "no such message") if report is None else JSONResponse(report)

    return router


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a message as the API shows it: nothing of its patient."""
    application, facility, _ = row["natural_key"].split("\x1f", 2)
    return {
        "message_id": row["message_id"],
        "received_at": row["received_at"].isoformat(),
        "control_id": row["control_id"],
        "message_type": row["message_type"],
        "sender_application": application,
        "sender_facility": facility,
        "state": row["state"],
        "reason": row["reason"],
        "warnings": row["warnings"].split(),
        "report_id": row["report_id"],
        "acknowledgement": row["answer_code"],
        "sha256": row["sha256"],
    }


def _matching(query: Select[Any], control_id: str, sender: str, state: str, reason: str) -> Select[Any]:
    table = tables.messages
    if control_id:
        query = query.where(table.c.control_id == control_id)
    if sender:
        names = table.c.natural_key
        query = query.where(
            or_(
                names.startswith(f"{sender}\x1f", autoescape=True), names.contains(f"\x1f{sender}\x1f", autoescape=True)
            )
        )
    if state:
        query = query.where(table.c.state == state)
    if reason:
        warned = (" " + table.c.warnings + " ").contains(f" {reason} ", autoescape=True)
        query = query.where(or_(table.c.reason == reason, warned))
    return query


async def _find(database: Database, message_id: str) -> dict[str, Any] | None:
    async with database.reading() as connection:
        query = select(tables.messages).where(tables.messages.c.message_id == message_id)
        row = (await connection.execute(query)).mappings().first()
    return dict(row) if row is not None else None
