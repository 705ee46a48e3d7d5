"""URLs of the event log."""

import ssl
from pathlib import Path

import pytest

from labohub.bus import connect
from labohub.bus.connect import BusUrlMalformed
from labohub.bus.embedded import EmbeddedBus
from labohub.bus.kafka import KafkaBus
from labohub.bus.kafka_options import KafkaFilesUnreadable, KafkaOptions


def test_a_sqlite_url_names_a_file(tmp_path: Path) -> None:
    assert isinstance(connect(f"sqlite:///{tmp_path}/bus.sqlite?retention_days=7", topics=[]), EmbeddedBus)


def test_a_kafka_url_names_brokers() -> None:
    assert isinstance(connect("kafka://one:9092,two:9092", topics=[]), KafkaBus)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis://localhost",
        "sqlite://",
        "sqlite://relative.sqlite",
        "sqlite:///a.sqlite?retention_days=soon",
        "sqlite:///a.sqlite?other=1",
        "kafka://",
        "kafka://host",
        "kafka://host:0",
        "kafka://host:99999",
        "kafka://host:9092?partitions=0",
        "kafka://host:9092?partitions=many",
        "kafka://host:9092?servers=x",
        "kafka://host:9092?password=x",
        "kafka://host:9092?tls=perhaps",
        "kafka://host:9092?tls_cert=/a.pem",
        "kafka://host:9092?sasl_mechanism=GSSAPI",
    ],
)
def test_a_url_that_is_wrong_stops_the_start(url: str) -> None:
    with pytest.raises(BusUrlMalformed):
        connect(url, topics=[])


def test_an_error_in_the_url_does_not_show_the_password() -> None:
    with pytest.raises(BusUrlMalformed) as caught:
        connect("kafka://hub:s3cret-word@host:9092?partitions=s3cret-word", topics=[])
    assert "s3cret-word" not in str(caught.value)
    assert "partitions" in str(caught.value)


def test_options_of_the_url_are_read() -> None:
    options = KafkaOptions.read(
        "hub:p%40ss%3Aword@a:1,b:2",
        {"partitions": "12", "replication": "3", "timeout_seconds": "2.5", "tls": "true"},
    )
    assert options.servers == ("a:1", "b:2")
    assert (options.username, options.password) == ("hub", "p@ss:word")
    assert (options.partitions, options.replication, options.timeout_seconds) == (12, 3, 2.5)
    assert "p@ss" not in repr(options)


@pytest.mark.parametrize(
    ("address", "query", "protocol"),
    [
        ("a:1", {}, "PLAINTEXT"),
        ("a:1", {"tls": "1"}, "SSL"),
        ("hub:x@a:1", {}, "SASL_PLAINTEXT"),
        ("hub:x@a:1", {"tls": "1"}, "SASL_SSL"),
    ],
)
def test_the_protocol_follows_from_tls_and_a_user(address: str, query: dict[str, str], protocol: str) -> None:
    arguments = KafkaOptions.read(address, query).client_arguments()
    assert arguments["security_protocol"] == protocol
    context = arguments["ssl_context"]
    assert (context is not None) == ("SSL" in protocol.replace("SASL", ""))
    if context is not None:
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname


def test_certificates_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    options = KafkaOptions.read("a:1", {"tls_ca": str(tmp_path / "absent.pem")})
    with pytest.raises(KafkaFilesUnreadable):
        options.client_arguments()


def test_three_copies_mean_that_two_have_acknowledged() -> None:
    assert KafkaOptions.read("a:1", {"replication": "3"}).topic_settings()["min.insync.replicas"] == "2"
    assert "min.insync.replicas" not in KafkaOptions.read("a:1", {}).topic_settings()
