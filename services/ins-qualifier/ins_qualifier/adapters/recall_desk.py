"""The recall list as the API shows it, and how a recall is closed."""

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import HTTPException
from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.desk import cursor, position
from ins_qualifier.adapters.officer import DecisionUnknown, ItemClosed, signed
from ins_qualifier.adapters.tables import OPEN, InsUnit
from labohub.store.database import Database

REPLACED, DELETED, INFORMED, UNFOUNDED = "replaced", "deleted", "informed", "unfounded"
DECISIONS = (REPLACED, DELETED, INFORMED, UNFOUNDED)


class RecallDesk:
    """Reports that left and are wrong, or in doubt: who got what."""

    def __init__(self, database: Database) -> None:
        self._database, self._units = database, database.units(InsUnit)

    async def page(self, state: str, after: str, limit: int) -> views.RecallPage:
        """Return a page of recalls in a state, oldest first."""
        table = tables.recalls
        query = select(table).where(table.c.state == state).order_by(table.c.opened_at, table.c.id).limit(limit + 1)
        if after:
            query = query.where(tuple_(table.c.opened_at, table.c.id) > position(after))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
            items = await self._shown(connection, rows[:limit])
        return views.RecallPage(
            items=items, next=cursor(items[-1].opened_at, items[-1].id) if len(rows) > limit else ""
        )

    async def one(self, item: str) -> views.Recall:
        """Return one recall with its history."""
        table, history = tables.recalls, tables.history
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(table).where(table.c.id == item))).mappings().all()
            if not rows:
                raise HTTPException(404)
            (shown,) = await self._shown(connection, rows)
            query = select(history).where(history.c.item == item).order_by(history.c.id)
            acts = (await connection.execute(query)).mappings().all()
        lines = tuple(views.Act(**{name: act[name] for name in views.Act.model_fields}) for act in acts)
        return shown.model_copy(update={"history": lines})

    async def resolve(self, item: str, act: views.RecallAct) -> views.Resolved:
        """Close a recall with what was done. Raises: DecisionUnknown, ReasonRequired, ItemClosed."""
        if act.decision not in DECISIONS:
            raise DecisionUnknown(f"the decision is not one of: {', '.join(DECISIONS)}")
        signed(act.operator, act.reason)
        table = tables.recalls
        async with self._units() as unit:
            mine = update(table).where(table.c.id == item, table.c.state == OPEN)
            done = await unit.connection.execute(mine.values(state=act.decision, changed_at=unit.now))
            if not done.rowcount:
                known = await unit.connection.execute(select(table.c.id).where(table.c.id == item))
                if known.first() is None:
                    raise HTTPException(404)
                raise ItemClosed("the recall is not open")
            await unit.worklist.note(item, f"recall-{act.decision}", "", act.operator, unit.now, reason=act.reason)
        return views.Resolved(id=item, state=act.decision)

    async def _shown(self, connection: AsyncConnection, rows: Sequence[Any]) -> tuple[views.Recall, ...]:
        table = tables.departures
        ids = [row["message_id"] for row in rows]
        query = select(table).where(table.c.message_id.in_(ids)).order_by(table.c.at, table.c.target)
        left: dict[str, list[views.Departed]] = {}
        for each in (await connection.execute(query)).mappings():
            document = views.Departed(**{name: each[name] for name in views.Departed.model_fields})
            left.setdefault(each["message_id"], []).append(document)
        plain = set(views.Recall.model_fields) - {"reasons", "departures", "history"}
        return tuple(
            views.Recall(
                **{name: row[name] for name in plain},
                reasons=tuple(views.Reason(subject=one, reason=why) for one, why in orjson.loads(row["details"])),
                departures=tuple(left.get(row["message_id"], ())),
            )
            for row in rows
        )
