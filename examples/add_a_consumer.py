"""A service of your own on the hub's log: it counts terminal states. Copy it as a start.

LABOHUB_BUS_URL=… LABOHUB_STORE_URL=… LABOHUB_HTTP_PORT=8099 python examples/add_a_consumer.py
"""

from datetime import datetime

from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Column, Integer, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from labohub.contracts.events import MessageSettled
from labohub.runtime.run import main
from labohub.runtime.service import Platform, Service
from labohub.store.sql import upsert
from labohub.store.unit import Unit

metadata = MetaData()
tally = Table("tally", metadata, Column("state", String, primary_key=True), Column("messages", Integer, nullable=False))


class TallySettings(BaseSettings):
    """Nothing to set; the shared settings are LABOHUB_…"""

    model_config = SettingsConfigDict(env_prefix="TALLY_")


class TallyUnit(Unit):
    """One transaction, on our table."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)

    async def count(self, state: str) -> None:
        """Add one to a state. The inbox sees to it that a repeated event is not counted twice."""
        known = await self.connection.scalar(select(tally.c.messages).where(tally.c.state == state))
        await upsert(self.connection, tally, [{"state": state, "messages": (known or 0) + 1}])


async def count_settled(event: MessageSettled, unit: TallyUnit) -> None:
    """Count one message's end."""
    await unit.count(event.state)


def build(_settings: TallySettings, platform: Platform) -> Service:
    """Return the service: a name, a database, and which event goes to which function."""
    return Service("tally", platform.database("tally", metadata), TallyUnit, {MessageSettled: count_settled})


if __name__ == "__main__":
    main(TallySettings, build)
