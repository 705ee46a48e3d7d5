"""The event log on a Kafka broker that asks for TLS, a client certificate and a password."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from labohub.bus import BusUnavailable, connect
from labohub.bus.kafka_errors import KafkaRefusesUs
from labosim.pki import Pki
from tests.support.bus import numbered, numbers, opened, take
from tests.support.kafka import KafkaBroker
from tests.support.ports import free_ports

PASSWORD = "pass:word@with/signs"  # what a URL must quote

SECURED = """
listeners=PLAINTEXT://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller_port}},SASL_SSL://127.0.0.1:{tls_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},SASL_SSL://127.0.0.1:{tls_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.sasl_ssl.ssl.client.auth=required
"""


@dataclass(frozen=True)
class Secured:
    port: int
    pki: Pki

    def url(self, *, password: str = PASSWORD, certificate: bool = True) -> str:
        files = f"tls_ca={self.pki.ca_pem}"
        if certificate:
            files += f"&tls_cert={self.pki.cert('labo-auth')}&tls_key={self.pki.key('labo-auth')}"
        who = f"hub:{quote(password, safe='')}"
        return f"kafka://{who}@127.0.0.1:{self.port}?{files}&open_seconds=0.5&timeout_seconds=10"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("pki")
    pki = Pki.create(folder)
    keystore = folder / "broker.pem"
    keystore.write_bytes(pki.key("hub-server").read_bytes() + pki.cert("hub-server").read_bytes())
    (port,) = free_ports()
    extra = SECURED.format(tls_port=port, keystore=keystore, truststore=pki.ca_pem)
    broker = KafkaBroker(extra=extra, scram=("hub", PASSWORD))
    try:
        broker.start()
        yield Secured(port, pki)
    finally:
        broker.stop()


async def test_records_travel_over_tls_with_a_certificate_and_a_password(secured: Secured, topic: str) -> None:
    async with opened(connect(secured.url(), topics=[topic])) as bus:
        await bus.publish(topic, numbered(5))
        assert numbers(await take(bus, topic, 5)) == list(range(5))
        assert await bus.lag(topic, "readers") == 0


async def test_a_wrong_password_is_for_the_operator(secured: Secured, topic: str) -> None:
    bus = connect(secured.url(password="other"), topics=[topic])
    with pytest.raises(KafkaRefusesUs) as caught:
        await bus.open()
    assert "other" not in str(caught.value)
    await bus.close()


async def test_without_a_client_certificate_nothing_is_served(secured: Secured, topic: str) -> None:
    bus = connect(secured.url(certificate=False), topics=[topic])
    with pytest.raises(BusUnavailable):
        await bus.open()
    await bus.close()


async def test_a_broker_of_an_unknown_authority_is_not_trusted(secured: Secured, topic: str, tmp_path: Path) -> None:
    stranger = Secured(secured.port, Pki.create(tmp_path / "stranger"))
    bus = connect(stranger.url(), topics=[topic])
    with pytest.raises(KafkaRefusesUs):
        await bus.open()
    await bus.close()
