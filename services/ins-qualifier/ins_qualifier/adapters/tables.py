"""The service's state: checks, worklist with its history, traces of the calls."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

import orjson
from prometheus_client import Counter
from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ins_qualifier.adapters.calls import CallTable, call_table
from ins_qualifier.adapters.identity_tables import identity_tables
from ins_qualifier.core.check import Check, again
from ins_qualifier.core.decision import Decision, Finding
from ins_qualifier.core.local import Detail
from ins_qualifier.ports import Departure, Later
from labohub.contracts.values import Report
from labohub.store.sql import insert_ignore
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit
from labohub.store.work import Work, WorkQueue, work_table

metadata = MetaData()
# `identity` is the local patient whom the check is about
checks = work_table(
    "identity_checks", metadata, Column("identity", String, nullable=False, server_default="", index=True)
)
identities, identity_changes, numbers, denials, collisions, plans, departures, recalls = identity_tables(metadata)
verifications = work_table(
    "identity_verifications",
    metadata,
    Column("job", String, nullable=False, index=True),
    Column("outcome", String, nullable=False, server_default=""),
)
jobs = Table(
    "reverification_jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("domain", String, nullable=False),  # empty: all
    Column("state", String, nullable=False),  # running, paused, cancelled
    Column("per_second", Float, nullable=False),
    Column("total", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
worklist = Table(
    "identity_worklist",
    metadata,
    Column("id", String, primary_key=True),  # the check's
    Column("report_id", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("control_id", String, nullable=False),
    Column("sender_application", String, nullable=False),
    Column("sender_facility", String, nullable=False),
    Column("code", String, nullable=False),
    Column("status", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("details", Text, nullable=False),  # JSON list of [subject, reason]; no value of a trait
    Column("state", String, nullable=False),  # open, checking, qualified, superseded, rejected
    Column("opened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("identity_worklist_state", "state", "opened_at"),
)
history = Table(
    "identity_history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("item", String, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("act", String, nullable=False),
    Column("code", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # a person's own words
    sqlite_autoincrement=True,
)
calls = call_table(metadata)

DECISIONS = Counter("ins_qualifier_decisions_total", "Identities decided, by code.", ["code"])

OPEN = "open"
CHECKING = "checking"
REJECTED = "rejected"  # a person decided that the report does not leave
SUPERSEDED = "superseded"  # a later message of the report was qualified
SERVICE = "ins-qualifier"
_IN_THE_WAY = (Finding.COLLISION.value, Finding.REFUTED.value)


# Composed once, filled for every check.
_CLOSING = (
    update(worklist)
    .where(worklist.c.id == bindparam("p_item"), worklist.c.state != bindparam("state"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)


class WorklistTable:
    """The worklist, seen from one unit."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(
        self, item: str, report: Report, decision: Decision, details: Sequence[Detail], now: datetime
    ) -> None:
        """Open the item of a check, or open it again with new reasons."""
        reasons = orjson.dumps([[detail.subject, detail.reason] for detail in details]).decode()
        changing = {
            "code": decision.code,
            "status": decision.status.value,
            "priority": decision.priority.value,
            "details": reasons,
            "state": OPEN,
            "changed_at": now,
        }
        row = {
            "id": item,
            "report_id": report.report_id,
            "message_id": report.message_id,
            "control_id": report.control_id,
            "sender_application": report.sender.application,
            "sender_facility": report.sender.facility,
            "opened_at": now,
            **changing,
        }
        await insert_ignore(self._connection, worklist, [row])
        await self._connection.execute(update(worklist).where(worklist.c.id == item).values(**changing))
        await self.note(item, "opened", decision.code, SERVICE, now)
        DECISIONS.labels(decision.code).inc()

    async def close(self, item: str, state: str, now: datetime) -> None:
        """Close the item, if there is one."""
        DECISIONS.labels(state).inc()
        changed = await self._connection.execute(_CLOSING, {"p_item": item, "state": state, "changed_at": now})
        if changed.rowcount:
            await self.note(item, "closed", state, SERVICE, now)

    async def note(self, item: str, act: str, code: str, actor: str, now: datetime, *, reason: str = "") -> None:
        """Write a line of history."""
        line = {"item": item, "at": now, "act": act, "code": code, "actor": actor, "reason": reason}
        await self._connection.execute(insert(history).values(**line))

    async def state_of(self, item: str) -> str:
        """Return an item's state; empty when there is none."""
        found = await self._connection.execute(select(worklist.c.state).where(worklist.c.id == item))
        return found.scalar_one_or_none() or ""

    async def check_again(self, item: str, now: datetime) -> None:
        """Let the item wait for another check, if it is open."""
        mine = update(worklist).where(worklist.c.id == item, worklist.c.state == OPEN)
        await self._connection.execute(mine.values(state=CHECKING, changed_at=now))

    async def set_state(self, item: str, state: str, now: datetime) -> None:
        """Change an item's state."""
        await self._connection.execute(
            update(worklist).where(worklist.c.id == item).values(state=state, changed_at=now)
        )


class InsUnit(Unit):
    """A unit of work of this service."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.checks = WorkQueue(checks, self)
        self.worklist = WorklistTable(connection)
        self.calls = CallTable(connection, calls)
        self.verifications = WorkQueue(verifications, self)

    async def release_waiting(self) -> None:
        """Make every check that waits for INSi due now."""
        self.wakes_workers = True
        await self.connection.execute(
            update(checks)
            .where(checks.c.state == "waiting", checks.c.is_open, checks.c.due_at > self.now)
            .values(due_at=self.now)
        )

    async def start_again(self, check_id: str, check: Check, identity: str = "") -> None:
        """Make a check due with this content; whoever works on it has lost it."""
        await self.checks.change(
            check_id,
            **({"identity": identity} if identity else {}),
            state="due",
            is_open=True,
            due_at=self.now,
            attempts=0,
            error_code="",
            settled_at=None,
            lease_token="",
            leased_until=None,
            payload=check.model_dump_json(),
        )

    async def resume(self, identities: Collection[str]) -> None:
        """Check the reports again that wait for what stood in the way of these local patients."""
        mine = (worklist.c.state == OPEN, worklist.c.code.in_(_IN_THE_WAY), checks.c.identity.in_(list(identities)))
        query = select(checks.c.id, checks.c.payload).join(worklist, worklist.c.id == checks.c.id).where(*mine)
        for row in (await self.connection.execute(query.order_by(checks.c.sequence))).all():
            later = await self.hold_report(row.id)
            if later.qualified:
                await self.worklist.set_state(row.id, SUPERSEDED, self.now)
                await self.worklist.note(row.id, SUPERSEDED, "", SERVICE, self.now)
                continue
            await self.start_again(row.id, again(Check.model_validate_json(row.payload), self.now))
            await self.worklist.check_again(row.id, self.now)
            await self.worklist.note(row.id, "resumed", "", SERVICE, self.now)

    async def still_leased(self, works: Sequence[Work]) -> set[str]:
        """Return which of these are ours still; they stay so until the unit ends."""
        tokens = {work.id: work.lease_token for work in works}
        query = select(checks.c.id, checks.c.lease_token).where(checks.c.id.in_(tokens)).with_for_update()
        rows = (await self.connection.execute(query.order_by(checks.c.sequence))).all()
        return {row.id for row in rows if row.lease_token == tokens[row.id]}

    async def departed(self, departure: Departure) -> None:
        """Keep that a document left, and to whom."""
        await insert_ignore(self.connection, departures, [{**asdict(departure), "at": self.now}])

    async def hold_report(self, check_id: str) -> Later:
        """Return what became of the later messages of a check's report; all its checks are ours until the unit ends.

        Two persons who decide at once, or a person and a worker that takes the next message, come one after another.
        """
        mine = select(checks.c.lane).where(checks.c.id == check_id).scalar_subquery()
        query = select(checks).where(checks.c.lane == mine).order_by(checks.c.sequence).with_for_update()
        rows = (await self.connection.execute(query)).mappings().all()
        own = next((row["sequence"] for row in rows if row["id"] == check_id), 0)
        later = [row for row in rows if row["sequence"] > own]
        return Later(
            qualified=any(row["state"] == "qualified" for row in later),
            under_way=any(
                row["is_open"] and row["leased_until"] is not None and row["leased_until"] > self.now for row in later
            ),
        )
