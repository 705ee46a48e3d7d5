"""The worklist of messages whose sender nobody knew."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Scope
from ingest_hl7.adapters.audit import actor_of
from ingest_hl7.adapters.messages_http import MAX_ROWS, shown
from ingest_hl7.adapters.paging import read_cursor, write_cursor
from ingest_hl7.adapters.quarantine import ContentRefused, NotInQuarantine, Quarantine, SenderStillUnknown, waiting
from labohub.runtime.http import problem
from labohub.store.database import Database


class Resolution(BaseModel):
    """What an operator decides of a message in quarantine."""

    decision: Literal["release", "refuse"]
    sender: str = Field("", max_length=400, description="Label of its entry. Empty: the entry that its MSH names now.")


def quarantine_routes(access: Access, quarantine: Quarantine, database: Database) -> APIRouter:
    """Return the routes of the worklist."""
    router = APIRouter(prefix="/api/v1/worklists/quarantine", tags=["worklists"])

    @router.get("")
    async def items(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 50,
        cursor: Annotated[str, Query(max_length=300)] = "",
    ) -> Response:
        """Return what waits, oldest first."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        async with database.reading() as connection:
            rows = await waiting(connection, read_cursor(cursor), limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        next_cursor = write_cursor(rows[-1]["received_at"], rows[-1]["message_id"]) if more else ""
        return JSONResponse({"items": [shown(row) for row in rows], "next_cursor": next_cursor})

    @router.post("/{message_id}/resolve")
    async def resolve(
        request: Request, message_id: Annotated[str, Path(max_length=64)], resolution: Resolution
    ) -> Response:
        """Release a message through the ordinary path, or refuse it and tell its source where it asks for it."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        act = quarantine.release if resolution.decision == "release" else quarantine.refuse
        try:
            state = await act(message_id, resolution.sender, actor_of(request, caller))
        except NotInQuarantine as error:
            return problem(404, error.code, str(error))
        except SenderStillUnknown as error:
            return problem(409, error.code, "add an entry for this sender, or name one")
        except ContentRefused as error:
            places = [{"code": finding.reason, "place": finding.location} for finding in error.findings]
            return problem(422, error.code, "this sender's message would be refused", errors=places)
        return JSONResponse({"message_id": message_id, "state": state})

    return router
