"""State of document building: work to do, the versions of each report's document, the laboratories' catalogues."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cda_builder.core.catalogue import Catalogue, Exam, Seen
from cda_builder.core.versions import Version
from labohub.store.sql import insert_ignore
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit
from labohub.store.work import WorkQueue, work_table

metadata = MetaData()

JOBS = work_table("jobs", metadata)
VERSIONS = Table(
    "versions",
    metadata,
    Column("report_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("value", Text, nullable=False),
)
CATALOGUES = Table(  # by sending facility; "" for all others
    "catalogues",
    metadata,
    Column("facility", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("imported_at", UtcDateTime, nullable=False),
    Column("sha256", String, nullable=False),
    Column("exams", Integer, nullable=False),
)
EXAMS = Table(
    "exams",
    metadata,
    Column("facility", String, primary_key=True),
    Column("system", String, primary_key=True),
    Column("code", String, primary_key=True),
    Column("value", Text, nullable=False),
)
USED_EXAMS = Table(  # how many results used a local code
    "used_exams",
    metadata,
    Column("facility", String, primary_key=True),
    Column("system", String, primary_key=True),
    Column("code", String, primary_key=True),
    Column("label", String, nullable=False),
    Column("loinc", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("results", BigInteger, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)


class VersionTable:
    """The versions that were built, by report. Only what was published is here."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def last(self, report_id: str) -> Version | None:
        """Return the newest version of a report's document."""
        query = select(VERSIONS.c.value).where(VERSIONS.c.report_id == report_id).order_by(VERSIONS.c.number.desc())
        value = (await self._unit.connection.execute(query.limit(1))).scalar_one_or_none()
        return None if value is None else Version.model_validate_json(value)

    async def add(self, report_id: str, version: Version) -> None:
        """Keep a version."""
        row = {
            "report_id": report_id,
            "number": version.number,
            "fingerprint": version.fingerprint,
            "value": version.model_dump_json(),
        }
        await insert_ignore(self._unit.connection, VERSIONS, [row])


class CatalogueTable:
    """The catalogues in force, and the volume of results by local code."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def edition(self, facility: str) -> tuple[str, int]:
        """Return whose catalogue holds for a facility (its own, or that of all others), and its number; 0 for none."""
        query = (
            select(CATALOGUES.c.facility, func.max(CATALOGUES.c.number))
            .where(CATALOGUES.c.facility.in_((facility, "")))
            .group_by(CATALOGUES.c.facility)
            .order_by(CATALOGUES.c.facility.desc())
        )
        row = (await self._unit.connection.execute(query)).first()
        return (row[0], row[1]) if row else ("", 0)

    async def read(self, owner: str) -> Catalogue:
        """Return the catalogue imported for an owner."""
        query = select(EXAMS.c.value).where(EXAMS.c.facility == owner)
        values = (await self._unit.connection.execute(query)).scalars()
        return Catalogue(Exam.model_validate_json(value) for value in values)

    async def replace(self, owner: str, exams: Sequence[Exam], sha256: str) -> int:
        """Put a catalogue in the place of the owner's last one. Return its number."""
        connection = self._unit.connection
        last = select(func.max(CATALOGUES.c.number)).where(CATALOGUES.c.facility == owner)
        number = ((await connection.execute(last)).scalar() or 0) + 1
        edition = {"facility": owner, "number": number, "imported_at": self._unit.now, "sha256": sha256}
        await connection.execute(CATALOGUES.insert().values(**edition, exams=len(exams)))
        await connection.execute(delete(EXAMS).where(EXAMS.c.facility == owner))
        rows = [
            {"facility": owner, "system": each.system, "code": each.code, "value": each.model_dump_json()}
            for each in exams
        ]
        await insert_ignore(connection, EXAMS, rows)
        return number

    async def count(self, seen: Sequence[Seen]) -> None:
        """Add the results of a new document to the volumes."""
        if not seen:
            return
        at = self._unit.now
        rows = [{**each.model_dump(), "results": 0, "seen_at": at} for each in seen]
        await insert_ignore(self._unit.connection, USED_EXAMS, rows)
        key = (USED_EXAMS.c[name] == bindparam(f"of_{name}") for name in ("facility", "system", "code"))
        told: dict[str, Any] = {name: bindparam(f"of_{name}") for name in ("label", "loinc", "unit")}
        adding = update(USED_EXAMS).where(*key)
        adding = adding.values(**told, results=USED_EXAMS.c.results + bindparam("of_results"), seen_at=at)
        given = [{f"of_{name}": value for name, value in each.model_dump().items()} for each in seen]
        await self._unit.connection.execute(adding, given)


async def used_exams(connection: AsyncConnection, facility: str) -> list[Seen]:
    """Return the local codes that results used, with their volumes; of all facilities when none is named."""
    query = select(USED_EXAMS)
    if facility:
        query = query.where(USED_EXAMS.c.facility == facility)
    rows = (await connection.execute(query)).mappings()
    return [Seen.model_validate({name: row[name] for name in Seen.model_fields}) for row in rows]


class CdaUnit(Unit):
    """One transaction of this service."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.jobs = WorkQueue(JOBS, self)
        self.versions = VersionTable(self)
        self.catalogues = CatalogueTable(self)
