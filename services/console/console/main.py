"""The console, built from its settings."""

from zoneinfo import ZoneInfo

from console.adapters.api import api_router
from console.adapters.documents import Archive
from console.adapters.live import Live, live_router
from console.adapters.tables import metadata
from console.adapters.unit import ConsoleUnit
from console.adapters.web.exports import csv_router, files_router
from console.adapters.web.pages import pages_router
from console.handlers import show
from console.settings import ConsoleSettings
from labohub.contracts.events import EVENTS
from labohub.runtime.service import Platform, Service


def build(settings: ConsoleSettings, platform: Platform) -> Service:
    """Return the console: it hears every event, writes a read model, serves the API and the pages."""
    database = platform.database("console", metadata)
    archive = Archive(database, platform.blobs, platform.clock)
    live = Live(database, settings.live_poll_seconds)
    return Service(
        name="console",
        database=database,
        unit_type=ConsoleUnit,
        subscriptions=dict.fromkeys(EVENTS.values(), show),
        routers=[
            api_router(database, archive),
            live_router(live),
            csv_router(database, platform.clock, ZoneInfo(settings.time_zone)),
            files_router(archive),
            pages_router(settings, database, platform.clock),
        ],
        listeners=[live],
    )


def main() -> None:
    """Run the console alone."""
    from labohub.runtime.run import main as run

    run(ConsoleSettings, build)
