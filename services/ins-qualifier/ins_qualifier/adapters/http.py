"""The identity worklist over HTTP. No patient data in any address."""

from contextlib import suppress

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import func, select, tuple_

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.core.check import Check, again
from ins_qualifier.core.decision import Finding
from ins_qualifier.core.gate import Gate
from ins_qualifier.core.local import check_patient
from labohub.contracts.values import BlobRef
from labohub.errors import Refused
from labohub.standards.ins import traits
from labohub.standards.ins.insi_answer import FOUND, Answer, Individual, read_answer
from labohub.store.blobs import Blobs
from labohub.store.database import Database
from labohub.store.types import UtcDateTime

DECISIONS = RETRY, ACKNOWLEDGE = "retry", "acknowledge"


class DecisionUnknown(Refused):
    """An item is checked again (`retry`): the correction itself comes from the laboratory's system.

    One whose report had left is dealt with by its people (`acknowledge`); checking it again would send nothing.
    """

    code = "worklist.decision-unknown"


class ItemClosed(Refused):
    """The item is not open: it is being checked, or was decided."""

    code = "worklist.item-closed"


class ItemSuperseded(Refused):
    """A later message of the same report went out: sending this one would undo it."""

    code = "worklist.superseded"


class ItemBusy(Refused):
    """A later message of the same report is being checked: decide again in a moment."""

    code = "worklist.item-busy"


def router(desk: "Desk", gate: Gate) -> APIRouter:
    """Return the routes of the worklist."""
    routes = APIRouter(prefix="/api/v1", tags=["identity"])

    @routes.get("/worklists/identity")
    async def worklist(state: str = tables.OPEN, after: str = "", limit: int = Query(50, ge=1, le=500)) -> views.Page:
        """Return what waits, oldest first."""
        return await desk.page(state, after, limit)

    @routes.get("/worklists/identity/{item}")
    async def one(item: str, reveal: bool = False, operator: str = "") -> views.ItemDetail:
        """Return one item with what INSi proposes. `reveal` shows the traits, and is written down."""
        return await desk.detail(item, reveal=reveal, operator=operator)

    @routes.post("/worklists/identity/{item}/resolve", status_code=202)
    async def resolve(item: str, resolution: views.Resolution) -> views.Resolved:
        """Ask for another check, e.g. after the source corrected itself or INSi came back."""
        return await desk.resolve(item, resolution)

    @routes.get("/identity/queue")
    async def queue() -> views.Queue:
        """Return how many reports wait for INSi, since when and why."""
        return await desk.queue(gate)

    return routes


class Desk:
    """What the identity officer can see and do."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs
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
            query = query.where(tuple_(table.c.opened_at, table.c.id) > _position(after))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        items = tuple(views.item_of(row, row["payload"], reveal=False) for row in rows[:limit])
        return views.Page(items=items, next=_cursor(items[-1]) if len(rows) > limit else "")

    async def detail(self, item: str, *, reveal: bool, operator: str) -> views.ItemDetail:
        """Return one item; a look at the traits themselves is written into its history."""
        table, checks, calls, history = tables.worklist, tables.checks, tables.calls, tables.history
        async with self._database.reading() as connection:
            query = select(table, checks.c.payload).join(checks, checks.c.id == table.c.id).where(table.c.id == item)
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
        answers = [call["answer"] for call in asked if call["outcome"] == FOUND and call["answer"]]
        individual = await self._individual(BlobRef.model_validate_json(answers[-1])) if answers else None
        shown = views.item_of(row, row["payload"], reveal=reveal)
        return views.ItemDetail(
            **dict(shown),
            proposal=views.proposal_of(individual, reveal=reveal) if individual else None,
            comparison=_comparison(Check.model_validate_json(row["payload"]), individual) if individual else {},
            history=tuple(views.Act(**{name: act[name] for name in views.Act.model_fields}) for act in acts),
            calls=tuple(views.CallLine(**{name: call[name] for name in views.CallLine.model_fields}) for call in asked),
        )

    async def resolve(self, item: str, resolution: views.Resolution) -> views.Resolved:
        """Plan another round of a check, or close a recall.

        Raises: DecisionUnknown, ItemClosed, ItemBusy, ItemSuperseded.
        """
        if resolution.decision not in DECISIONS:
            raise DecisionUnknown(f"the decision is not one of: {', '.join(DECISIONS)}")
        async with self._units() as unit:
            later = await unit.hold_report(item)
            query = select(tables.worklist.c.state, tables.worklist.c.code).where(tables.worklist.c.id == item)
            row = (await unit.connection.execute(query)).first()
            work = await unit.checks.find(item)
            if row is None or work is None:
                raise HTTPException(404)
            possible = ACKNOWLEDGE if row.code == Finding.CHANGED_AFTER else RETRY
            if resolution.decision != possible:
                raise DecisionUnknown(f"the decision on this item is not one of: {possible}")
            if row.state != tables.OPEN:
                raise ItemClosed("the item is not open")
            if possible == ACKNOWLEDGE:
                await unit.worklist.set_state(item, tables.ACKNOWLEDGED, unit.now)
                await unit.worklist.note(item, possible, "", resolution.operator, unit.now)
                return views.Resolved(id=item, state=tables.ACKNOWLEDGED)
            if later.under_way:
                raise ItemBusy("a later message of this report is being checked")
            superseded = later.qualified
            state = "superseded" if superseded else tables.CHECKING
            await unit.worklist.set_state(item, state, unit.now)
            await unit.worklist.note(item, state if superseded else RETRY, "", resolution.operator, unit.now)
            if not superseded:
                await unit.start_again(item, again(Check.model_validate_json(work.payload), unit.now))
        if superseded:
            raise ItemSuperseded("a later message of this report was qualified")
        return views.Resolved(id=item, state=state)

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
            insi=gate.code or "open",
            retry_at=gate.closed_until,
        )

    async def _individual(self, answer: BlobRef) -> Individual | None:
        with suppress(Refused):  # an answer that was erased or cannot be read gives no proposal
            read = read_answer(await self._blobs.read(answer))
            return read.individual if isinstance(read, Answer) else None
        return None


def _comparison(check: Check, individual: Individual) -> dict[str, str]:
    local = check_patient(check.event.report.patient, environment="")
    return {one.trait: one.likeness.value for one in traits.compare(local.traits, individual.traits)}


def _cursor(item: views.Item) -> str:
    stored = UtcDateTime().process_bind_param(item.opened_at, None)
    return f"{stored}.{item.id}"


def _position(cursor: str) -> tuple[object, str]:
    micros, _, item = cursor.partition(".")
    if not micros.isdigit():
        raise HTTPException(422)
    return UtcDateTime().process_result_value(int(micros), None), item
