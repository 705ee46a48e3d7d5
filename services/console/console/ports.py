"""What the console needs from outside, in its own words."""

from datetime import datetime
from typing import Protocol

from console.core.facts import Facts


class Board(Protocol):
    """Where facts are shown."""

    async def show(self, facts: Facts, now: datetime) -> None:
        """Write what one event changes. Repeating it changes nothing; order between topics does not matter."""


class BoardUnit(Protocol):
    """A unit of work that carries the board."""

    @property
    def board(self) -> Board:
        """Return the board of this transaction."""

    @property
    def now(self) -> datetime:
        """Return the time of this transaction (aware, UTC)."""
