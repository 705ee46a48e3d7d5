"""The record: how an event travels on the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

TYPE_HEADER = "type"
EVENT_ID_HEADER = "event_id"
TRACE_HEADER = "traceparent"  # W3C Trace Context
ERROR_HEADER = "error_code"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log: a key, opaque bytes and short text headers.

    The key is an internal identifier (the report's), never anything of a patient.
    """

    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
