"""PostgreSQL goes and comes back: what is asked next goes through, without a failure in between."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import MetaData, text

from labohub.store.blobs import connect
from labohub.store.database import Database, StoreUnavailable
from labohub.store.unit import Unit
from tests.support.postgres import PostgresServer


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    own = PostgresServer()
    own.start()
    yield own
    own.stop()


async def test_connections_that_the_server_closed_are_made_anew(server: PostgresServer) -> None:
    url = server.fresh_database()
    database = Database(url, "restarted", MetaData(), lambda: datetime.now(UTC))
    blobs = connect(url, bytes(32))
    await database.open()
    await blobs.open()

    async def ask() -> int:
        async with database.units(Unit)() as unit:
            return int((await unit.connection.execute(text("SELECT 1 FROM pg_sleep(0.02)"))).scalar_one())

    try:
        await asyncio.gather(*(ask() for _ in range(4)))
        kept = await blobs.put(b"kept", "text/plain")
        await asyncio.to_thread(server.kill)
        with pytest.raises(StoreUnavailable):
            await ask()
        await asyncio.to_thread(server.start)
        assert await asyncio.gather(*(ask() for _ in range(4))) == [1, 1, 1, 1]
        assert await blobs.read(kept) == b"kept"
    finally:
        await blobs.close()
        await database.close()
