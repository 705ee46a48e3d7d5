"""A search plan that INSi answered to its end: not repeated for the same traits of one domain within its validity."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from labohub.contracts.values import BlobRef


@dataclass(frozen=True, slots=True)
class Plan:
    """The answers to a whole plan: the codes in their order, and the last answer."""

    id: str  # keyed hash of the domain and the traits
    ended_at: datetime
    codes: tuple[str, ...]
    call: str  # the last call's MessageID
    answer: BlobRef

    def is_valid(self, now: datetime, hours: float) -> bool:
        """Return whether it still stands for another search."""
        return now - self.ended_at < timedelta(hours=hours)
