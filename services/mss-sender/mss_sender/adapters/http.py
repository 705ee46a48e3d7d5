"""The worklist of returns over HTTP: what a person must look at, and what the person decided."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel
from sqlalchemy import select

from labohub.contracts.events import MailDelivered
from labohub.store.blobs import Blobs
from labohub.store.database import Database
from mss_sender.adapters.return_view import view
from mss_sender.adapters.tables import MAILS, RETURNS, MssUnit
from mss_sender.core.effects import Fact, bounced, delivery_event
from mss_sender.core.values import Integration, PlannedMail, Return, integration_id
from mss_sender.workers.sending import UNCERTAIN
from mss_sender.workers.sorting import TRIAGE

PAGE = 100


class Decision(BaseModel):
    """What a person decided of an item."""

    outcome: Literal["read", "delivered", "failed", "resend"]


def routes(database: Database, blobs: Blobs) -> APIRouter:
    """Return the service's part of the API."""
    router = APIRouter(prefix="/api/v1/worklists/returns", tags=["worklists"])

    @router.get("")
    async def returns(
        after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE
    ) -> Any:
        """List what waits for a person: returns that nothing explains, and mails whose fate is unknown."""
        async with database.reading() as connection:
            query = select(RETURNS).where(RETURNS.c.state == TRIAGE, RETURNS.c.sequence > after)
            rows = (await connection.execute(query.order_by(RETURNS.c.sequence).limit(limit))).mappings().all()
            unknown = select(MAILS.c.id, MAILS.c.payload).where(MAILS.c.state == UNCERTAIN).order_by(MAILS.c.sequence)
            mails = (await connection.execute(unknown.limit(PAGE))).all() if not after else []
        items = [_return_item(row["id"], row["payload"], row["fetched_at"].isoformat()) for row in rows]
        return {
            "items": [*(_mail_item(payload) for _, payload in mails), *items],
            "next": rows[-1]["sequence"] if len(rows) == limit else None,
        }

    @router.get("/{item}")
    async def one(item: str) -> dict[str, Any]:
        """Return an item whole: the words that came, and the report they are about."""
        async with database.units(MssUnit)() as unit:
            found = await unit.returns.queue.find(item)
            if found is None:
                raise HTTPException(404)
            kept = Return.model_validate_json(found.payload)
            ours = await unit.mails.queue.find(kept.mail_id) if kept.mail_id else None
            work = await unit.integrations.find(integration_id(item))
        raw = await blobs.read(kept.raw)
        mail = PlannedMail.model_validate_json(ours.payload) if ours else None
        integration = Integration.model_validate_json(work.payload) if work else None
        return await asyncio.to_thread(view, item, kept, raw, mail, integration)

    @router.get("/{item}/source")
    async def source(item: str) -> Response:
        """Return the mail as it came, for the person who decides."""
        async with database.reading() as connection:
            payload = (await connection.execute(select(RETURNS.c.payload).where(RETURNS.c.id == item))).scalar()
        if payload is None:
            raise HTTPException(404)
        raw = await blobs.read(Return.model_validate_json(payload).raw)
        return Response(raw, media_type="message/rfc822", headers={"Content-Disposition": "attachment"})

    @router.post("/{item}/resolve")
    async def resolve(item: str, decision: Decision) -> dict[str, str]:
        """Close an item: a return was read; an uncertain mail arrived, did not, or goes again."""
        async with database.units(MssUnit)() as unit:
            found = await unit.mails.queue.find(item)
            if found is not None and found.state == UNCERTAIN and decision.outcome != "read":
                return {"state": await _settle(unit, PlannedMail.model_validate_json(found.payload), decision.outcome)}
            waiting = await unit.returns.queue.find(item)
            if waiting is None or waiting.state != TRIAGE or decision.outcome != "read":
                raise HTTPException(409 if waiting or found else 404)
            await unit.returns.queue.change(item, state="resolved")
            return {"state": "resolved"}

    return router


async def _settle(unit: MssUnit, mail: PlannedMail, outcome: str) -> str:
    if outcome == "resend":
        await unit.mails.queue.change(mail.mail_id, state="due", is_open=True, due_at=unit.now, leased_until=None)
        return "due"
    if outcome == "failed":
        fact = bounced(mail, unit.now, "554", code="mss.failed-by-decision")
    else:
        fact = Fact("delivered", delivery_event(MailDelivered, mail, "delivered", unit.now), "delivered")
    await unit.mails.record(mail.mail_id, fact)
    state = "bounced" if outcome == "failed" else "accepted"
    await unit.mails.queue.change(mail.mail_id, state=state)
    return state


def _return_item(item: str, payload: str, at: str) -> dict[str, Any]:
    kept = Return.model_validate_json(payload)
    return {
        "id": item,
        "kind": kept.kind,
        "at": at,
        "report_id": kept.report_id,
        "mail_id": kept.mail_id,
        "sent_to": kept.sent_to,
    }


def _mail_item(payload: str) -> dict[str, Any]:
    mail = PlannedMail.model_validate_json(payload)
    return {
        "id": mail.mail_id,
        "kind": UNCERTAIN,
        "at": mail.planned_at.isoformat(),
        "report_id": mail.source.report_id,
        "mail_id": mail.mail_id,
    }
