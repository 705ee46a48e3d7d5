"""Work on the outside world: rows that a worker leases, performs with no transaction open, and settles.

A lease has a token. Settling filters on it, so that a slow worker cannot overwrite its successor. Rows of one lane
are handed out one at a time, oldest first: a correction never overtakes what it corrects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from labohub.store.sql import REMEMBERED, insert_ignore
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit

DUE = "due"

_OWN_COLUMNS = frozenset(
    (
        "id",
        "sequence",
        "lane",
        "state",
        "is_open",
        "due_at",
        "attempts",
        "lease_token",
        "leased_until",
        "error_code",
        "traceparent",
        "payload",
        "settled_at",
    )
)


def work_table(name: str, metadata: MetaData, *extra: Column[Any]) -> Table:
    """Return a table of leasable work with the service's extra columns."""
    return Table(
        name,
        metadata,
        Column("sequence", Integer, primary_key=True, autoincrement=True),
        Column("id", String, nullable=False, unique=True),
        Column("lane", String, nullable=False),
        Column("state", String, nullable=False),
        Column("is_open", Boolean, nullable=False),
        Column("due_at", UtcDateTime, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("lease_token", String, nullable=False),
        Column("leased_until", UtcDateTime),
        Column("error_code", String, nullable=False),
        Column("traceparent", String, nullable=False),
        Column("payload", Text, nullable=False),
        Column("settled_at", UtcDateTime),
        *extra,
        Index(f"{name}_open", "is_open", "due_at"),
        Index(f"{name}_lane", "lane", "is_open", "sequence"),
        sqlite_autoincrement=True,
    )


@dataclass(frozen=True, slots=True)
class NewWork:
    """A row to add. The same id again is ignored."""

    id: str
    lane: str
    payload: str  # JSON
    state: str = DUE
    is_open: bool = True
    due_at: datetime | None = None
    error_code: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """A row under lease, or found."""

    id: str
    lane: str
    sequence: int
    state: str
    is_open: bool
    attempts: int  # leases so far, this one included
    lease_token: str
    error_code: str
    payload: str
    traceparent: str
    retaken: bool = False  # a former lease ran out: its worker died or was slow
    extra: Mapping[str, Any] = field(default_factory=dict)


class WorkQueue:
    """The rows of one work table, seen from one unit."""

    def __init__(self, table: Table, unit: Unit) -> None:
        self._table = table
        self._unit = unit

    async def add(self, *rows: NewWork) -> None:
        """Write rows that are not there yet."""
        self._unit.wakes_workers = True
        traceparent = self._unit.traceparent()
        await insert_ignore(
            self._unit.connection,
            self._table,
            [
                {
                    "id": row.id,
                    "lane": row.lane,
                    "state": row.state,
                    "is_open": row.is_open,
                    "due_at": row.due_at or self._unit.now,
                    "attempts": 0,
                    "lease_token": "",
                    "error_code": row.error_code,
                    "traceparent": traceparent,
                    "payload": row.payload,
                    **row.extra,
                }
                for row in rows
            ],
        )

    async def lease_due(self, limit: int, lease_seconds: float, *, holding: tuple[str, ...] = ()) -> list[Work]:
        """Return up to `limit` rows, now ours for `lease_seconds`: the oldest open one of each lane, if it is due.

        Rows in a state of `holding` wait for something else than time and are not handed out.
        """
        table, now = self._table, self._unit.now
        parameters = {"p_now": now, "p_limit": limit}
        rows = (await self._unit.connection.execute(_candidates(table, holding), parameters)).mappings().all()
        if not rows:
            return []
        token = uuid4().hex
        await self._unit.connection.execute(
            _leasing(table),
            {
                "p_sequences": [row["sequence"] for row in rows],
                "p_token": token,
                "p_until": now + timedelta(seconds=lease_seconds),
            },
        )
        return [
            _work(row, token, attempts=row["attempts"] + 1, retaken=row["leased_until"] is not None) for row in rows
        ]

    async def mark(self, work: Work, state: str) -> bool:
        """Change the state under the lease. Return False when the lease was lost."""
        return await self._write(work, {"state": state})

    async def settle(
        self,
        work: Work,
        state: str,
        *,
        is_open: bool = False,
        due_at: datetime | None = None,
        error_code: str = "",
        payload: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> bool:
        """End the lease. Return False when it was lost: nothing is written then.

        `is_open=True` with `due_at` tries again later.
        """
        values: dict[str, Any] = {
            "state": state,
            "is_open": is_open,
            "error_code": error_code,
            "lease_token": "",
            "leased_until": None,
            **(extra or {}),
        }
        if due_at is not None:
            values["due_at"] = due_at
        if payload is not None:
            values["payload"] = payload
        if not is_open:
            values["settled_at"] = self._unit.now
        self._unit.wakes_workers = True  # the lane's next row may go now
        return await self._write(work, values)

    async def change(self, work_id: str, **values: Any) -> bool:
        """Change a row outside any lease, on a receipt or a person's decision. Return False when it is not there."""
        table = self._table
        self._unit.wakes_workers = True
        result = await self._unit.connection.execute(update(table).where(table.c.id == work_id).values(**values))
        return bool(result.rowcount)

    async def find(self, work_id: str) -> Work | None:
        """Return the row of this id."""
        found = await self._unit.connection.execute(_by_id(self._table), {"p_id": work_id})
        row = found.mappings().first()
        return None if row is None else _work(row, row["lease_token"], attempts=row["attempts"], retaken=False)

    async def hold(self, work_id: str) -> Work | None:
        """Return the row of this id as it stands now, kept from other units until ours ends.

        For whoever writes beside a row what its settling reads, or the reverse: without the hold, two units on
        PostgreSQL would each miss what the other writes. SQLite has one writer and needs none.
        """
        found = await self._unit.connection.execute(_by_id_held(self._table), {"p_id": work_id})
        row = found.mappings().first()
        return None if row is None else _work(row, row["lease_token"], attempts=row["attempts"], retaken=False)

    async def count_open(self) -> int:
        """Return how many rows are not ended."""
        query = select(func.count()).select_from(self._table).where(self._table.c.is_open)
        return int((await self._unit.connection.execute(query)).scalar_one())

    async def _write(self, work: Work, values: dict[str, Any]) -> bool:
        self._unit.settled_traceparent = work.traceparent
        result = await self._unit.connection.execute(
            _writing(self._table, tuple(values)), {"p_id": work.id, "p_token": work.lease_token, **values}
        )
        return bool(result.rowcount)


# A statement is composed once for a table, then only filled: composing costs more than running.


@lru_cache(REMEMBERED)
def _candidates(table: Table, holding: tuple[str, ...]) -> Any:
    """Return the query of the oldest open row of each lane that is due and free."""
    now, earlier = bindparam("p_now", type_=table.c.due_at.type), table.alias("earlier")
    query = (
        select(table)
        .where(
            table.c.is_open,
            table.c.due_at <= now,
            or_(table.c.leased_until.is_(None), table.c.leased_until <= now),
            ~exists().where(
                and_(earlier.c.lane == table.c.lane, earlier.c.is_open, earlier.c.sequence < table.c.sequence)
            ),
        )
        .order_by(table.c.sequence)
        .limit(bindparam("p_limit", type_=Integer))
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer and ignores it
    )
    return query.where(table.c.state.not_in(holding)) if holding else query


@lru_cache(REMEMBERED)
def _leasing(table: Table) -> Any:
    return (
        update(table)
        .where(table.c.sequence.in_(bindparam("p_sequences", expanding=True)))
        .values(lease_token=bindparam("p_token"), leased_until=bindparam("p_until"), attempts=table.c.attempts + 1)
    )


@lru_cache(REMEMBERED)
def _by_id(table: Table) -> Any:
    return select(table).where(table.c.id == bindparam("p_id"))


@lru_cache(REMEMBERED)
def _by_id_held(table: Table) -> Any:
    return select(table).where(table.c.id == bindparam("p_id")).with_for_update()


@lru_cache(REMEMBERED)
def _writing(table: Table, names: tuple[str, ...]) -> Any:
    """Return the update of these columns, under the lease."""
    mine = and_(table.c.id == bindparam("p_id"), table.c.lease_token == bindparam("p_token"))
    return update(table).where(mine).values({name: bindparam(name) for name in names})


def _work(row: Any, token: str, *, attempts: int, retaken: bool) -> Work:
    return Work(
        id=row["id"],
        lane=row["lane"],
        sequence=row["sequence"],
        state=row["state"],
        is_open=row["is_open"],
        attempts=attempts,
        lease_token=token,
        error_code=row["error_code"],
        payload=row["payload"],
        traceparent=row["traceparent"],
        retaken=retaken,
        extra={name: value for name, value in row.items() if name not in _OWN_COLUMNS},
    )
