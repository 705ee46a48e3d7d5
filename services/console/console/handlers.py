"""Event -> board. Transactional; never the network."""

from console.core.reading import facts_of
from console.ports import BoardUnit
from labohub.contracts.events import Event


async def show(event: Event, unit: BoardUnit) -> None:
    """Show an event on the board. Runs inside the inbox transaction."""
    await unit.board.show(facts_of(event), unit.now)
