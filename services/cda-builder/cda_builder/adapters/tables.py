"""State of document building: work to do, and the versions that exist of each report's document."""

from datetime import datetime

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cda_builder.core.versions import Version
from labohub.store.sql import insert_ignore
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


class CdaUnit(Unit):
    """One transaction of this service."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.jobs = WorkQueue(JOBS, self)
        self.versions = VersionTable(self)
