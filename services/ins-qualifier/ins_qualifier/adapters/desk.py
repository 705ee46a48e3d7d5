"""What the identity officer sees: reports that wait, and why."""

from contextlib import suppress
from datetime import datetime

from fastapi import HTTPException
from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.identities import IdentityBook
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.core.check import Check
from ins_qualifier.core.gate import Gate
from ins_qualifier.core.local import check_patient
from ins_qualifier.core.masking import masked, revealed
from labohub.contracts.values import BlobRef
from labohub.errors import Refused
from labohub.runtime.clock import Clock
from labohub.standards.ins import traits
from labohub.standards.ins.insi_answer import FOUND, Answer, Individual, read_answer
from labohub.store.blobs import Blobs
from labohub.store.database import Database
from labohub.store.types import UtcDateTime


class Desk:
    """The worklist and the queue, as the API shows them."""

    def __init__(self, database: Database, blobs: Blobs, book: IdentityBook, clock: Clock) -> None:
        self._database, self._blobs, self._book, self._clock = database, blobs, book, clock
        self._units = database.units(InsUnit)

    async def page(self, state: str, after: str, limit: int) -> views.Page:
        """Return a page of items in a state."""
        table, checks = tables.worklist, tables.checks
        query = (
            select(table, checks.c.payload)
            .join(checks, checks.c.id == table.c.id)
            .where(table.c.state == state)
            .order_by(table.c.opened_at, table.c.id)
            .limit(limit + 1)
        )
        if after:
            query = query.where(tuple_(table.c.opened_at, table.c.id) > position(after))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        items = tuple(views.item_of(row, row["payload"], reveal=False) for row in rows[:limit])
        return views.Page(items=items, next=cursor(items[-1].opened_at, items[-1].id) if len(rows) > limit else "")

    async def detail(self, item: str, *, reveal: bool, operator: str) -> views.ItemDetail:
        """Return one item; a look at the traits themselves is written into its history."""
        table, checks, calls, history = tables.worklist, tables.checks, tables.calls, tables.history
        async with self._database.reading() as connection:
            query = (
                select(table, checks.c.payload, checks.c.identity)
                .join(checks, checks.c.id == table.c.id)
                .where(table.c.id == item)
            )
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                raise HTTPException(404)
            if reveal:
                async with self._units() as unit:
                    await unit.worklist.note(item, "revealed", "", operator, unit.now)
            query = select(calls).where(calls.c.check_id == item).order_by(calls.c.called_at)
            asked = (await connection.execute(query)).mappings().all()
            query = select(history).where(history.c.item == item).order_by(history.c.id)
            acts = (await connection.execute(query)).mappings().all()
            others = await self._others(connection, row["identity"], reveal=reveal)
        individual = await self.proposal(item, row["payload"])
        shown = views.item_of(row, row["payload"], reveal=reveal)
        return views.ItemDetail(
            **dict(shown),
            identity=row["identity"],
            others=others,
            proposal=views.proposal_of(individual, reveal=reveal) if individual else None,
            comparison=_comparison(Check.model_validate_json(row["payload"]), individual) if individual else {},
            history=tuple(views.Act(**{name: act[name] for name in views.Act.model_fields}) for act in acts),
            calls=tuple(views.CallLine(**{name: call[name] for name in views.CallLine.model_fields}) for call in asked),
        )

    async def queue(self, gate: Gate) -> views.Queue:
        """Return how the stage stands."""
        checks = tables.checks
        query = (
            select(checks.c.state, func.count(), func.min(checks.c.sequence))
            .where(checks.c.is_open)
            .group_by(checks.c.state)
        )
        async with self._database.reading() as connection:
            states = {state: (count, first) for state, count, first in (await connection.execute(query)).all()}
            oldest = None
            if states:
                first = min(first for _, first in states.values())
                payload = select(checks.c.payload).where(checks.c.sequence == first)
                oldest = Check.model_validate_json((await connection.execute(payload)).scalar_one()).planned_at
        return views.Queue(
            due=states.get("due", (0, 0))[0],
            waiting=states.get("waiting", (0, 0))[0],
            oldest_at=oldest,
            oldest_seconds=(self._clock() - oldest).total_seconds() if oldest else 0.0,
            insi=gate.code or "open",
            retry_at=gate.closed_until,
        )

    async def proposal(self, item: str, payload: str) -> Individual | None:
        """Return INSi's identity in the last answer about an item, or in the one it took over."""
        calls = tables.calls
        query = select(calls.c.answer).where(calls.c.check_id == item, calls.c.outcome == FOUND, calls.c.answer != "")
        async with self._database.reading() as connection:
            answers = (await connection.execute(query.order_by(calls.c.called_at))).scalars().all()
            plan = await self._book.plan_of(connection, Check.model_validate_json(payload))
        if answers:
            return await self._individual(BlobRef.model_validate_json(answers[-1]))
        return await self._individual(plan.answer) if plan is not None and plan.codes[-1:] == (FOUND,) else None

    async def _others(self, connection: AsyncConnection, identity: str, *, reveal: bool) -> tuple[views.Other, ...]:
        """Return the local patients who stand in this one's way, to be compared with him."""
        rows = self._book.rows_of(connection)
        found = await rows.find(await rows.colliding_with(identity) - {identity})
        show = revealed if reveal else masked
        return tuple(
            views.Other(identity=each.id, status=each.status.value, traits=show(each.traits)) for each in found.values()
        )

    async def _individual(self, answer: BlobRef) -> Individual | None:
        with suppress(Refused):  # an answer that was erased or cannot be read gives no proposal
            read = read_answer(await self._blobs.read(answer))
            return read.individual if isinstance(read, Answer) else None
        return None


def _comparison(check: Check, individual: Individual) -> dict[str, str]:
    local = check_patient(check.event.report.patient, environment="")
    return {one.trait: one.likeness.value for one in traits.compare(local.traits, individual.traits)}


def cursor(opened_at: datetime, item: str) -> str:
    """Return where a page ends."""
    stored = UtcDateTime().process_bind_param(opened_at, None)
    return f"{stored}.{item}"


def position(text: str) -> tuple[object, str]:
    """Return the row that a page ended with."""
    micros, _, item = text.partition(".")
    if not micros.isdigit():
        raise HTTPException(422)
    return UtcDateTime().process_result_value(int(micros), None), item
