"""From a URL to an event log."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from labohub.bus.embedded import EmbeddedBus
from labohub.bus.kafka_options import KafkaOptions
from labohub.bus.port import Bus
from labohub.errors import Misconfigured


class BusUrlMalformed(Misconfigured):
    """The URL of the event log names no engine, or an option that the engine does not have."""

    code = "bus.url-malformed"


def connect(url: str, *, topics: Sequence[str]) -> Bus:
    """Return the log that the URL names, not opened yet.

    `sqlite:///relative/path` or `sqlite:////absolute/path`, option `retention_days`;
    `kafka://[user:password@]host:port[,host:port…]`, options as in `KafkaOptions`.

    Raises: BusUrlMalformed, with the option's name and never its value.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if parts.scheme == "kafka":
        from labohub.bus.kafka import KafkaBus  # a hub on one machine does not load the Kafka client

        return KafkaBus(_kafka_options(parts.netloc, options), topics=topics)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        days = options.pop("retention_days", "30")
        if options or not days.isdecimal():
            raise BusUrlMalformed(f"sqlite: {next(iter(options), 'retention_days')}")
        return EmbeddedBus(Path(parts.path[1:]), topics=topics, retention=timedelta(days=int(days)))
    raise BusUrlMalformed("the event log's URL starts with sqlite:/// or kafka://")


def _kafka_options(address: str, options: dict[str, str]) -> KafkaOptions:
    try:
        return KafkaOptions.read(address, options)
    except ValueError as error:  # its text is the option's name
        raise BusUrlMalformed(f"kafka: {error}") from None
