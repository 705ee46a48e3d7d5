"""`labohub replay`: dead letters back to their topics."""

from labohub.bus.connect import connect
from labohub.contracts.topics import ALL
from labohub.runtime.dead_letters import bring_back
from labohub.runtime.settings import LabohubSettings, read_settings


async def replay_all(service: str) -> dict[str, int]:
    """Return how many dead letters of a service went back, by topic. Raises: Unavailable, Misconfigured."""
    bus = connect(read_settings(LabohubSettings).effective_bus_url(), topics=ALL)
    await bus.open()
    try:
        return {topic: await bring_back(bus, topic, service) for topic in ALL}
    finally:
        await bus.close()
