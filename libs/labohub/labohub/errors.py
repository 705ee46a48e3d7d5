"""The three ways to fail. Every error says who must act."""

from typing import ClassVar


class HubError(Exception):
    """Root. `code` is stable and loggable; the text never holds patient data."""

    code: ClassVar[str] = "hub"


class Refused(HubError):
    """Wrong, and will stay wrong: the sender must act. Never retried."""

    code = "refused"


class Unavailable(HubError):
    """Not now: time must pass. Retried with backoff."""

    code = "unavailable"


class Misconfigured(HubError):
    """The installation is wrong: the operator must act. The service does not start."""

    code = "misconfigured"
