"""How far behind its topics a group is. The connections stay: the question comes back every few seconds."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from labohub.bus.kafka_options import KafkaOptions


class LagProbe:
    """Asks the cluster for ends, beginnings and positions. After an error, or a cancelled question, `close` it."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._places: dict[str, list[TopicPartition]] = {}  # the partitions of a topic are never changed
        self._opening = asyncio.Lock()

    async def lag(self, topic: str, group: str) -> int:
        """Return how many records the group has not done, over all partitions. Raises: KafkaError."""
        admin, consumer = await self._open()
        places = await self._partitions(admin, topic)
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        done = await admin.list_consumer_group_offsets(group, partitions=places)
        positions = {place: done[place].offset if place in done else -1 for place in places}
        return sum(int(ends[place]) - max(positions[place], int(begins[place])) for place in places)

    async def close(self) -> None:
        """Leave the cluster; the next question connects again."""
        admin, self._admin = self._admin, None
        consumer, self._consumer = self._consumer, None
        endings = [*([admin.close()] if admin else []), *([consumer.stop()] if consumer else [])]
        await asyncio.gather(*endings, return_exceptions=True)

    async def _open(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        async with self._opening:
            if self._admin is None or self._consumer is None:
                await self.close()
                # Kept before they are started: whatever happens then, `close` finds them.
                self._admin = AIOKafkaAdminClient(**self._options.client_arguments())
                self._consumer = AIOKafkaConsumer(**self._options.client_arguments())  # of no topic: it reads nothing
                try:
                    await self._admin.start()
                    await self._consumer.start()
                except BaseException:
                    await self.close()
                    raise
            return self._admin, self._consumer

    async def _partitions(self, admin: AIOKafkaAdminClient, topic: str) -> list[TopicPartition]:
        if topic not in self._places:
            described = await admin.describe_topics([topic])
            places = [TopicPartition(topic, each["partition"]) for each in described[0]["partitions"]]
            if not places:
                raise UnknownTopicOrPartitionError(topic)
            self._places[topic] = sorted(places)
        return self._places[topic]
