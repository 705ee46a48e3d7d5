"""How long to wait before trying again."""


def backoff_seconds(attempt: int, *, first: float, cap: float, fraction: float) -> float:
    """Return the wait after the `attempt`-th failure (1, 2, …): doubled each time, at most `cap`, seconds.

    `fraction` in [0, 1) comes from the caller's random source and takes off up to half, so that
    those who failed together do not come back together.
    """
    wait = min(cap, first * 2.0 ** min(max(attempt, 1) - 1, 30))
    return wait * (1.0 - fraction / 2.0)
