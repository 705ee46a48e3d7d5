"""The event log on a Kafka cluster."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)

from labohub.bus.kafka_appender import Appender
from labohub.bus.kafka_errors import translate
from labohub.bus.kafka_lag import LagProbe
from labohub.bus.kafka_options import KafkaOptions
from labohub.bus.kafka_probe import refusal
from labohub.bus.kafka_reader import KafkaReader, group_id
from labohub.bus.port import MAX_BATCH_RECORDS, Batch, BusClosed, BusUnavailable, check_size
from labohub.contracts.envelope import Record

TRY_AGAIN_SECONDS = 0.5

log = logging.getLogger(__name__)


class KafkaBus:
    """The `Bus` on Kafka. Topics that are missing are created with the options' partitions and replication."""

    def __init__(self, options: KafkaOptions, *, topics: Sequence[str] = ()) -> None:
        self._options = options
        self._topics = tuple(topics)
        self._existing: set[str] = set()
        self._creating = asyncio.Lock()
        self._appenders: dict[str, Appender] = {}
        self._readers: set[KafkaReader] = set()
        self._probe = LagProbe(options)
        self._closed = False

    async def open(self) -> None:
        """Wait for the cluster, then create the topics that are missing.

        Raises: BusUnavailable, KafkaRefusesUs, KafkaFilesUnreadable.
        """
        self._options.client_arguments()  # unreadable files are said at once
        deadline = asyncio.get_running_loop().time() + self._options.open_seconds
        while True:
            try:
                await self._create(self._topics)
                return
            except BusUnavailable:
                if (refused := await refusal(self._options)) is not None:
                    raise refused from None
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                log.warning("bus.open-postponed")
                await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def close(self) -> None:
        """Finish what is being written, end every reader, leave the groups."""
        self._closed = True
        closing = [appender.close() for appender in self._appenders.values()]
        closing += [reader.close() for reader in self._readers]
        closing.append(self._probe.close())
        await asyncio.gather(*closing)
        self._appenders.clear()
        self._readers.clear()

    async def publish(self, topic: str, records: Sequence[Record]) -> None:
        """Append in order; return when all in-sync replicas have them.

        Raises: BusUnavailable, KafkaRefusesUs, RecordTooLarge.
        """
        if not records:
            return
        check_size(records)
        await self._ensure(topic)
        appender = self._appenders.get(topic)
        if appender is None:
            appender = self._appenders[topic] = Appender(topic, self._options)
        await appender.append(records)

    async def read(self, topic: str, group: str, *, max_records: int = MAX_BATCH_RECORDS) -> AsyncIterator[Batch]:
        """Yield batches of the partitions that the group lends to this reader, until the log is closed.

        Raises: KafkaRefusesUs.
        """
        reader = KafkaReader(topic, group, max_records, self._options, self._ensure)
        self._readers.add(reader)
        try:
            while (batch := await reader.next()) is not None:
                yield batch
        finally:
            await reader.close()
            self._readers.discard(reader)

    async def lag(self, topic: str, group: str) -> int:
        """Return how many records the group has not done yet, over all partitions.

        Raises: BusUnavailable, KafkaRefusesUs.
        """
        await self._ensure(topic)
        try:
            async with asyncio.timeout(self._options.timeout_seconds):
                while True:
                    try:
                        return await self._probe.lag(topic, group_id(topic, group))
                    except KafkaError as error:  # the group's coordinator is chosen when it is first asked for
                        await self._probe.close()
                        if not error.retriable:
                            raise
                        await asyncio.sleep(TRY_AGAIN_SECONDS)
        except (KafkaError, TimeoutError) as error:
            await self._probe.close()
            raise translate(error) from None

    async def _ensure(self, topic: str) -> None:
        if self._closed:
            raise BusClosed("the event log is closed")
        if topic not in self._existing:
            await self._create((topic,))

    async def _create(self, topics: Iterable[str]) -> None:
        """Create what is missing, and remember what exists. The partitions of a topic are never changed: keys rely
        on them."""
        async with self._creating:
            missing = [topic for topic in topics if topic not in self._existing]
            if not missing:
                return
            admin = AIOKafkaAdminClient(**self._options.client_arguments())
            try:
                async with asyncio.timeout(self._options.timeout_seconds):
                    await admin.start()
                    missing = [topic for topic in missing if topic not in set(await admin.list_topics())]
                    await self._create_missing(admin, missing)
            except (KafkaError, TimeoutError) as error:
                if isinstance(error, InvalidReplicationFactorError):  # brokers that have not joined yet
                    raise BusUnavailable("fewer brokers than the replication asked for") from None
                raise translate(error) from None
            finally:
                await admin.close()
            self._existing.update(topics)

    async def _create_missing(self, admin: AIOKafkaAdminClient, missing: list[str]) -> None:
        if missing:
            options = self._options
            settings = options.topic_settings()
            answer = await admin.create_topics(
                [NewTopic(topic, options.partitions, options.replication, topic_configs=settings) for topic in missing]
            )
            for _, code, *_ in answer.topic_errors:
                error = for_code(code)
                if error not in (NoError, TopicAlreadyExistsError):
                    raise error
        while missing:  # created on the controller, not yet known to the broker
            answers = await admin.describe_topics(missing)
            if all(for_code(topic["error_code"]) is NoError for topic in answers):
                return
            await asyncio.sleep(0.05)
