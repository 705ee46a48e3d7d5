"""What every event log promises, on the embedded one and on a real Kafka broker."""

import asyncio
from collections import defaultdict

import pytest

from labohub.bus import Bus, BusUnavailable, RecordTooLarge, connect
from labohub.bus.port import MAX_BATCH_BYTES, MAX_RECORD_BYTES
from labohub.contracts.envelope import Record
from tests.support.bus import numbered, numbers, opened, reading, take, until


async def test_records_of_one_key_come_back_in_the_order_of_publication(bus: Bus, topic: str) -> None:
    keys = [f"report-{number}" for number in range(7)]
    for start in range(0, 300, 50):
        await bus.publish(topic, [record for key in keys for record in numbered(50, key=key, start=start)])
    by_key = defaultdict(list)
    for record in await take(bus, topic, 7 * 300):
        by_key[record.key].append(int(record.value))
    assert by_key == {key: list(range(300)) for key in keys}


async def test_a_batch_is_of_one_partition_and_a_key_stays_in_its_partition(bus: Bus, topic: str) -> None:
    await bus.publish(topic, [record for key in range(20) for record in numbered(5, key=f"report-{key}")])
    partitions = defaultdict(set)
    seen = 0
    async with reading(bus, topic, max_records=10) as reader:
        while seen < 100:
            batch = await reader.next()
            assert batch.topic == topic
            seen += len(batch.records)
            for record in batch.records:
                partitions[record.key].add(batch.partition)
            await batch.done()
    assert len(partitions) == 20
    assert all(len(places) == 1 for places in partitions.values())


async def test_a_record_comes_back_as_it_was_published(bus: Bus, topic: str) -> None:
    published = [
        Record("report-1", bytes(range(256)), {"type": "ReportReceived", "note": "hémoglobine glyquée — 5,6 %"}),
        Record("report-1", b"", {}),
        Record("clé-œuvre-日本", '{"é": 1}'.encode(), {"名": "值", "empty": ""}),
    ]
    await bus.publish(topic, published)
    found = await take(bus, topic, 3)
    assert sorted((r.key, r.value, dict(r.headers)) for r in found if r.value) == sorted(
        (r.key, r.value, dict(r.headers)) for r in published if r.value
    )
    assert [dict(r.headers) for r in found if not r.value] == [{}]


async def test_a_batch_that_is_not_done_is_given_again_before_any_other(bus: Bus, topic: str) -> None:
    await bus.publish(topic, numbered(5))
    async with reading(bus, topic, max_records=3) as reader:
        first, again = await reader.next(), await reader.next()
        assert numbers(first.records) == numbers(again.records)
        await again.done()
        assert numbers((await reader.next()).records)[0] == len(first.records)


async def test_what_is_not_done_comes_back_after_a_restart_and_what_is_done_does_not(url: str, topic: str) -> None:
    async with opened(connect(url, topics=[topic])) as bus:
        await bus.publish(topic, numbered(10))
        async with reading(bus, topic, max_records=4) as reader:
            done = await reader.next()
            await done.done()
            left_in_hand = await reader.next()
    async with opened(connect(url, topics=[topic])) as bus:
        rest = await take(bus, topic, 10 - len(done.records))
    assert numbers(rest)[: len(left_in_hand.records)] == numbers(left_in_hand.records)
    assert numbers(done.records) + numbers(rest) == list(range(10))


async def test_done_called_twice_does_no_harm(bus: Bus, topic: str) -> None:
    await bus.publish(topic, numbered(4))
    async with reading(bus, topic, max_records=2) as reader:
        first = await reader.next()
        await first.done()
        second = await reader.next()
        await first.done()
        assert numbers((await reader.next()).records) == numbers(second.records)
        await second.done()
    assert await bus.lag(topic, "readers") == 4 - len(first.records) - len(second.records)


async def test_groups_do_not_disturb_one_another(bus: Bus, topic: str) -> None:
    await bus.publish(topic, numbered(6))
    assert numbers(await take(bus, topic, 6, group="mss-sender")) == list(range(6))
    await bus.publish(topic, numbered(2, start=6))
    assert numbers(await take(bus, topic, 8, group="dmp-feeder")) == list(range(8))
    assert numbers(await take(bus, topic, 2, group="mss-sender")) == [6, 7]


async def test_a_reader_that_waits_gets_what_is_published_next(bus: Bus, topic: str) -> None:
    async with reading(bus, topic) as reader:
        waiting = asyncio.create_task(reader.take(1))
        await bus.publish(topic, numbered(1, start=41))
        assert numbers(await waiting) == [41]
        waiting = asyncio.create_task(reader.take(1))
        await bus.publish(topic, numbered(1, start=42))
        assert numbers(await waiting) == [42]


async def test_a_batch_holds_no_more_records_than_asked_for(bus: Bus, topic: str) -> None:
    await bus.publish(topic, numbered(25))
    async with reading(bus, topic, max_records=10) as reader:
        sizes: list[int] = []
        while sum(sizes) < 25:
            batch = await reader.next()
            sizes.append(len(batch.records))
            await batch.done()
    assert max(sizes) <= 10
    assert sum(sizes) == 25


async def test_a_batch_of_big_records_is_bounded_in_memory(bus: Bus, topic: str) -> None:
    big = [Record("report-1", bytes([number]) * 900_000) for number in range(20)]
    await bus.publish(topic, big)
    found: list[int] = []
    async with reading(bus, topic) as reader:
        while len(found) < 20:
            batch = await reader.next()
            assert sum(len(record.value) for record in batch.records) <= MAX_BATCH_BYTES
            found += [record.value[0] for record in batch.records]
            await batch.done()
    assert found == list(range(20))


async def test_five_thousand_records_are_published_at_once(bus: Bus, topic: str) -> None:
    await bus.publish(topic, [Record("report-1", b"%d" % n + b"." * 2_000) for n in range(5_000)])
    found = await take(bus, topic, 5_000)
    assert [int(record.value.rstrip(b".")) for record in found] == list(range(5_000))


async def test_a_record_beyond_the_limit_is_refused_and_nothing_of_its_publication_is_appended(
    bus: Bus, topic: str
) -> None:
    with pytest.raises(RecordTooLarge):
        await bus.publish(topic, [*numbered(1), Record("report-1", b"x" * (MAX_RECORD_BYTES + 1))])
    await bus.publish(topic, [Record("k", b"y" * (MAX_RECORD_BYTES - 4))])
    assert [record.value[:1] for record in await take(bus, topic, 1)] == [b"y"]
    assert await bus.lag(topic, "readers") == 0


async def test_publications_at_the_same_time_all_arrive_each_in_its_order(bus: Bus, topic: str) -> None:
    async def publisher(number: int) -> None:
        for start in range(0, 20, 2):
            await bus.publish(topic, numbered(2, key=f"report-{number}", start=start))

    await asyncio.gather(*(publisher(number) for number in range(50)))
    by_key = defaultdict(list)
    for record in await take(bus, topic, 1_000):
        by_key[record.key].append(int(record.value))
    assert by_key == {f"report-{number}": list(range(20)) for number in range(50)}


async def test_a_publication_whose_caller_gives_up_leaves_the_log_in_order(bus: Bus, topic: str) -> None:
    tasks = [asyncio.create_task(bus.publish(topic, numbered(1, start=number))) for number in range(20)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [outcome for outcome in outcomes if outcome is not None] == [outcomes[7]]
    await bus.publish(topic, numbered(1, start=20))
    async with reading(bus, topic) as reader:
        found: list[int] = []
        while 20 not in found:
            found += numbers(await reader.take(1))
    assert set(range(21)) - set(found) <= {7}
    assert found == sorted(found)


async def test_an_empty_publication_does_nothing(bus: Bus, topic: str) -> None:
    await bus.publish(topic, [])
    assert await bus.lag(topic, "readers") == 0


async def test_the_lag_counts_what_is_not_done(bus: Bus, topic: str) -> None:
    await bus.publish(topic, [record for key in range(5) for record in numbered(4, key=f"report-{key}")])
    assert await bus.lag(topic, "readers") == 20
    await take(bus, topic, 20)
    assert await bus.lag(topic, "readers") == 0
    await bus.publish(topic, numbered(3))
    assert await bus.lag(topic, "readers") == 3


async def test_a_topic_that_was_not_announced_is_made_at_its_first_use(bus: Bus, topic: str) -> None:
    dead = f"{topic}.readers.dead"
    await bus.publish(dead, numbered(2))
    assert numbers(await take(bus, dead, 2)) == [0, 1]


async def test_a_reader_of_a_topic_that_does_not_exist_waits_for_its_first_record(bus: Bus, topic: str) -> None:
    later = f"{topic}.later"
    async with reading(bus, later) as reader:
        waiting = asyncio.create_task(reader.take(1))
        await bus.publish(later, numbered(1))
        assert numbers(await waiting) == [0]


async def test_closing_the_log_ends_its_readers(url: str, topic: str) -> None:
    bus = connect(url, topics=[topic])
    await bus.open()

    async def read_all() -> list[int]:
        found: list[int] = []
        async for batch in bus.read(topic, "readers"):
            found += numbers(batch.records)
            await batch.done()
        return found

    reader = asyncio.create_task(read_all())
    await bus.publish(topic, numbered(3))
    while await bus.lag(topic, "readers"):
        await asyncio.sleep(0.01)
    await bus.close()
    async with asyncio.timeout(5):
        assert await reader == [0, 1, 2]


async def test_a_closed_log_is_unavailable(url: str, topic: str) -> None:
    bus = connect(url, topics=[topic])
    await bus.open()
    await bus.publish(topic, numbered(1))
    await bus.close()
    with pytest.raises(BusUnavailable):
        await bus.publish(topic, numbered(1))


async def test_members_of_a_group_share_the_work_and_none_of_it_is_lost_when_one_leaves(bus: Bus, topic: str) -> None:
    found: dict[str, list[Record]] = {"first": [], "second": []}

    async def member(name: str) -> None:
        async for batch in bus.read(topic, "readers", max_records=5):
            found[name] += batch.records
            await batch.done()

    def seen() -> set[tuple[str, int]]:
        return {(record.key, int(record.value)) for records in found.values() for record in records}

    first, second = asyncio.create_task(member("first")), asyncio.create_task(member("second"))
    keys = [f"report-{number}" for number in range(12)]
    for start in range(0, 50, 10):
        await bus.publish(topic, [record for key in keys for record in numbered(10, key=key, start=start)])
    await until(lambda: len(seen()) == 12 * 50)
    first.cancel()
    await asyncio.wait([first])
    await bus.publish(topic, [record for key in keys for record in numbered(10, key=key, start=50)])
    await until(lambda: len(seen()) == 12 * 60)
    for name, records in found.items():
        by_key = defaultdict(list)
        for record in records:
            by_key[record.key].append(int(record.value))
        assert all(values == sorted(values) for values in by_key.values()), f"{name} saw a key out of order"
    second.cancel()
    await asyncio.wait([second])
