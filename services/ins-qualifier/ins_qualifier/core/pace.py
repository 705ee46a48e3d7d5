"""How many calls INSi gets in a second, and whose turn is next."""

from dataclasses import dataclass, field

LIVE_BEFORE_BULK = 9  # of ten turns that both ask for, one is the bulk's: it goes on, and nobody feels it


@dataclass(slots=True)
class Bucket:
    """A token bucket. Times are seconds of one monotonic clock, as arguments."""

    per_second: float
    burst: float
    _tokens: float = field(init=False)
    _at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, now: float) -> bool:
        """Take a token. Return False when there is none."""
        self._fill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def seconds_to_next(self, now: float) -> float:
        """Return how long until there is a token."""
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self.per_second)

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.per_second)
            self._at = now


@dataclass(slots=True)
class Turns:
    """Live calls, about a patient of now, come first; bulk ones are never starved."""

    _live_in_a_row: int = 0

    def is_bulk_next(self, *, live_waits: bool, bulk_waits: bool) -> bool:
        """Return whether the next token is for the bulk, and count the turn."""
        bulk = bulk_waits and (not live_waits or self._live_in_a_row >= LIVE_BEFORE_BULK)
        self._live_in_a_row = 0 if bulk or not bulk_waits else self._live_in_a_row + 1
        return bulk
