"""Known identities verified again, in bulk and at a settled pace: the job, its progress, its worker."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from fastapi import HTTPException
from sqlalchemy import BigInteger, func, insert, select, type_coerce, update

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.identities import IdentityBook
from ins_qualifier.adapters.officer import ItemClosed, signed
from ins_qualifier.adapters.recalls import recall_left
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.core.gate import Gate
from ins_qualifier.core.recall import RecallCode
from ins_qualifier.core.record import Cause, Record, moved
from ins_qualifier.ports import InsiVerifier, Verdict
from labohub.contracts.codec import derived_id
from labohub.contracts.values import Identity, IdentityStatus
from labohub.errors import HubError, Misconfigured, Refused
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.store.database import Database
from labohub.store.unit import Units
from labohub.store.work import DUE, NewWork, Work

log = get_logger(__name__)

RUNNING, PAUSED, CANCELLED, DONE = "running", "paused", "cancelled", "done"
SKIPPED = "skipped"  # no longer qualified, or changed while it was asked about
AT_ONCE = 4
LEASE_SECONDS = 120
RETRY_FIRST_SECONDS, RETRY_CAP_SECONDS = 60, 4 * 3600


class VerificationAbsent(Refused):
    """Nobody verifies identities here: it needs INSi's official package. A search in bulk is forbidden."""

    code = "insi.verification-absent"


class Reverifications:
    """The jobs, as the API starts, shows and stops them."""

    def __init__(
        self, database: Database, *, is_available: bool, new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        self._database, self._units = database, database.units(InsUnit)
        self._is_available, self._new_id = is_available, new_id

    async def start(self, order: views.ReverificationOrder) -> views.Reverification:
        """Plan the verification of the qualified identities that nobody verified for so many days.

        Raises: VerificationAbsent, ReasonRequired.
        """
        if not self._is_available:
            raise VerificationAbsent("INSi's verification is not available here")
        signed(order.operator, order.reason)
        table, job = tables.identities, self._new_id()
        async with self._units() as unit:
            query = select(table.c.id).where(
                table.c.status == IdentityStatus.QUALIFIEE.value,
                table.c.blocked == "",
                table.c.merged_into == "",
                table.c.verified_at <= unit.now - timedelta(days=order.older_than_days),
            )
            if order.domain:
                query = query.where(table.c.domain == order.domain)
            ids = (await unit.connection.execute(query.order_by(table.c.verified_at))).scalars().all()
            row = {
                "id": job, "domain": order.domain, "state": RUNNING, "per_second": order.per_second,
                "total": len(ids), "opened_at": unit.now, "changed_at": unit.now,
            }  # fmt: skip
            await unit.connection.execute(insert(tables.jobs).values(**row))
            await unit.verifications.add(
                *(
                    NewWork(
                        id=derived_id("verification", job, identity),
                        lane=identity,
                        payload=identity,
                        due_at=unit.now + timedelta(seconds=number / order.per_second),
                        extra={"job": job},
                    )
                    for number, identity in enumerate(ids)
                )
            )
            await unit.worklist.note(job, "reverification", "", order.operator, unit.now, reason=order.reason)
        return await self.one(job)

    async def page(self) -> views.ReverificationPage:
        """Return all jobs, the latest first."""
        query = select(tables.jobs.c.id).order_by(tables.jobs.c.opened_at.desc())
        async with self._database.reading() as connection:
            ids = (await connection.execute(query)).scalars().all()
        return views.ReverificationPage(items=tuple([await self.one(job) for job in ids]))

    async def one(self, job: str) -> views.Reverification:
        """Return a job and how far it came."""
        table, jobs, history = tables.verifications, tables.jobs, tables.history
        async with self._database.reading() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job))).mappings().first()
            if row is None:
                raise HTTPException(404)
            counted = select(table.c.is_open, table.c.outcome, func.count()).where(table.c.job == job)
            counts = (await connection.execute(counted.group_by(table.c.is_open, table.c.outcome))).all()
            acts = (
                await connection.execute(select(history).where(history.c.item == job).order_by(history.c.id))
            ).mappings()
            lines = tuple(views.Act(**{name: act[name] for name in views.Act.model_fields}) for act in acts)
        waiting = sum(count for is_open, _, count in counts if is_open)
        ended = {outcome: count for is_open, outcome, count in counts if not is_open}
        return views.Reverification(
            **{name: row[name] for name in ("id", "domain", "per_second", "total", "opened_at", "changed_at")},
            state=row["state"] if waiting or row["state"] == CANCELLED else DONE,
            waiting=waiting,
            confirmed=ended.get(Verdict.CONFIRMED.value, 0),
            refuted=ended.get(Verdict.REFUTED.value, 0),
            skipped=ended.get(SKIPPED, 0),
            history=lines,
        )

    async def turn(self, job: str, act: views.PersonAct, state: str) -> views.Reverification:
        """Pause, resume or cancel a job. Raises: ReasonRequired, ItemClosed when it is not in a state for it."""
        signed(act.operator, act.reason)
        jobs, table = tables.jobs, tables.verifications
        came_from = {PAUSED: (RUNNING,), RUNNING: (PAUSED,), CANCELLED: (RUNNING, PAUSED)}[state]
        async with self._units() as unit:
            row = (
                (await unit.connection.execute(select(jobs).where(jobs.c.id == job).with_for_update()))
                .mappings()
                .first()
            )
            if row is None:
                raise HTTPException(404)
            if row["state"] not in came_from:
                raise ItemClosed("the job is not in a state for this")
            mine = update(table).where(table.c.job == job, table.c.is_open)
            if state == PAUSED:
                await unit.connection.execute(mine.values(state=PAUSED))
            elif state == RUNNING:  # what was due while it was paused keeps its distance
                later = (unit.now - row["changed_at"]) // timedelta(microseconds=1)
                due_at = type_coerce(table.c.due_at, BigInteger) + later
                await unit.connection.execute(mine.values(state=DUE, due_at=due_at))
            else:
                await unit.connection.execute(
                    mine.values(state=CANCELLED, is_open=False, outcome=SKIPPED, lease_token="", leased_until=None)
                )
            await unit.connection.execute(update(jobs).where(jobs.c.id == job).values(state=state, changed_at=unit.now))
            await unit.worklist.note(job, f"reverification-{state}", "", act.operator, unit.now, reason=act.reason)
            unit.wakes_workers = True
        return await self.one(job)


class Verifying:
    """The worker: a few identities at once, behind every report of now."""

    def __init__(self, book: IdentityBook, verifier: InsiVerifier, gate: Gate) -> None:
        self._book, self._verifier, self._gate = book, verifier, gate

    async def run(self, units: Units[Any], now: datetime) -> bool:
        """Verify the next due identities. Return False when none is due, or INSi is not called now."""
        if self._gate.closed_until is not None:
            return False
        async with units() as unit:
            works = await unit.verifications.lease_due(AT_ONCE, LEASE_SECONDS, holding=(PAUSED,))
            records = await self._book.rows(unit).find([work.payload for work in works])
        for work in works:
            await self._verify(units, work, records.get(work.payload), now)
        return bool(works)

    async def _verify(self, units: Units[Any], work: Work, record: Record | None, now: datetime) -> None:
        if record is None or record.status is not IdentityStatus.QUALIFIEE or record.ins is None or record.blocked:
            async with units() as unit:
                await unit.verifications.settle(work, DONE, extra={"outcome": SKIPPED})
            return
        try:
            verdict = await self._verifier.verify_one(
                Identity(status=record.status, traits=record.traits, ins=record.ins)
            )
        except HubError as error:
            wait = RETRY_CAP_SECONDS if isinstance(error, Misconfigured) else backoff_seconds(
                work.attempts, first=RETRY_FIRST_SECONDS, cap=RETRY_CAP_SECONDS, fraction=1.0
            )  # fmt: skip
            async with units() as unit:
                due_at = now + timedelta(seconds=wait)
                await unit.verifications.settle(work, DUE, is_open=True, due_at=due_at, error_code=error.code)
            log.warning("identity.verification-waits", code=error.code, attempt=work.attempts)
            return
        async with units() as unit:
            await self._settle(unit, work, record, verdict)

    async def _settle(self, unit: InsUnit, work: Work, asked: Record, verdict: Verdict) -> None:
        rows = self._book.rows(unit)
        record = await rows.hold(asked)
        is_same = (record.ins, record.traits, record.status) == (asked.ins, asked.traits, asked.status)
        outcome = verdict.value if is_same else SKIPPED
        if not await unit.verifications.settle(work, DONE, extra={"outcome": outcome}):
            return  # cancelled, or another worker has it
        if not is_same:
            return
        if verdict is Verdict.CONFIRMED:
            after, change = moved(record, Cause.VERIFIED, source=work.id, verified_at=unit.now)
            await rows.save(after, [change], unit.now)
            return
        after, change = moved(record, Cause.REFUTED, source=work.id)
        await rows.save(after, [change], unit.now)
        await recall_left(unit, record.id, RecallCode.REFUTED, work.id)
        log.warning("identity.refuted", code=RecallCode.REFUTED.value)
