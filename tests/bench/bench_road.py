"""Reports all the way: from MLLP to MessageSettled, with the simulators in a process of their own."""

import asyncio
import tempfile
from pathlib import Path

from labohub.contracts.events import MessageSettled
from tests.bench import load
from tests.bench.engines import ENGINES, QUIET_SECONDS, Running
from tests.bench.figures import Figures, percentiles
from tests.bench.load import Message, Sent
from tests.bench.usage import Usage, usage

WARM_UP = 30
CONNECTIONS = 4
PACE_PER_SECOND = {"embedded": 10.0, "distributed": 5.0}
PATIENCE_SECONDS = 120.0


def run(figures: Figures, engine: str, scale: float) -> None:
    """Measure one engine: the pace it reaches, then its delays at a steady pace."""
    with tempfile.TemporaryDirectory(prefix="labohub-bench-") as name, ENGINES[engine](Path(name)) as running:
        asyncio.run(_all(figures, running, engine, scale))


async def _all(figures: Figures, running: Running, engine: str, scale: float) -> None:
    total = await _warm_up(running)
    idle = _of_hub(running)
    if engine == "embedded":
        figures.add("memory", engine=running.engine, moment="idle", processes=idle.processes, pss_mb=_mb(idle))
    for mix, count in (("relay", 300), ("structuring", 300), ("relay 150 kB", 150)):
        total += await _flood(figures, running, mix, max(int(count * scale), 30), total)
    if engine == "embedded":
        after = _of_hub(running)
        figures.add(
            "memory",
            engine=running.engine,
            moment=f"after {total} reports",
            processes=after.processes,
            pss_mb=_mb(after),
        )
    await _paced(figures, running, PACE_PER_SECOND[engine], max(15 * scale, 5), total)


async def _warm_up(running: Running) -> int:
    messages = load.mixed(WARM_UP)
    await load.push(messages, running.mllp, connections=2)
    await running.settled(len(messages), PATIENCE_SECONDS)
    await asyncio.sleep(QUIET_SECONDS)
    return len(messages)


async def _flood(figures: Figures, running: Running, mix: str, count: int, before: int) -> int:
    """Send all at once and see when the last one is settled; then who used the processor."""
    messages = load.KINDS[mix](count)
    used = _by_service(running)
    sent = await load.push(messages, running.mllp, connections=CONNECTIONS)
    await running.settled(before + count, PATIENCE_SECONDS)
    await asyncio.sleep(QUIET_SECONDS)
    spent = {name: (after - used[name]) * 1000 / count for name, after in _by_service(running).items()}
    ends = _ends(await running.ends(), messages)
    seconds = max(end.occurred_at.timestamp() for end in ends.values()) - min(sent.at.values())
    hub = sum(spent[name] for name in running.hub)
    figures.add(
        "road",
        engine=running.engine,
        mix=mix,
        message_kb=round(sum(len(message.frame) for message in messages) / count / 1000, 1),
        reports=count,
        reports_per_second=round(count / seconds, 1),
        acks_per_second=round(count / sent.seconds, 1),
        hub_cpu_ms_per_report=round(hub, 1),
        not_delivered=sum(end.state != "delivered" for end in ends.values()),
    )
    figures.add("cpu", engine=running.engine, mix=mix, **{name: round(ms, 1) for name, ms in spent.items()})
    return count


async def _paced(figures: Figures, running: Running, per_second: float, seconds: float, before: int) -> None:
    """Send at a steady pace and see how long each report takes."""
    messages = load.mixed(int(per_second * seconds))
    sent = await load.push(messages, running.mllp, connections=CONNECTIONS, per_second=per_second)
    await running.settled(before + len(messages), PATIENCE_SECONDS)
    delays = _delays(_ends(await running.ends(), messages), sent)
    figures.add(
        "delay",
        engine=running.engine,
        mix="mixed",
        sent_per_second=per_second,
        reports=len(messages),
        **percentiles(delays),
        slowest_ms=round(max(delays) * 1000, 1),
        ack_p50_ms=percentiles(sent.waits)["p50_ms"],
    )


def _ends(ends: dict[str, MessageSettled], messages: list[Message]) -> dict[str, MessageSettled]:
    return {message.control_id: ends[message.control_id] for message in messages}


def _delays(ends: dict[str, MessageSettled], sent: Sent) -> list[float]:
    return [ends[control_id].occurred_at.timestamp() - at for control_id, at in sent.at.items()]


def _by_service(running: Running) -> dict[str, float]:
    everyone = {**running.hub, **running.others}
    return {name: usage(pid).cpu_seconds for name, pid in everyone.items()}


def _of_hub(running: Running) -> Usage:
    parts = [usage(pid) for pid in running.hub.values()]
    return Usage(
        sum(part.cpu_seconds for part in parts),
        sum(part.pss_mb for part in parts),
        sum(part.processes for part in parts),
    )


def _mb(used: Usage) -> float:
    return round(used.pss_mb, 1)
