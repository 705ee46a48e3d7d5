"""Publications to one Kafka topic: those that wait together leave together, and never overtake one another."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from labohub.bus.kafka_errors import translate
from labohub.bus.kafka_options import KafkaOptions
from labohub.bus.port import BusClosed, BusUnavailable
from labohub.contracts.envelope import Record

BATCH_BYTES = 512 * 1024  # a broker takes 1 MiB by default; one record may fill a batch alone
ROUND_RECORDS = 5_000  # of one round: bounds memory and what a failure makes its callers repeat
DELIVERY_SECONDS = 120.0  # the idempotent producer retries this long by itself; then it is replaced
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Publication:
    records: Sequence[Record]
    future: asyncio.Future[None]
    partitions: set[int] = field(default_factory=set)


class Appender:
    """Appends to one topic with an idempotent producer of its own.

    A round takes all the publications that wait, makes one batch per partition, and ends when each is acknowledged by
    all in-sync replicas. The next round begins then: a batch that fails cannot be overtaken by its successor.
    """

    def __init__(self, topic: str, options: KafkaOptions) -> None:
        self._topic = topic
        self._options = options
        self._waiting: deque[_Publication] = deque()
        self._rounds: asyncio.Task[None] | None = None
        self._producer: AIOKafkaProducer | None = None
        self._partition_of = DefaultPartitioner()  # murmur2, as the Java clients
        self._closed = False

    async def append(self, records: Sequence[Record]) -> None:
        """Return when all records are durable.

        Raises: BusUnavailable (what is on its way may still arrive), KafkaRefusesUs.
        """
        if self._closed:
            raise BusClosed("the event log is closed")
        publication = _Publication(records, asyncio.get_running_loop().create_future())
        self._waiting.append(publication)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(self._options.timeout_seconds):
                await publication.future
        except TimeoutError:
            raise BusUnavailable("the event log does not acknowledge in time") from None

    async def close(self) -> None:
        """Finish the publications that wait, if the cluster answers, and disconnect."""
        self._closed = True
        if self._rounds is not None and not self._rounds.done():
            await asyncio.wait([self._rounds], timeout=STOP_SECONDS)
            self._rounds.cancel()
            await asyncio.wait([self._rounds])
        for publication in self._waiting:
            _fail(publication, BusClosed("the event log is closed"))
        self._waiting.clear()
        await self._drop_producer()

    async def _run(self) -> None:
        while self._waiting:
            publications = self._take()
            try:
                await self._round(publications)
            except asyncio.CancelledError:
                for publication in publications:
                    _fail(publication, BusClosed("the event log is closed"))
                raise
            except Exception as error:  # the cluster, or a bug: those who wait must know either way
                await self._drop_producer()
                for publication in publications:
                    _fail(publication, translate(error))

    def _take(self) -> list[_Publication]:
        taken: list[_Publication] = []
        count = 0
        while self._waiting and count < ROUND_RECORDS:
            publication = self._waiting.popleft()
            if not publication.future.done():  # else its caller has given up, and nothing of it was sent
                taken.append(publication)
                count += len(publication.records)
        return taken

    async def _round(self, publications: list[_Publication]) -> None:
        if not publications:
            return
        async with asyncio.timeout(self._options.timeout_seconds):
            producer = await self._connected()
            partitions = sorted(await producer.partitions_for(self._topic))
        batches = self._batches(producer, partitions, publications)
        outcomes = await asyncio.gather(
            *(self._send(producer, partition, builders) for partition, builders in batches.items())
        )
        failures = {partition: error for partition, error in zip(batches, outcomes, strict=True) if error is not None}
        if failures:
            # The producer has given numbers to what failed; a new one starts its own series.
            await self._drop_producer()
        for publication in publications:
            error = next((failures[number] for number in sorted(publication.partitions & failures.keys())), None)
            if error is not None:
                _fail(publication, translate(error))
            elif not publication.future.done():
                publication.future.set_result(None)

    def _batches(
        self, producer: AIOKafkaProducer, partitions: list[int], publications: list[_Publication]
    ) -> dict[int, list[Any]]:
        """Return aiokafka's batch builders by partition, each to be sent after the one before it."""
        batches: dict[int, list[Any]] = {}
        for publication in publications:
            for record in publication.records:
                key = record.key.encode()
                partition = self._partition_of(key, partitions, partitions)
                publication.partitions.add(partition)
                builders = batches.setdefault(partition, [producer.create_batch()])
                headers = [(name, text.encode()) for name, text in record.headers.items()]
                if builders[-1].append(timestamp=None, key=key, value=record.value, headers=headers) is None:
                    builders.append(producer.create_batch())  # full; the first record of a batch always fits
                    builders[-1].append(timestamp=None, key=key, value=record.value, headers=headers)
        return batches

    async def _send(self, producer: AIOKafkaProducer, partition: int, builders: list[Any]) -> Exception | None:
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                for builder in builders:
                    builder.close()
                    await (await producer.send_batch(builder, self._topic, partition=partition))
        except (KafkaError, TimeoutError) as error:
            return error
        return None

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._options.client_arguments(),
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                request_timeout_ms=int(self._options.timeout_seconds * 1000),
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()  # never started: closes its sockets alone
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()
        except (KafkaError, TimeoutError):
            # It still hopes to deliver. aiokafka has no public way to make it give up.
            producer._message_accumulator.fail_all(BusClosed("the event log is closed"))
            producer._sender.sender_task.cancel()
            with contextlib.suppress(Exception):
                await asyncio.wait([producer._sender.sender_task], timeout=STOP_SECONDS)
            await producer.client.close()
            log.warning("bus.producer-abandoned")


def _fail(publication: _Publication, error: Exception) -> None:
    if not publication.future.done():
        publication.future.set_exception(error)
