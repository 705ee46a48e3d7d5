"""`labohub send`: HL7 files over MLLP, each acknowledgement printed."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from embedded.cli.files import read_all, with_control_id
from labohub.errors import HubError
from labosim.sgl.sender import Ack, NotAcknowledged, Sender

Files = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, help="ER7 (CR, LF, CRLF), batches, MLLP frames.")
]


def send(  # noqa: PLR0917 - a command line
    files: Files,
    host: Annotated[str, typer.Option(help="Where the hub listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 2575,
    tls: Annotated[bool, typer.Option("--tls", help="MLLP over TLS.")] = False,
    tls_ca: Annotated[
        Path | None, typer.Option(help="Authority of the hub's certificate; the system's when absent.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Our certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    rate: Annotated[
        float, typer.Option(min=0, help="Messages per second at most; 0: as fast as they are acknowledged.")
    ] = 0,
    repeat: Annotated[int, typer.Option(min=1, help="Send everything that many times.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="A new MSH-10 each time it is repeated.")] = False,
    patience: Annotated[float, typer.Option(help="Seconds for one message, repetitions included.")] = 30,
) -> None:
    """Send HL7 messages to the hub and print each acknowledgement. Exits 0 only if all are AA or CA."""
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        messages = list(read_all(files))
    except HubError as error:
        err.print(f"labohub: {error.code}: {error}", markup=False)
        raise typer.Exit(2) from None
    rounds = [
        (name, with_control_id(message, f"-{turn}") if fresh and turn else message)
        for turn in range(repeat)
        for name, message in messages
    ]
    context = _context(tls_ca, tls_cert, tls_key) if tls or tls_ca or tls_cert else None
    sender = Sender(host, port, context, patience_seconds=patience, answer_timeout_seconds=patience)
    try:
        refused = asyncio.run(_send(rounds, sender, rate, out))
    except NotAcknowledged as error:
        err.print(f"labohub: send.not-acknowledged: {host}:{port}: {error}", markup=False)
        raise typer.Exit(1) from None
    raise typer.Exit(1 if refused else 0)


def _context(authority: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


async def _send(messages: list[tuple[str, bytes]], sender: Sender, rate: float, out: Console) -> int:
    refused, started = 0, time.monotonic()
    async with sender:
        for number, (name, message) in enumerate(messages):
            if rate:
                await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            ack = await sender.send(message)
            refused += not ack.is_positive
            _print(out, name, ack)
    if len(messages) > 1:
        seconds = max(time.monotonic() - started, 1e-9)
        out.print(
            f"{len(messages) - refused} accepted, {refused} refused, {len(messages) / seconds:.0f} messages/s",
            style="bold",
        )
    return refused


def _print(out: Console, name: str, ack: Ack) -> None:
    colour = "green" if ack.is_positive else "red"
    why = f" ERR {ack.error} {ack.location}".rstrip() if ack.error else ""
    out.print(f"[{colour}]{ack.code or '??'}[/] {ack.control_id}", end="")
    out.print(f"{why} {ack.elapsed_seconds * 1000:.0f} ms {name}", style="dim", markup=False)
