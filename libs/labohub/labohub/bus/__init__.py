"""The event log: what the hub asks of it (`port`), in one SQLite file (`embedded`) and on Kafka (`kafka`)."""

from labohub.bus.connect import connect
from labohub.bus.port import Batch, Bus, BusUnavailable, RecordTooLarge

__all__ = ["Batch", "Bus", "BusUnavailable", "RecordTooLarge", "connect"]
