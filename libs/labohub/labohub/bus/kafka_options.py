"""How to reach a Kafka cluster, and what the hub's topics are created with."""

import ssl
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import unquote

from labohub.errors import Misconfigured

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaFilesUnreadable(Misconfigured):
    """A certificate or key given for Kafka cannot be read, or they do not belong together."""

    code = "bus.kafka-tls-files"


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """The options of a `kafka://` URL. `tls_*` are paths of PEM files; giving one turns TLS on."""

    servers: tuple[str, ...]
    partitions: int = 6  # of a topic that we create: the most members of a group that can work at once
    replication: int = 1
    retention_days: int = 30
    timeout_seconds: float = 10.0  # how long a publication or a `done()` waits before `Unavailable`
    open_seconds: float = 30.0  # how long the start waits for the cluster
    session_seconds: float = 10.0  # a silent member of a group loses its partitions after this
    tls: bool = False
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def read(cls, address: str, options: dict[str, str]) -> Self:
        """Return the options of `[user:password@]host:port[,host:port…]` and of a query.

        Raises: ValueError, whose text is the name of the option that is wrong.
        """
        who, _, hosts = address.rpartition("@")
        username, _, password = who.partition(":")
        servers = tuple(host for host in hosts.split(",") if host)
        if not servers or not all(_is_host_and_port(server) for server in servers):
            raise ValueError("host:port")
        values: dict[str, Any] = {"username": unquote(username), "password": unquote(password)}
        types = {f.name: f.type for f in fields(cls) if f.name not in ("servers", "username", "password")}
        for name, text in options.items():
            if name not in types:
                raise ValueError(name)
            values[name] = _value(name, types[name], text)
        made = cls(servers=servers, **values)
        if made.sasl_mechanism not in MECHANISMS:
            raise ValueError("sasl_mechanism")
        if bool(made.tls_cert) != bool(made.tls_key):
            raise ValueError("tls_key" if made.tls_cert else "tls_cert")
        return made

    def client_arguments(self) -> dict[str, Any]:
        """Return what every client of aiokafka is made with.

        Raises: KafkaFilesUnreadable.
        """
        tls = self.tls or bool(self.tls_ca or self.tls_cert)
        arguments: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "security_protocol": ("SASL_" if self.username else "") + ("SSL" if tls else "PLAINTEXT"),
            "ssl_context": self._ssl_context() if tls else None,
        }
        if self.username:
            arguments["sasl_mechanism"] = self.sasl_mechanism
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password
        return arguments

    def topic_settings(self) -> dict[str, str]:
        """Return the configuration of a topic that we create."""
        settings = {"retention.ms": str(self.retention_days * 24 * 3600 * 1000), "cleanup.policy": "delete"}
        if self.replication >= 3:
            settings["min.insync.replicas"] = str(self.replication - 1)  # acknowledged means: on two machines
        return settings

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.tls_ca or None)
            if self.tls_cert:
                context.load_cert_chain(self.tls_cert, self.tls_key)
        except (OSError, ssl.SSLError):
            raise KafkaFilesUnreadable("tls_ca, tls_cert or tls_key") from None
        return context


def _is_host_and_port(server: str) -> bool:
    host, _, port = server.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


def _value(name: str, kind: object, text: str) -> object:
    try:
        if kind is int or kind is float:
            number = int(text) if kind is int else float(text)
            if not 0 < number < 1_000_000:
                raise ValueError
            return number
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except (ValueError, KeyError):
        raise ValueError(name) from None
    return text
