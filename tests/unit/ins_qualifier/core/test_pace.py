"""How many calls in a second, and whose turn it is."""

from ins_qualifier.core.pace import LIVE_BEFORE_BULK, Bucket, Turns


def test_a_rested_bucket_lets_a_burst_go_then_one_call_for_each_token() -> None:
    bucket = Bucket(per_second=8, burst=3)

    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(100.125)
    assert not bucket.take(100.125)


def test_the_wait_for_the_next_token_is_told_exactly() -> None:
    bucket = Bucket(per_second=4, burst=1)
    assert bucket.take(5.0)

    assert bucket.seconds_to_next(5.0) == 0.25
    assert not bucket.take(5.2)
    assert bucket.take(5.25)


def test_idle_time_never_gives_more_than_the_burst() -> None:
    bucket = Bucket(per_second=100, burst=2)

    assert [bucket.take(3600.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_stands_still_or_steps_back_gives_no_token() -> None:
    bucket = Bucket(per_second=1, burst=1)
    assert bucket.take(10.0)

    assert not bucket.take(10.0)
    assert not bucket.take(3.0)
    assert bucket.take(11.0)


def test_never_more_calls_than_the_rate_over_any_second() -> None:
    bucket, taken = Bucket(per_second=20, burst=20), []
    for millisecond in range(5000):
        while bucket.take(1.0 + millisecond / 1000):
            taken.append(millisecond)

    assert len(taken) == 20 + 20 * 5 - 1
    assert max(sum(start <= one < start + 1000 for one in taken) for start in range(0, 4000, 50)) <= 40


def test_live_calls_go_first_and_bulk_ones_are_not_starved() -> None:
    turns = Turns()

    order = [turns.is_bulk_next(live_waits=True, bulk_waits=True) for _ in range(2 * (LIVE_BEFORE_BULK + 1))]

    assert order == 2 * ([False] * LIVE_BEFORE_BULK + [True])


def test_alone_each_kind_has_every_turn() -> None:
    turns = Turns()

    assert not any(turns.is_bulk_next(live_waits=True, bulk_waits=False) for _ in range(50))
    assert all(turns.is_bulk_next(live_waits=False, bulk_waits=True) for _ in range(50))
    assert not turns.is_bulk_next(live_waits=True, bulk_waits=True)
