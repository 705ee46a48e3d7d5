"""Whether INSi may be called now. Failures in a row close it; one call at a time then probes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class Admission(NamedTuple):
    """How many calls may start, and whether they are the probe of a closed gate."""

    limit: int
    is_probe: bool = False


@dataclass(slots=True)
class Gate:
    """A circuit breaker. Times are arguments.

    While it is closed the reports wait in their order; nothing counts against them.
    """

    failures_to_close: int
    closed_seconds: float
    misconfigured_seconds: float  # the operator must act: probing more often does not help
    failures: int = 0
    closed_until: datetime | None = None
    code: str = ""  # why it is closed
    _probing: bool = False

    def admit(self, wanted: int, now: datetime) -> Admission:
        """Return an admission for all that are wanted, for none, or for one probe. Give it back to `leave`."""
        if self.closed_until is None:
            return Admission(wanted)
        if now < self.closed_until or self._probing:
            return Admission(0)
        self._probing = True
        return Admission(min(wanted, 1), is_probe=True)

    def leave(self, admission: Admission) -> None:
        """Let the next probe in, when this was one."""
        if admission.is_probe:
            self._probing = False

    def succeeded(self) -> bool:
        """Note an answer. Return True when this opened the gate: all who wait may go."""
        opened = self.closed_until is not None
        self.failures, self.closed_until, self.code = 0, None, ""
        return opened

    def failed(self, code: str, now: datetime, *, misconfigured: bool = False) -> None:
        """Note a failure."""
        self.failures += 1
        if misconfigured or self.failures >= self.failures_to_close:
            seconds = self.misconfigured_seconds if misconfigured else self.closed_seconds
            self.closed_until, self.code = now + timedelta(seconds=seconds), code
