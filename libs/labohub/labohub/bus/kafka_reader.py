"""One member of a Kafka group."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError

from labohub.bus.kafka_errors import translate
from labohub.bus.kafka_options import KafkaOptions
from labohub.bus.port import MAX_BATCH_BYTES, Batch, BusClosed, BusUnavailable
from labohub.contracts.envelope import Record
from labohub.errors import Misconfigured

T = TypeVar("T")
Prepare = Callable[[str], Awaitable[None]]  # makes sure that a topic exists

POLL_MS = 1_000  # how long one request for records waits
HEARTBEAT_MS = 1_000  # how late a member learns that the group shares its partitions anew
HANDOVER_SECONDS = 5.0  # how long a rebalance waits for the batch in hand, so that nobody has to repeat it
REBALANCE_SECONDS = 20.0  # how long the group waits for its members; below the client's request timeout of 40 s
STOP_SECONDS = 5.0
RECONNECT_SECONDS = 1.0

log = logging.getLogger(__name__)


def group_id(topic: str, group: str) -> str:
    """Return the group's name in Kafka. One per topic: a change in one topic's members leaves the others at work."""
    return f"{group}.{topic}"


class KafkaReader(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """Gives the batches of the partitions that the group lends to this member, one at a time."""

    def __init__(self, topic: str, group: str, max_records: int, options: KafkaOptions, prepare: Prepare) -> None:
        self.topic = topic
        self.options = options
        self.epoch = 0  # of the assignment: a batch of an earlier one is no longer ours
        self._group = group
        self._max_records = max_records
        self._prepare = prepare
        self._consumer: AIOKafkaConsumer | None = None
        self._fetched: list[tuple[int, list[ConsumerRecord]]] = []
        self._given: KafkaBatch | None = None
        self._settled = asyncio.Event()  # no batch is in hand
        self._settled.set()
        self._revoking = False
        self._dropping = asyncio.Lock()
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def next(self) -> Batch | None:
        """Return the batch that is not done, or the next one; None when the log closes.

        Raises: KafkaRefusesUs.
        """
        while not self._closing.done():
            if self._given is not None:
                return self._given
            if self._fetched and not self._revoking:
                return self._give(*self._fetched.pop(0))
            try:
                await self._fetch()
            except BusClosed:
                break
            except Misconfigured:
                raise
            except BusUnavailable:
                log.warning("bus.read-postponed")
                await self._drop_consumer()
                with contextlib.suppress(BusClosed, TimeoutError):
                    await self._unless_closing(asyncio.sleep(RECONNECT_SECONDS))
        return None

    async def close(self) -> None:
        """Leave the group."""
        if not self._closing.done():
            self._closing.set_result(None)
        self._settle()
        await self._drop_consumer()

    async def commit(self, batch: "KafkaBatch") -> None:
        """Move the group past a batch, unless its partition is no longer ours.

        Raises: BusUnavailable, KafkaRefusesUs.
        """
        consumer = self._consumer
        if consumer is None or batch.epoch != self.epoch:
            return
        try:
            async with asyncio.timeout(self.options.timeout_seconds):
                await consumer.commit({TopicPartition(self.topic, batch.partition): batch.next_offset})
        except (CommitFailedError, IllegalStateError, ConsumerStoppedError):
            log.info("bus.partition-lost")
        except (KafkaError, TimeoutError) as error:
            raise translate(error) from None
        if self._given is batch:
            self._settle()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let go of everything: after this, an older batch cannot be committed."""
        self._revoking = True
        self._fetched.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER_SECONDS):
                await self._settled.wait()
        self.epoch += 1
        self._settle()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Read on from the group's position."""
        self._revoking = False

    def _settle(self) -> None:
        self._given = None
        self._settled.set()

    def _give(self, partition: int, rows: list[ConsumerRecord]) -> "KafkaBatch":
        taken, size = 0, 0
        for row in rows:
            size += len(row.value or b"")
            if taken and size > MAX_BATCH_BYTES:
                self._fetched.insert(0, (partition, rows[taken:]))
                break
            taken += 1
        records = [_record(row) for row in rows[:taken]]
        self._given = KafkaBatch(self, partition, records, rows[taken - 1].offset + 1)
        self._settled.clear()
        return self._given

    async def _fetch(self) -> None:
        try:
            consumer = await self._connected()
            found = await self._unless_closing(consumer.getmany(timeout_ms=POLL_MS, max_records=self._max_records))
        except (KafkaError, TimeoutError) as error:
            raise translate(error) from None
        if not self._revoking:  # else they are of an assignment that ends: the group gives them again
            self._fetched.extend((place.partition, rows) for place, rows in found.items() if rows)

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            await self._unless_closing(self._prepare(self.topic))
            self._consumer = AIOKafkaConsumer(
                **self.options.client_arguments(),
                group_id=group_id(self.topic, self._group),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=int(self.options.session_seconds * 1000),
                heartbeat_interval_ms=HEARTBEAT_MS,
                rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
                metadata_max_age_ms=60_000,
            )
            self._consumer.subscribe([self.topic], listener=self)
            await self._unless_closing(self._consumer.start())
        return self._consumer

    async def _drop_consumer(self) -> None:
        async with self._dropping:  # who comes second returns when it has left
            consumer, self._consumer = self._consumer, None
            self.epoch += 1
            self._fetched.clear()
            self._settle()
            self._revoking = False
            if consumer is None:
                return
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await consumer.stop()
            except (KafkaError, TimeoutError):
                log.warning("bus.consumer-abandoned")
                with contextlib.suppress(Exception):
                    await consumer._client.close()

    async def _unless_closing(self, work: Awaitable[T]) -> T:
        """Return the result of `work`, or give it up when this reader closes.

        Raises: BusClosed.
        """
        task = asyncio.ensure_future(work)
        either: list[asyncio.Future[Any]] = [task, self._closing]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise BusClosed("the event log is closed")
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])


class KafkaBatch:
    """Records of one partition, of one assignment."""

    def __init__(self, reader: KafkaReader, partition: int, records: Sequence[Record], next_offset: int) -> None:
        self.topic = reader.topic
        self.partition = partition
        self.records = records
        self.next_offset = next_offset
        self.epoch = reader.epoch
        self._reader = reader

    async def done(self) -> None:
        """Move the group past this batch; nothing moves when the partition is no longer ours."""
        await self._reader.commit(self)


def _record(row: ConsumerRecord) -> Record:
    return Record(
        key=(row.key or b"").decode(errors="replace"),
        value=row.value or b"",
        headers={name: (text or b"").decode(errors="replace") for name, text in row.headers},
    )
