"""What the address of a page says."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Query

from console.adapters.queries import ReportFilter

RANGES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
Worklist = Literal["identity", "recipients", "returns", "conformance", "dead"]


class Wanted:
    """The filters of the list of reports, as its address says them."""

    def __init__(
        self,
        *,
        q: Annotated[str, Query(max_length=100)] = "",
        status: Annotated[str, Query(max_length=30)] = "",
        sender: Annotated[str, Query(max_length=199)] = "",
        range_: Annotated[str, Query(alias="range", max_length=5)] = "",
        since: Annotated[str, Query(max_length=30)] = "",
        until: Annotated[str, Query(max_length=30)] = "",
        cursor: Annotated[str, Query(max_length=300)] = "",
    ) -> None:
        self.q, self.status, self.sender, self.range, self.cursor = q.strip(), status, sender.strip(), range_, cursor
        self.since, self.until = since, until

    def filter(self, now: datetime, zone: ZoneInfo) -> ReportFilter:
        """Return the filter for the read model; a date that cannot be read does not narrow."""
        since = now - RANGES[self.range] if self.range in RANGES else _local_time(self.since, zone)
        until = None if self.range in RANGES else _local_time(self.until, zone)
        return ReportFilter(text=self.q, status=self.status, sender=self.sender, since=since, until=until)


def _local_time(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) if text else None
    except ValueError:
        return None
