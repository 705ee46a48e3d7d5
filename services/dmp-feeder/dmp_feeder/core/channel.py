"""The way to the DMP, open or not: after a failure one document tries for all."""

from datetime import datetime, timedelta


class Channel:
    """Counts failures of the way itself, not of documents. Time is given, never read."""

    def __init__(self) -> None:
        self.failures = 0
        self._closed_until: datetime | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Return whether the last call went through."""
        return self.failures == 0

    def take(self, now: datetime, limit: int) -> int:
        """Return how many documents may try now: `limit` when all is well, 0 while waiting, then one at a time."""
        if self.is_open:
            return limit
        if self._probing or (self._closed_until is not None and now < self._closed_until):
            return 0
        self._probing = True
        return 1

    def give_back(self) -> None:
        """Say that the one allowed to try found nothing to do, or has ended."""
        self._probing = False

    def succeeded(self) -> None:
        """Say that an answer came, whatever it says."""
        self.failures = 0
        self._closed_until = None

    def failed(self, now: datetime, wait_seconds: float) -> None:
        """Say that no answer came: nobody tries for `wait_seconds`. Documents that fail together count once."""
        if self._closed_until is None or now >= self._closed_until:
            self.failures += 1
        until = now + timedelta(seconds=wait_seconds)
        self._closed_until = max(self._closed_until or until, until)
