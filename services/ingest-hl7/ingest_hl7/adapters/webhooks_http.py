"""`GET /api/v1/webhooks/deliveries`: what was told to whom, and what was not."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import select, update

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Caller, Scope
from ingest_hl7.adapters.tables import TableUnit, webhooks
from ingest_hl7.core.registry import Registry
from labohub.runtime.http import problem
from labohub.store.database import Database

PAGE = 100


def webhook_routes(access: Access, registry: Registry, database: Database) -> APIRouter:
    """Return the routes of the deliveries."""
    router = APIRouter(prefix="/api/v1/webhooks/deliveries", tags=["webhooks"])

    @router.get("", response_model=None)
    async def deliveries(
        request: Request,
        state: Literal["", "due", "delivered", "gone", "dead"] = "",
        report_id: Annotated[str, Query(max_length=64)] = "",
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Response | dict[str, Any]:
        """List deliveries, oldest first; `next` is the next page's `after`."""
        caller = await access.admit(request, Scope.READ)
        if isinstance(caller, Response):
            return caller
        query = select(webhooks).where(webhooks.c.sequence > after).order_by(webhooks.c.sequence).limit(limit)
        if state:
            query = query.where(webhooks.c.state == state)
        if report_id:
            query = query.where(webhooks.c.report_id == report_id)
        if caller.senders:
            query = query.where(webhooks.c.sender.in_(_labels(registry, caller)))
        async with database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        following = rows[-1]["sequence"] if len(rows) == limit else None
        return {"items": [_item(dict(row)) for row in rows], "next": following}

    @router.post("/{delivery_id}/retry", response_model=None)
    async def retry(request: Request, delivery_id: Annotated[str, Path(max_length=64)]) -> Response | dict[str, str]:
        """Try again, from now on, what was given up."""
        caller = await access.admit(request, Scope.EVENTS)
        if isinstance(caller, Response):
            return caller
        async with database.units(TableUnit)() as unit:
            found = await unit.webhooks.hold(delivery_id)
            if found is None or (caller.senders and found.extra["sender"] not in _labels(registry, caller)):
                return problem(404, "webhook.delivery-unknown", "no such delivery")
            if found.is_open or found.state == "delivered":
                return problem(409, "webhook.not-given-up", "this delivery is not given up")
            again = update(webhooks).where(webhooks.c.id == delivery_id)
            await unit.connection.execute(again.values(created_at=unit.now, attempts=0, settled_at=None))
            await unit.webhooks.change(delivery_id, state="due", is_open=True, due_at=unit.now)
        return {"id": delivery_id, "state": "due"}

    return router


def _labels(registry: Registry, caller: Caller) -> list[str]:
    entries = registry.senders
    return [s.label for s in entries if any(caller.may_speak_for(each.application, each.facility) for each in s.names)]


def _item(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "sender": row["sender"],
        "endpoint": row["endpoint"],
        "type": row["kind"],
        "report_id": row["report_id"],
        "message_id": row["message_id"],
        "state": row["state"],
        "attempts": row["attempts"],
        "status": row["status"],
        "code": row["error_code"],
        "created_at": row["created_at"].isoformat(),
        "settled_at": row["settled_at"].isoformat() if row["settled_at"] else None,
    }
