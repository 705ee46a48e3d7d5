"""What was told to the source: the acknowledgement and the ZAM of a message, or of all messages of a report.

A ZAM names mailboxes, and a patient's mailbox is his matricule: for the operator's keys.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select

from ingest_hl7.adapters import tables
from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Scope
from ingest_hl7.core.returns import Zam
from labohub.runtime.http import problem
from labohub.store.database import Database

MAX_MESSAGES = 200  # of one report: a demand seen battery by battery has some tens
Identifier = Annotated[str, Path(max_length=64)]
_KEPT = {"Cache-Control": "no-store"}


def answer_routes(access: Access, database: Database) -> APIRouter:
    """Return the routes of what was sent back."""
    router = APIRouter(prefix="/api/v1", tags=["answers"])
    messages, answers = tables.messages, tables.answers

    @router.get("/messages/{message_id}/answers")
    async def of_message(request: Request, message_id: Identifier) -> Response:
        """Return the technical answer and the business acknowledgements (ZAM) of a message."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        found = await told(messages.c.message_id == message_id)
        return JSONResponse(found[0], headers=_KEPT) if found else problem(404, "message.unknown", "no such message")

    @router.get("/reports/{report_id}/answers")
    async def of_report(request: Request, report_id: Identifier) -> Response:
        """Return the same for each message of a report, in the order they came."""
        if isinstance(caller := await access.admit(request, Scope.OPERATE), Response):
            return caller
        found = await told(messages.c.report_id == report_id)
        if not found:
            return problem(404, "report.unknown", "no message of such a report")
        return JSONResponse({"report_id": report_id, "messages": found}, headers=_KEPT)

    async def told(condition: Any) -> list[dict[str, Any]]:
        query = select(messages).where(condition).order_by(messages.c.received_at).limit(MAX_MESSAGES)
        async with database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
            ids = [row["message_id"] for row in rows]
            sent_query = select(answers).where(answers.c.message_id.in_(ids)).order_by(answers.c.sequence)
            sent = (await connection.execute(sent_query)).mappings().all()
        return [_told(row, [each for each in sent if each["message_id"] == row["message_id"]]) for row in rows]

    return router


def _told(message: Mapping[Any, Any], sent: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    return {
        "message_id": message["message_id"],
        "control_id": message["control_id"],
        "state": message["state"],
        "reason": message["reason"],
        "warnings": message["warnings"].split(),
        "acknowledgement": message["answer_code"],
        "answers": [_answer(each) for each in sent],
    }


def _answer(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "message_type": row["message_type"],
        "control_id": row["control_id"],
        "state": row["state"],
        "attempts": row["attempts"],
        "code": row["error_code"],
        "er7": Zam.model_validate_json(row["payload"]).er7,
    }
