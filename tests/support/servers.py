"""The real servers that tests ask for: started at the first use, stopped with the test run."""

from collections.abc import Iterator

import pytest

from tests.support.kafka import KafkaBroker
from tests.support.postgres import PostgresServer, ServerMissing

__all__ = ["KafkaBroker", "PostgresServer", "ServerMissing", "kafka_broker", "postgres_server"]


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[KafkaBroker]:
    """A broker that all tests share: they share its topics' names too, unless they make their own."""
    broker = KafkaBroker()
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A cluster that all tests share; each takes a fresh database."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()
