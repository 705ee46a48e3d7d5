"""Faults that a test asks of the simulators: outage, slowness, codes, cut connections."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. `kind`: outage, slow, fault, cut, full, silent…; `code` is the service's own."""

    kind: str
    code: str = ""
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Order:
    fault: Fault
    rate: float
    until: float


class Faults:
    """The faults in force, each for a service, a share of the calls and a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._orders: dict[str, list[_Order]] = {}

    def order(
        self,
        service: str,
        kind: str,
        *,
        rate: float = 1.0,
        seconds: float = 60.0,
        code: str = "",
        delay_seconds: float = 1.0,
    ) -> None:
        """Put a fault in force for `seconds`, on `rate` (0 to 1) of the calls."""
        order = _Order(Fault(kind, code, delay_seconds), rate, self._clock() + seconds)
        self._orders.setdefault(service, []).append(order)

    def clear(self) -> None:
        """End all faults."""
        self._orders.clear()

    def active(self, service: str) -> Fault | None:
        """Return the fault that strikes this call, if any."""
        now = self._clock()
        alive = [order for order in self._orders.get(service, []) if order.until > now]
        self._orders[service] = alive
        for order in alive:
            if self._random.random() < order.rate:
                return order.fault
        return None
