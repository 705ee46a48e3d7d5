"""How long to wait."""

from hypothesis import given
from hypothesis import strategies as st

from labohub.runtime.retry import backoff_seconds


def test_the_wait_doubles_until_the_cap() -> None:
    waits = [backoff_seconds(attempt, first=2, cap=10, fraction=0) for attempt in range(5)]
    assert waits == [2, 2, 4, 8, 10]


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_stays_between_half_the_first_and_the_cap(attempt: int, fraction: float) -> None:
    assert 1 <= backoff_seconds(attempt, first=2, cap=60, fraction=fraction) <= 60
