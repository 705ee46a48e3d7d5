"""A small service's state for the tests of the store and the runtime."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Column, MetaData, String, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from labohub.contracts.codec import derived_id
from labohub.contracts.events import MessageArchived
from labohub.contracts.values import MessageId, ReportId
from labohub.store.database import Database
from labohub.store.unit import Unit
from labohub.store.work import WorkQueue, work_table


class FixedClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Notebook:
    """Tables of a service that writes down what it hears and has errands to run."""

    def __init__(self) -> None:
        self.metadata = MetaData()
        self.notes = Table("notes", self.metadata, Column("id", String, primary_key=True), Column("text", String))
        self.errands = work_table("errands", self.metadata, Column("place", String))

        tables = self

        class NotebookUnit(Unit):
            def __init__(self, connection: AsyncConnection, now: datetime) -> None:
                super().__init__(connection, now)
                self.errands = WorkQueue(tables.errands, self)

        self.unit_type = NotebookUnit

    def database(self, url: str, clock: FixedClock, name: str = "notebook") -> Database:
        return Database(url, name, self.metadata, clock)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}"


def archived(report: str, number: int = 1, at: datetime = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)) -> MessageArchived:
    """Return an event with few fields, for tests that look at how events travel."""
    return MessageArchived(
        event_id=derived_id("test", report, str(number)),
        occurred_at=at,
        report_id=ReportId(report),
        message_id=MessageId(f"{report}-{number}"),
        control_id=f"C{number}",
        message_type="ORU^R01",
        sender_application="SGL",
        sender_facility="LABO",
        reason="ltw.not-final",
    )
