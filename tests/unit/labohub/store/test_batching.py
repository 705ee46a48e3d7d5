"""Group commit."""

import asyncio

import pytest

from labohub.errors import Unavailable
from labohub.store.batching import Batcher


async def test_items_that_wait_are_written_together_and_each_gets_its_answer() -> None:
    batches: list[list[int]] = []
    gate = asyncio.Event()

    async def flush(items: list[int]) -> list[int]:
        batches.append(items)
        await gate.wait()
        return [item * 10 for item in items]

    batcher = Batcher(flush, max_items=3)
    first = asyncio.create_task(batcher.submit(0))
    while not batches:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(batcher.submit(number)) for number in range(1, 6)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(first, *rest) == [0, 10, 20, 30, 40, 50]
    assert batches == [[0], [1, 2, 3], [4, 5]]
    await batcher.close()


async def test_a_batch_that_fails_fails_its_own_items_only() -> None:
    async def flush(items: list[int]) -> list[int]:
        if 1 in items:
            raise OSError
        return items

    batcher = Batcher(flush, max_items=1)
    results = await asyncio.gather(*(batcher.submit(number) for number in range(3)), return_exceptions=True)
    assert results[0] == 0
    assert isinstance(results[1], OSError)
    assert results[2] == 2


async def test_an_item_whose_caller_left_does_not_stop_the_others() -> None:
    gate = asyncio.Event()

    async def flush(items: list[int]) -> list[int]:
        await gate.wait()
        return items

    batcher = Batcher(flush, max_items=10)
    gone, stays = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    gone.cancel()
    gate.set()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_an_item_nobody_can_write_fails_alone() -> None:
    batches: list[list[int]] = []

    async def flush(items: list[int]) -> list[int]:
        batches.append(items)
        if 1 in items:
            raise ValueError
        return items

    batcher = Batcher(flush, max_items=8)
    results = await asyncio.gather(*(batcher.submit(number) for number in range(4)), return_exceptions=True)
    assert [result if isinstance(result, int) else type(result) for result in results] == [0, ValueError, 2, 3]
    assert batches == [[0, 1, 2, 3], [0], [1], [2], [3]]


async def test_when_nothing_can_be_written_now_nothing_is_tried_one_by_one() -> None:
    batches: list[list[int]] = []

    async def flush(items: list[int]) -> list[int]:
        batches.append(items)
        raise Unavailable("the disk is full")

    batcher = Batcher(flush, max_items=8)
    results = await asyncio.gather(*(batcher.submit(number) for number in range(4)), return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert batches == [[0, 1, 2, 3]]
