"""Print the events of the hub as they come: a reader of its own, which disturbs nobody.

python examples/read_events.py [BUS_URL] [COUNT]      e.g. sqlite:///var/demo/data/bus.sqlite
"""

import asyncio
import sys

from labohub.bus.connect import connect
from labohub.contracts.codec import from_record
from labohub.contracts.topics import ALL, MESSAGE


async def main(url: str, count: int) -> None:
    """Print `count` terminal states, then leave. Event values hold identities: print identifiers only."""
    bus = connect(url, topics=ALL)
    await bus.open()
    try:
        async for batch in bus.read(MESSAGE, "example-reader"):
            for record in batch.records:
                event = from_record(record)
                print(event.occurred_at.isoformat(), type(event).STEP, event.report_id, getattr(event, "state", ""))
                count -= 1
            await batch.done()  # the group's position moves: these events will not come back
            if count <= 0:
                return
    finally:
        await bus.close()


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else "sqlite:///var/demo/data/bus.sqlite"
    asyncio.run(main(where, int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000))
