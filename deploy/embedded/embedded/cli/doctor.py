"""`labohub doctor`: what an operator checks first."""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import typer
from cryptography import x509
from rich.console import Console

from embedded.cli.api import DEFAULT_URL, Api, Url

PREFIXES = ("LABOHUB_", "INGEST_HL7_", "INS_QUALIFIER_", "CDA_BUILDER_", "MSS_SENDER_", "DMP_FEEDER_", "CONSOLE_")
RENEW_BEFORE = timedelta(days=30)
LEAST_FREE_BYTES = 2_000_000_000  # about a month of a medium laboratory's documents
SIGNS = {"ok": "[green]✔[/]", "warning": "[yellow]![/]", "error": "[red]✘[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    level: str  # ok, warning, error
    subject: str
    text: str


def doctor(api: Url = DEFAULT_URL) -> None:
    """Check the hub, its ports, its certificates and its disk. Exits 1 when something is wrong."""
    console = Console(highlight=False)
    findings = list(examine(api, dict(os.environ), datetime.now(UTC)))
    for finding in findings:
        console.print(f"{SIGNS[finding.level]} {finding.subject}: ", end="")
        console.print(finding.text, markup=False)
    raise typer.Exit(1 if any(finding.level == "error" for finding in findings) else 0)


def examine(api: str, environment: dict[str, str], now: datetime) -> Iterator[Finding]:
    """Yield what was found, one finding per thing looked at."""
    yield Finding("ok", "version", version("labohub"))
    yield _hub(api)
    yield _senders(api)
    yield _port("MLLP", "127.0.0.1", int(environment.get("INGEST_HL7_MLLP_PORT", "2575")))
    yield _disk(Path(environment.get("LABOHUB_DATA_DIR", "var/labohub")))
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIXES) and "CERTIFICATE" in name and value:
            yield certificate(name, Path(value), now)


def _hub(api: str) -> Finding:
    return (
        Finding("ok", "hub", f"ready at {api}") if Api(api).ready() else Finding("error", "hub", f"not ready at {api}")
    )


def _senders(api: str) -> Finding:
    """Return which senders are in force, and whether newer files are wrong."""
    book = (Api(api).facts() or {}).get("ingest-hl7")
    if book is None:
        return Finding("warning", "senders", "not known: no intake there")
    if fault := book.get("fault"):
        return Finding("error", "senders", f"the files are wrong, the former {book['count']} stay in force: {fault}")
    return Finding("ok", "senders", f"{book['count']} in force since {book['loaded_at']}; others: {book['unknown']}")


def _port(name: str, host: str, port: int) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=2):
            return Finding("ok", name, f"{host}:{port} accepts")
    except OSError:
        return Finding("error", name, f"{host}:{port} does not accept")


def _disk(folder: Path) -> Finding:
    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    return Finding("ok" if free > LEAST_FREE_BYTES else "warning", "disk", f"{free / 1e9:.1f} GB free for {folder}")


def certificate(name: str, path: Path, now: datetime) -> Finding:
    """Return how long the certificate of a setting is still good."""
    try:
        until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return Finding("error", name, "cannot be read as a certificate")
    level = "error" if until <= now else "warning" if until - now < RENEW_BEFORE else "ok"
    return Finding(level, name, f"until {until:%Y-%m-%d}")
