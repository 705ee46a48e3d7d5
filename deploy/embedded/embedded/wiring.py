"""Settings that join the hub to the simulators: addresses on loopback and the test certificates."""

import os
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the simulators listen."""

    control: int = 8090
    insi: int = 8091
    dmp: int = 8092
    smtp: int = 2525
    imap: int = 2143
    sgl: int = 2580

    @classmethod
    def shifted(cls, by: int) -> "Ports":
        """Return the ports moved by a number, so that several installations run side by side."""
        own = cls()
        return cls(own.control + by, own.insi + by, own.dmp + by, own.smtp + by, own.imap + by, own.sgl + by)


def environment(certificates: Path, ports: Ports) -> dict[str, str]:
    """Return the environment that points every service at the simulators."""
    ca = str(certificates / "ca.pem")

    def pair(name: str) -> tuple[str, str]:
        return str(certificates / f"{name}.pem"), str(certificates / f"{name}.key")

    insi, dmp, seal, box = pair("labo-auth"), pair("labo-dmp"), pair("labo-sign"), pair("labo-bal")
    services = f"https://{HOST}:{ports.dmp}/si-dmp-server/v2/services"
    return {
        "LABOHUB_ENVIRONMENT": "test",
        "INS_QUALIFIER_INSI_URL": f"https://{HOST}:{ports.insi}/lps",
        "INS_QUALIFIER_CA_FILE": ca,
        "INS_QUALIFIER_CERTIFICATE_FILE": insi[0],
        "INS_QUALIFIER_KEY_FILE": insi[1],
        "DMP_FEEDER_REPOSITORY_URL": f"{services}/repository",
        "DMP_FEEDER_REGISTRY_URL": f"{services}/registry",
        "DMP_FEEDER_CA_FILE": ca,
        "DMP_FEEDER_AUTH_CERTIFICATE": dmp[0],
        "DMP_FEEDER_AUTH_KEY": dmp[1],
        "DMP_FEEDER_CACHET_CERTIFICATE": seal[0],
        "DMP_FEEDER_CACHET_KEY": seal[1],
        "INGEST_HL7_ANSWERS_HOST": HOST,
        "INGEST_HL7_ANSWERS_PORT": str(ports.sgl),
        "MSS_SENDER_SMTP_PORT": str(ports.smtp),
        "MSS_SENDER_IMAP_PORT": str(ports.imap),
        "MSS_SENDER_CA_FILE": ca,
        "MSS_SENDER_CERTIFICATE_FILE": box[0],
        "MSS_SENDER_KEY_FILE": box[1],
        "MSS_SENDER_IMAP_PASSWORD": "demo",
    }


def apply(values: dict[str, str]) -> None:
    """Put settings into the environment; what the operator set stays."""
    for name, value in values.items():
        os.environ.setdefault(name, value)
