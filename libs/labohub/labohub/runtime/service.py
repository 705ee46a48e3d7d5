"""What a service is: tables of what it listens to, what it works on, what it serves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter
from sqlalchemy import MetaData

from labohub.bus.port import Bus
from labohub.contracts.events import Event
from labohub.runtime.clock import Clock
from labohub.runtime.courtesy import Courtesy
from labohub.runtime.settings import LabohubSettings
from labohub.runtime.telemetry import current_traceparent
from labohub.store.blobs import Blobs
from labohub.store.database import Database
from labohub.store.unit import Unit, Units

Handler = Callable[[Any, Any], Awaitable[None]]  # (event, unit), inside the inbox transaction: no network
Work = Callable[[Units[Any], datetime], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Worker:
    """A loop over work on the outside world. `run` returns False when nothing is due.

    It is called again at once after True, after each commit that adds or settles work, and every `idle_seconds`.
    """

    name: str
    run: Work
    concurrency: int = 1
    idle_seconds: float = 1.0


class Listener(Protocol):
    """Something that accepts from outside: a socket, a mailbox."""

    name: str

    async def start(self) -> None:
        """Return when it accepts."""

    async def stop(self) -> None:
        """Accept no more, finish what is under way."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service, built and ready to run."""

    name: str
    database: Database
    unit_type: type[Unit]
    subscriptions: Mapping[type[Event], Handler]
    workers: Sequence[Worker] = ()
    listeners: Sequence[Listener] = ()
    routers: Sequence[APIRouter] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = ()  # loops for as long as the service runs
    facts: Callable[[], Mapping[str, str]] | None = None  # what `/readyz` says of it beside yes or no
    closing: Sequence[Callable[[], Awaitable[None]]] = ()  # clients to close, pools to shut down

    @property
    def units(self) -> Units[Any]:
        """Return the factory of its units of work."""
        return self.database.units(self.unit_type)


@dataclass(frozen=True, slots=True)
class Platform:
    """What every service is given."""

    settings: LabohubSettings
    bus: Bus
    blobs: Blobs
    clock: Clock
    databases: list[Database] = field(default_factory=list)
    courtesy: Courtesy = field(default_factory=Courtesy)

    def database(self, name: str, metadata: MetaData) -> Database:
        """Return the database of a service: a file or a schema of that name."""
        url = self.settings.effective_store_url()
        database = Database(url, name.replace("-", "_"), metadata, self.clock, current_traceparent)
        self.databases.append(database)
        return database
