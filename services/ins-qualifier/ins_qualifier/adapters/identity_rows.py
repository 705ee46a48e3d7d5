"""The identity store's rows, seen from one connection. Traits and matricules leave it sealed."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ins_qualifier.adapters import tables
from ins_qualifier.core.plans import Plan
from ins_qualifier.core.record import Change, Record
from labohub.contracts.codec import derived_id
from labohub.contracts.values import BlobRef, IdentityStatus, Ins, Traits, Value
from labohub.store.blobs.cipher import Cipher
from labohub.store.sql import insert_ignore, upsert

OPEN, CLOSED = "open", "closed"

# Composed once, filled for every check.
_HELD = select(tables.identities).where(tables.identities.c.id == bindparam("p_id")).with_for_update()
_CLAIMED = select(tables.numbers.c.identity).where(
    tables.numbers.c.scope == bindparam("p_scope"), tables.numbers.c.number == bindparam("p_number")
)
_NEW_CHANGE = insert(tables.identity_changes)


class Sealed(Value):
    """What nobody reads without the key."""

    traits: Traits
    ins: Ins | None


class IdentityRows:
    """Identities, their history, who has which matricule, plans."""

    def __init__(self, connection: AsyncConnection, cipher: Cipher) -> None:
        self._connection, self._cipher = connection, cipher

    async def find(self, ids: Iterable[str]) -> dict[str, Record]:
        """Return the identities of these keys that are there."""
        table = tables.identities
        rows = await self._connection.execute(select(table).where(table.c.id.in_(list(ids))))
        return {row["id"]: self._record(row) for row in rows.mappings()}

    async def merged(self, ids: Collection[str]) -> dict[str, str]:
        """Return into which records these were merged."""
        table = tables.identities
        query = select(table.c.id, table.c.merged_into).where(table.c.id.in_(ids), table.c.merged_into != "")
        return {row.id: row.merged_into for row in await self._connection.execute(query)}

    async def hold(self, new: Record) -> Record:
        """Return the identity of this key, kept from other units until ours ends; `new` when there is none."""
        if self._connection.dialect.name == "postgresql":  # an empty row to lock; SQLite has one writer
            await insert_ignore(self._connection, tables.identities, [self._row(new, new.told_at or _EPOCH)])
        row = (await self._connection.execute(_HELD, {"p_id": new.id})).mappings().first()
        return new if row is None or not row["version"] else self._record(row)

    async def save(self, record: Record, changes: Iterable[Change], now: datetime) -> None:
        """Write an identity and the lines of its history."""
        await upsert(self._connection, tables.identities, [self._row(record, now)])
        lines = [{"identity": record.id, "at": now, **_line(change)} for change in changes]
        if lines:
            await self._connection.execute(_NEW_CHANGE, lines)

    async def owners(self, claims: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return who has these matricules, by scope and key."""
        if not claims:
            return {}
        table = tables.numbers
        query = select(table).where(table.c.number.in_({number for _, number in claims}))
        rows = (await self._connection.execute(query)).mappings()
        found = {(row["scope"], row["number"]): row["identity"] for row in rows}
        return {claim: found[claim] for claim in claims if claim in found}

    async def numbers_of(self, identity: str) -> set[str]:
        """Return the keys of the matricules that a local patient has or had."""
        table = tables.numbers
        rows = await self._connection.execute(select(table.c.number).where(table.c.identity == identity))
        return set(rows.scalars())

    async def claim(self, scope: str, number: str, identity: str) -> str:
        """Return who has a matricule: this local patient, if nobody had it before."""
        table = tables.numbers
        row = {"scope": scope, "number": number, "identity": identity}
        await insert_ignore(self._connection, table, [row])
        owner = await self._connection.execute(_CLAIMED, {"p_scope": scope, "p_number": number})
        return str(owner.scalar_one())

    async def release(self, identity: str, numbers: Collection[str] | None = None) -> None:
        """Let go of a local patient's matricules; of these only, when they are named."""
        table = tables.numbers
        query = delete(table).where(table.c.identity == identity)
        await self._connection.execute(query if numbers is None else query.where(table.c.number.in_(numbers)))

    async def deny(self, identity: str, numbers: Collection[str]) -> None:
        """Keep that these matricules are not this local patient's, whoever says so again."""
        rows = [{"identity": identity, "number": number} for number in numbers]
        await insert_ignore(self._connection, tables.denials, rows)

    async def denied(self, identity: str) -> set[str]:
        """Return the keys of the matricules that a person said are not this local patient's."""
        table = tables.denials
        rows = await self._connection.execute(select(table.c.number).where(table.c.identity == identity))
        return set(rows.scalars())

    async def forget_denials(self, identity: str) -> None:
        """Let a local patient be asked about as if nobody had said anything."""
        table = tables.denials
        await self._connection.execute(delete(table).where(table.c.identity == identity))

    async def hand_over(self, identity: str, to: str) -> None:
        """Give a local patient's matricules to the record that survives it."""
        table = tables.numbers
        await self._connection.execute(update(table).where(table.c.identity == identity).values(identity=to))

    async def kin(self, identity: str) -> set[str]:
        """Return a record and all that were merged into it."""
        table = tables.identities
        query = select(table.c.id).where(table.c.merged_into == identity)
        return {identity, *(await self._connection.execute(query)).scalars()}

    async def redirect(self, identity: str, to: str) -> None:
        """Let what was merged into a record follow it into the one that survives it."""
        table = tables.identities
        await self._connection.execute(
            update(table).where(table.c.merged_into == identity, table.c.id != to).values(merged_into=to)
        )

    async def open_collision(self, one: str, other: str, now: datetime) -> None:
        """Keep that two local patients, or one with himself, stand in each other's way."""
        table, pair = tables.collisions, derived_id("collision", *sorted((one, other)))
        row = {"id": pair, "one": one, "other": other, "state": OPEN, "opened_at": now}
        await insert_ignore(self._connection, table, [row])
        mine = update(table).where(table.c.id == pair)
        await self._connection.execute(mine.values(state=OPEN, closed_at=None))

    async def close_collisions(self, identity: str, now: datetime) -> set[str]:
        """End a local patient's collisions. Return who stood in them and stands in none any more, himself included."""
        table = tables.collisions
        mine = (or_(table.c.one == identity, table.c.other == identity), table.c.state == OPEN)
        freed = {identity, *(await self.colliding_with(identity))}
        await self._connection.execute(update(table).where(*mine).values(state=CLOSED, closed_at=now))
        rows = await self._connection.execute(
            select(table.c.one, table.c.other).where(
                table.c.state == OPEN, or_(table.c.one.in_(freed), table.c.other.in_(freed))
            )
        )
        return freed - {each for row in rows for each in row}

    async def colliding_with(self, identity: str) -> set[str]:
        """Return who stands in a local patient's way."""
        table = tables.collisions
        mine = or_(table.c.one == identity, table.c.other == identity)
        query = select(table.c.one, table.c.other).where(mine, table.c.state == OPEN)
        return {each for row in await self._connection.execute(query) for each in row}

    async def plans(self, ids: Collection[str]) -> dict[str, Plan]:
        """Return the plans of these keys that are there."""
        table = tables.plans
        rows = (await self._connection.execute(select(table).where(table.c.id.in_(ids)))).mappings()
        return {row["id"]: _plan(row) for row in rows}

    async def keep_plan(self, plan: Plan) -> None:
        """Keep a plan's answers, in place of older ones."""
        row = {
            "id": plan.id, "ended_at": plan.ended_at, "codes": " ".join(plan.codes), "call": plan.call,
            "answer": plan.answer.model_dump_json(),
        }  # fmt: skip
        await upsert(self._connection, tables.plans, [row])

    def _row(self, record: Record, now: datetime) -> dict[str, Any]:
        sealed = Sealed(traits=record.traits, ins=record.ins).model_dump_json().encode()
        return {
            **{name: getattr(record, name) for name in _PLAIN},
            "status": record.status.value,
            "attributes": " ".join(record.attributes),
            "changed_at": now,
            "sealed": self._cipher.seal(record.id, sealed),
        }

    def _record(self, row: Mapping[Any, Any]) -> Record:
        sealed = Sealed.model_validate_json(self._cipher.unseal(row["id"], row["sealed"]))
        return Record(
            **{name: row[name] for name in _PLAIN},
            status=IdentityStatus(row["status"]),
            attributes=tuple(row["attributes"].split()),
            traits=sealed.traits,
            ins=sealed.ins,
        )


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_PLAIN = (
    "id", "domain", "scope", "evidence", "evidence_at", "linked", "blocked", "merged_into", "check_id", "told_at",
    "verified_at", "version",
)  # fmt: skip


def _line(change: Change) -> dict[str, Any]:
    return {**change._asdict(), "cause": change.cause.value, "before": change.before.value, "after": change.after.value}


def _plan(row: Mapping[Any, Any]) -> Plan:
    answer = BlobRef.model_validate_json(row["answer"])
    return Plan(row["id"], row["ended_at"], tuple(row["codes"].split()), row["call"], answer)
