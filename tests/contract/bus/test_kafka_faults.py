"""The event log on Kafka when brokers and members fail. The broker is real, and of this module alone."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer

from labohub.bus import Bus, BusUnavailable, connect, kafka_reader
from labohub.bus.kafka_errors import KafkaRefusesUs
from labohub.contracts.envelope import Record
from tests.support.bus import PATIENCE_SECONDS, numbered, numbers, opened, reading, take, until
from tests.support.kafka import KafkaBroker
from tests.support.ports import free_ports


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaBroker]:
    broker = KafkaBroker()
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
async def bus(broker: KafkaBroker, topic: str) -> AsyncIterator[Bus]:
    async with opened(connect(f"{broker.url}?partitions=3&timeout_seconds=2", topics=[topic])) as bus:
        yield bus


@asynccontextmanager
async def collecting(bus: Bus, topic: str) -> AsyncIterator[list[int]]:
    """Read in the background, as a service does; give the numbers seen so far."""
    seen: list[int] = []

    async def read() -> None:
        async for batch in bus.read(topic, "readers"):
            try:
                await batch.done()
            except BusUnavailable:
                continue  # it is given again
            seen.extend(numbers(batch.records))

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])


async def published_in_the_end(bus: Bus, topic: str, records: list[Record]) -> int:
    """Publish as the relay does: again until it succeeds. Return how many times that took."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        tries = 1
        while True:
            try:
                await bus.publish(topic, records)
                return tries
            except BusUnavailable:
                tries += 1
                await asyncio.sleep(0.05)
    raise AssertionError


def first_times(values: list[int]) -> list[int]:
    """Return the values without their repetitions."""
    return list(dict.fromkeys(values))


async def test_a_killed_broker_makes_publications_unavailable_and_loses_nothing(
    broker: KafkaBroker, bus: Bus, topic: str
) -> None:
    async with collecting(bus, topic) as seen:
        await bus.publish(topic, numbered(100))
        await until(lambda: len(seen) == 100)
        broker.kill()
        with pytest.raises(BusUnavailable):
            await bus.publish(topic, numbered(1, start=100))
        publishing = asyncio.create_task(published_in_the_end(bus, topic, numbered(50, start=100)))
        await asyncio.to_thread(broker.start)
        await publishing
        await bus.publish(topic, numbered(50, start=150))
        await until(lambda: 199 in seen)
    assert first_times(seen) == list(range(200))


async def test_a_broker_that_hangs_makes_publications_unavailable_in_time(
    broker: KafkaBroker, bus: Bus, topic: str
) -> None:
    await bus.publish(topic, numbered(1))
    broker.freeze()
    try:
        async with asyncio.timeout(4):
            with pytest.raises(BusUnavailable):
                await bus.publish(topic, numbered(1, start=1))
    finally:
        broker.thaw()
    await published_in_the_end(bus, topic, numbered(2, start=1))
    async with reading(bus, topic) as reader:
        found: list[int] = []
        while 2 not in found:
            found += numbers(await reader.take(1))
    assert first_times(found) == [0, 1, 2]


async def test_the_broker_is_killed_again_and_again_under_load_and_order_and_records_stay(
    broker: KafkaBroker, bus: Bus, topic: str
) -> None:
    async with collecting(bus, topic) as seen:

        async def publish() -> None:
            for start in range(0, 600, 5):
                await published_in_the_end(bus, topic, numbered(5, start=start))

        publishing = asyncio.create_task(publish())
        for after in (100, 300):
            await until(lambda after=after: len(seen) >= after)  # type: ignore[misc]
            await asyncio.to_thread(broker.restart)
        await publishing
        await until(lambda: 599 in seen)
    assert first_times(seen) == list(range(600))


async def test_done_on_a_dead_broker_is_unavailable_and_the_same_batch_comes_again(
    broker: KafkaBroker, bus: Bus, topic: str
) -> None:
    await bus.publish(topic, numbered(3))
    async with reading(bus, topic) as reader:
        batch = await reader.next()
        broker.kill()
        with pytest.raises(BusUnavailable):
            await batch.done()
        await asyncio.to_thread(broker.start)
        assert numbers((await reader.next()).records)[:1] == [0]
        assert numbers(await reader.take(3)) == [0, 1, 2]
    assert await bus.lag(topic, "readers") == 0


async def test_a_member_that_lost_its_partition_does_not_move_the_group(
    bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_reader, "HANDOVER_SECONDS", 0.05)
    monkeypatch.setattr(kafka_reader, "HEARTBEAT_MS", 100)
    keys = [f"report-{number}" for number in range(30)]
    await bus.publish(topic, [record for key in keys for record in numbered(2, key=key)])
    async with reading(bus, topic, max_records=1_000) as slow:
        in_hand = await slow.next()
        async with reading(bus, topic) as newcomer:
            found: list[Record] = []
            other = await newcomer.next()  # the group has shared its partitions anew
            await in_hand.done()
            assert await bus.lag(topic, "readers") == 60
            found += other.records
            await other.done()
        found += await slow.take(60 - len(found))
    assert sorted((record.key, int(record.value)) for record in found) == sorted(
        (key, number) for key in keys for number in range(2)
    )


async def test_a_batch_in_hand_is_finished_before_its_partition_goes_to_another_member(
    bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_reader, "HEARTBEAT_MS", 100)
    keys = [f"report-{number}" for number in range(30)]
    await bus.publish(topic, [Record(key, b"0") for key in keys])
    async with reading(bus, topic, max_records=1_000) as first, reading(bus, topic) as second:
        in_hand = await first.next()
        joining = asyncio.create_task(second.next())
        await asyncio.wait([joining], timeout=1.5)  # many heartbeats: the rebalance has begun
        assert not joining.done()
        await in_hand.done()
        await bus.publish(topic, [Record(key, b"1") for key in keys])  # so that the newcomer surely has some to read
        finished = {(record.key, record.value) for record in in_hand.records}
        assert not finished & {(record.key, record.value) for record in (await joining).records}


MEMBER = """
import asyncio, sys
from labohub.bus import connect

async def main(url, topic):
    bus = connect(url, topics=[])
    async for batch in bus.read(topic, "readers", max_records=1):
        print(batch.records[0].value.decode(), flush=True)  # and never done
        await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_partitions_of_a_killed_member_go_to_those_who_stay(broker: KafkaBroker, topic: str) -> None:
    url = f"{broker.url}?partitions=3&session_seconds=6"  # six seconds: the least that a broker accepts
    async with opened(connect(url, topics=[topic])) as bus:
        await bus.publish(topic, [Record(f"report-{number}", str(number).encode()) for number in range(30)])
        member = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MEMBER, url, topic, stdout=asyncio.subprocess.PIPE
        )
        assert member.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await member.stdout.readline()).strip().isdigit()
        member.send_signal(signal.SIGKILL)
        await member.communicate()
        assert sorted(numbers(await take(bus, topic, 30))) == list(range(30))


async def test_any_kafka_client_reads_the_records(broker: KafkaBroker, bus: Bus, topic: str) -> None:
    await bus.publish(topic, [Record("report-1", b"value", {"type": "é"})])
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=f"127.0.0.1:{broker.port}", auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        row = await consumer.getone()
    finally:
        await consumer.stop()
    assert (row.key, row.value, row.headers) == (b"report-1", b"value", (("type", "é".encode()),))


async def test_a_cluster_that_is_away_is_unavailable_at_the_start() -> None:
    bus = connect(f"kafka://127.0.0.1:{free_ports()[0]}?open_seconds=0.2", topics=["labohub.report.v1"])
    with pytest.raises(BusUnavailable):
        await bus.open()
    await bus.close()


async def test_a_topic_name_that_kafka_refuses_is_for_the_operator(broker: KafkaBroker) -> None:
    bus = connect(broker.url, topics=["no spaces allowed"])
    with pytest.raises(KafkaRefusesUs):
        await bus.open()
    await bus.close()


async def test_more_copies_than_brokers_is_said_at_the_start(broker: KafkaBroker, topic: str) -> None:
    bus = connect(f"{broker.url}?replication=3&open_seconds=0.2", topics=[topic])
    with pytest.raises(BusUnavailable, match="replication"):
        await bus.open()
    await bus.close()
