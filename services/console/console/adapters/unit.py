"""The console's unit of work."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from console.adapters.board import SqlBoard
from labohub.store.unit import Unit


class ConsoleUnit(Unit):
    """One transaction of the console."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.board = SqlBoard(connection, self._trace_id)

    def _trace_id(self) -> str:
        parts = self.traceparent().split("-")
        return parts[1] if len(parts) == 4 else ""
