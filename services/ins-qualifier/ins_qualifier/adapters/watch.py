"""How many reports wait and for how long, as metrics."""

import asyncio

from prometheus_client import Gauge

from ins_qualifier.adapters.desk import Desk
from ins_qualifier.core.gate import Gate
from labohub.errors import Unavailable
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger

log = get_logger(__name__)

EVERY_SECONDS = 15.0  # as often as metrics are usually collected

OPEN_CHECKS = Gauge("ins_qualifier_open_checks", "Identity checks not ended, by state.", ["state"])
OLDEST_SECONDS = Gauge("ins_qualifier_oldest_check_seconds", "Age of the oldest identity check not ended.")
INSI_PAUSED = Gauge("ins_qualifier_insi_paused", "1 while INSi is not called after failures.")


async def watch(desk: Desk, gate: Gate, clock: Clock) -> None:
    """Set the metrics for as long as the service runs."""
    while True:
        try:
            await measure(desk, gate, clock)
        except Unavailable as error:
            log.warning("identity.watch-waits", code=error.code)
        except Exception as error:
            log.bug("identity.watch-failed", error)  # metrics never stop the service
        await asyncio.sleep(EVERY_SECONDS)


async def measure(desk: Desk, gate: Gate, clock: Clock) -> None:
    """Set the metrics once."""
    queue = await desk.queue(gate)
    OPEN_CHECKS.labels("due").set(queue.due)
    OPEN_CHECKS.labels("waiting").set(queue.waiting)
    OLDEST_SECONDS.set((clock() - queue.oldest_at).total_seconds() if queue.oldest_at else 0)
    INSI_PAUSED.set(gate.closed_until is not None)
