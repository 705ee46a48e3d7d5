"""What can be read of the identity store: statuses and their history, never traits."""

from typing import Any

from fastapi import HTTPException
from sqlalchemy import select

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.identities import IdentityBook
from labohub.store.database import Database

SHOWN_REPORTS = 200  # of one patient, the latest


class IdentityDesk:
    """The identity store, as the API shows it."""

    def __init__(self, database: Database, book: IdentityBook) -> None:
        self._database, self._book = database, book

    async def page(self, *, status: str, domain: str, blocked: bool, after: str, limit: int) -> views.IdentityPage:
        """Return a page of identities, by their key."""
        table = tables.identities
        query = select(table).where(table.c.id > after, table.c.version > 0).order_by(table.c.id).limit(limit + 1)
        if status:
            query = query.where(table.c.status == status)
        if domain:
            query = query.where(table.c.domain == domain)
        if blocked:
            query = query.where(table.c.blocked != "")
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        items = tuple(views.IdentityLine(**_line(row)) for row in rows[:limit])
        return views.IdentityPage(items=items, next=items[-1].id if len(rows) > limit else "")

    async def detail(self, identity: str) -> views.IdentityDetail:
        """Return one identity."""
        table, changes, checks = tables.identities, tables.identity_changes, tables.checks
        async with self._database.reading() as connection:
            row = (await connection.execute(select(table).where(table.c.id == identity))).mappings().first()
            if row is None or not row["version"]:
                raise HTTPException(404)
            query = select(changes).where(changes.c.identity == identity).order_by(changes.c.id)
            lines = (await connection.execute(query)).mappings().all()
            mine = select(checks).where(checks.c.identity == identity).order_by(checks.c.sequence.desc())
            reports = (await connection.execute(mine.limit(SHOWN_REPORTS))).mappings().all()
            others = await self._book.rows_of(connection).colliding_with(identity) - {identity}
        return views.IdentityDetail(
            **_line(row),
            history=tuple(
                views.IdentityChange(**{name: line[name] for name in views.IdentityChange.model_fields})
                for line in lines
            ),
            reports=tuple(
                views.IdentityReport(
                    check_id=each["id"], report_id=each["lane"], state=each["state"], code=each["error_code"]
                )
                for each in reports
            ),
            collides_with=tuple(sorted(others)),
        )


def _line(row: Any) -> dict[str, Any]:
    names = set(views.IdentityLine.model_fields) - {"attributes"}
    return {**{name: row[name] for name in names}, "attributes": tuple(row["attributes"].split())}
