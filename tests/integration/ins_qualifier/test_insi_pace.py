"""Calls that wait for their turn, on the real loop."""

import asyncio
import time

import pytest

from ins_qualifier.adapters.insi_pace import Pace
from ins_qualifier.settings import InsQualifierSettings


async def test_no_more_calls_start_than_the_setting_says() -> None:
    pace, started = Pace(50), time.monotonic()

    await asyncio.gather(*(pace.turn(bulk=False) for _ in range(75)))

    assert time.monotonic() - started >= 0.48  # a burst of 50, then 25 at 50 a second


async def test_a_live_call_overtakes_the_bulk_that_waits() -> None:
    pace, order = Pace(40), list[str]()

    async def call(name: str, *, bulk: bool) -> None:
        await pace.turn(bulk=bulk)
        order.append(name)

    await asyncio.gather(*(pace.turn(bulk=True) for _ in range(40)))  # the burst
    bulk = [asyncio.create_task(call(f"bulk {number}", bulk=True)) for number in range(5)]
    await asyncio.sleep(0)
    live = [asyncio.create_task(call(f"live {number}", bulk=False)) for number in range(3)]
    await asyncio.gather(*bulk, *live)

    assert order[:3] == ["live 0", "live 1", "live 2"]
    assert order[3:] == [f"bulk {number}" for number in range(5)]


async def test_a_call_that_is_given_up_leaves_its_turn_to_the_next() -> None:
    pace = Pace(20)
    await asyncio.gather(*(pace.turn(bulk=False) for _ in range(20)))
    given_up = [asyncio.create_task(pace.turn(bulk=False)) for _ in range(5)]
    last = asyncio.create_task(pace.turn(bulk=False))
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    started = time.monotonic()

    await last

    assert time.monotonic() - started < 0.2  # one token, not six


@pytest.mark.parametrize(("per_second", "expected"), [(200, 16), (10, 16), (2, 5), (0.01, 1)])
def test_a_batch_takes_only_as_many_checks_as_get_their_turns_within_half_a_lease(
    per_second: float, expected: int
) -> None:
    settings = InsQualifierSettings(calls_per_second=per_second)

    assert settings.checks_at_once() == expected
