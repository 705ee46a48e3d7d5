"""What the hub asks of an event log."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Protocol

from labohub.contracts.envelope import Record
from labohub.errors import Refused, Unavailable

MAX_RECORD_BYTES = 1_000_000  # a Kafka broker takes 1 MiB by default; documents travel by reference, events stay small
MAX_BATCH_RECORDS = 200  # one transaction of a consumer stays short
MAX_BATCH_BYTES = 8 * 1024 * 1024  # what one batch may hold in memory, whatever its records' size


class RecordTooLarge(Refused):
    """A record is beyond `MAX_RECORD_BYTES`: its content should travel by reference."""

    code: ClassVar[str] = "bus.record-too-large"


class BusUnavailable(Unavailable):
    """The log does not answer, or not in time. What was published may still arrive: publish it again."""

    code: ClassVar[str] = "bus.unavailable"


class BusClosed(BusUnavailable):
    """The log was closed by this process, or not opened yet."""

    code: ClassVar[str] = "bus.closed"


class Batch(Protocol):
    """Records of one partition, in the order of the log."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def records(self) -> Sequence[Record]: ...

    async def done(self) -> None:
        """Move the group past this batch, durably.

        When the partition went to another member meanwhile, nothing moves and nothing is raised: that member reads
        the batch again. Calling it twice does no harm.

        Raises: Unavailable: the log does not answer; the reader gives the same batch again.
        """


class Bus(Protocol):
    """An append-only log of topics, cut into partitions, read by groups. Delivery is at least once."""

    async def open(self) -> None:
        """Connect, and create the topics that are missing.

        Raises: Unavailable, Misconfigured.
        """

    async def close(self) -> None:
        """Finish what is being written, end every reader, let go of the groups."""

    async def publish(self, topic: str, records: Sequence[Record]) -> None:
        """Append in order; return when all are durable.

        Records with the same key go to the same partition. After `Unavailable`, some or all of them may have been
        appended: the caller publishes them again, and readers recognise a repetition by its identifier.

        Raises: Unavailable, RecordTooLarge (nothing was appended).
        """

    def read(self, topic: str, group: str, *, max_records: int = MAX_BATCH_RECORDS) -> AsyncIterator[Batch]:
        """Yield batches of one partition from the group's position, in order, until the log is closed.

        A batch comes back until its `done()` has returned: at once when the next one is asked for, and after a
        restart. A group that is new starts at the oldest record. Several readers of one group share its
        partitions: a partition has one reader at a time. The reader outlives a log that goes away and comes back.

        Raises: Misconfigured: the log refuses us.
        """

    async def lag(self, topic: str, group: str) -> int:
        """Return how many records the group has not done yet.

        Raises: Unavailable.
        """


def check_size(records: Sequence[Record]) -> None:
    """Refuse a record that no engine has to carry.

    Raises: RecordTooLarge.
    """
    for record in records:
        size = len(record.value) + 4 * len(record.key)  # four bytes: the most a character takes
        if size + sum(4 * (len(name) + len(text)) for name, text in record.headers.items()) > MAX_RECORD_BYTES:
            raise RecordTooLarge(f"a record is beyond {MAX_RECORD_BYTES} bytes")
