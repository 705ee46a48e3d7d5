"""The few statements that the two engines spell differently.

A statement is composed once for a table and its columns, then only filled: composing costs more than running.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

REMEMBERED = 512  # statements: some per table of the process


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return `column IN (…)`, whose values are given at each run as the list `name`: the statement is composed once."""
    return column.in_(bindparam(name, expanding=True))


async def insert_ignore(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key already exists are left as they are."""
    if rows:
        await connection.execute(_ignoring(connection.dialect.name, table), list(rows))


async def insert_new(
    connection: AsyncConnection, table: Table, column: str, rows: Sequence[dict[str, Any]]
) -> list[str]:
    """Insert rows and return the values of `column` for those that were not there yet."""
    if not rows:
        return []
    statement = _returning(connection.dialect.name, table, column)
    return [row[0] for row in await connection.execute(statement, list(rows))]


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or overwrite the given columns of those whose primary key exists. All rows name the same columns."""
    if rows:
        await connection.execute(_overwriting(connection.dialect.name, table, tuple(rows[0])), list(rows))


def _insert(dialect: str, table: Table) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@lru_cache(REMEMBERED)
def _ignoring(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@lru_cache(REMEMBERED)
def _returning(dialect: str, table: Table, column: str) -> Any:
    return _ignoring(dialect, table).returning(table.c[column])


@lru_cache(REMEMBERED)
def _overwriting(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    keys = [column.name for column in table.primary_key.columns]
    statement = _insert(dialect, table)
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)
