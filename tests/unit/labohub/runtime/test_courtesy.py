"""Who is waited for goes first, and nothing starves."""

import asyncio

from labohub.runtime import courtesy as module
from labohub.runtime.courtesy import Courtesy


async def test_work_goes_at_once_when_nobody_waits() -> None:
    courtesy = Courtesy()

    async with courtesy.turn(), courtesy.turn():  # none holds up another
        await courtesy.give_way()

    assert not courtesy.is_asked


async def test_work_begins_when_the_last_peer_has_its_answer() -> None:
    courtesy, begun = Courtesy(), asyncio.Event()

    async def work() -> None:
        await courtesy.give_way(seconds=3600)
        begun.set()

    with courtesy.asking():
        with courtesy.asking():
            task = asyncio.create_task(work())
            await asyncio.sleep(0)
        assert courtesy.is_asked
        assert not begun.is_set()
    await asyncio.wait_for(task, 5)

    assert begun.is_set()


async def test_work_goes_on_though_peers_never_cease_to_wait() -> None:
    courtesy = Courtesy()

    with courtesy.asking():
        await asyncio.wait_for(courtesy.give_way(), 5)
        for _ in range(3):
            async with courtesy.turn():
                await asyncio.sleep(0)

        assert courtesy.is_asked


async def test_while_a_peer_waits_work_takes_turns() -> None:
    courtesy, at_work, most = Courtesy(), 0, 0

    async def work() -> None:
        nonlocal at_work, most
        async with courtesy.turn():
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= 1

    with courtesy.asking():
        await asyncio.gather(*(work() for _ in range(5)))

    assert most == 1


async def test_a_turn_is_followed_by_as_long_a_time_for_the_peers_and_never_more_than_the_limit(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    courtesy, waited = Courtesy(), list[float]()
    moments = iter((0.0, 0.02, 10.0, 99.0, 200.0, 200.0))
    monkeypatch.setattr(module, "perf_counter", lambda: next(moments))

    async def noted(seconds: float) -> None:
        waited.append(round(seconds, 3))

    monkeypatch.setattr(courtesy, "give_way", noted)
    with courtesy.asking():
        for _ in range(3):
            async with courtesy.turn():
                pass

    assert waited == [0.0, 0.02, module.LONGEST_SECONDS]


async def test_a_turn_that_fails_lets_the_next_one_begin() -> None:
    courtesy = Courtesy()

    with courtesy.asking():
        try:
            async with courtesy.turn():
                raise ValueError
        except ValueError:
            pass
        async with asyncio.timeout(5), courtesy.turn():
            assert courtesy.is_asked
