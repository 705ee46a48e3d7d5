"""The few statements that the two engines spell differently."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def _insert(connection: AsyncConnection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def insert_ignore(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key already exists are left as they are."""
    if rows:
        await connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


async def insert_new(
    connection: AsyncConnection, table: Table, column: str, rows: Sequence[dict[str, Any]]
) -> list[str]:
    """Insert rows and return the values of `column` for those that were not there yet."""
    if not rows:
        return []
    statement = _insert(connection, table).values(list(rows)).on_conflict_do_nothing().returning(table.c[column])
    return [row[0] for row in await connection.execute(statement)]


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or overwrite the given columns of those whose primary key exists. All rows name the same columns."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    statement = _insert(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))
