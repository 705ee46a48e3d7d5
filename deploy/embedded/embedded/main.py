"""The command `labohub`: run the hub, play the demo, and ask it things."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from embedded.cli import app
from labohub.errors import HubError

CHECK = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when something is out of date.")]


@app.command()
def up(  # noqa: PLR0917 - options, given by name
    simulators: Annotated[bool, typer.Option("--simulators", help="Start the simulators and use them.")] = False,
    services: Annotated[str, typer.Option(help="Only these services, comma separated.")] = "",
    bus: Annotated[str, typer.Option(help="Event log: sqlite:///… or kafka://host:port (LABOHUB_BUS_URL).")] = "",
    store: Annotated[str, typer.Option(help="State: sqlite:///folder or postgresql://… (LABOHUB_STORE_URL).")] = "",
    blobs: Annotated[str, typer.Option(help="Documents: file:///folder or postgresql://… (LABOHUB_BLOBS_URL).")] = "",
    data: Annotated[Path | None, typer.Option(help="Data folder (LABOHUB_DATA_DIR).")] = None,
    shift: Annotated[int, typer.Option(help="Move the simulators' ports by this number.")] = 0,
) -> None:
    """Run the hub until Ctrl-C. Prints one line `labohub ready …` when every listener accepts."""
    given = {"LABOHUB_BUS_URL": bus, "LABOHUB_STORE_URL": store, "LABOHUB_BLOBS_URL": blobs, "LABOHUB_DATA_DIR": data}
    os.environ.update({name: str(value) for name, value in given.items() if value})
    if not simulators:
        raise typer.Exit(_run(services))
    from embedded import processes, wiring

    folder = Path(os.environ.get("LABOHUB_DATA_DIR", "var/labohub")) / "simulators"
    ports = wiring.Ports.shifted(shift)
    with processes.simulators(folder, ports):
        wiring.apply(wiring.environment(folder / "pki", ports))
        code = _run(services)
    raise typer.Exit(code)


def _run(services: str) -> int:
    from embedded import hub

    names = [name.strip() for name in services.split(",") if name.strip()] or list(hub.BUILDERS)
    if unknown := [name for name in names if name not in hub.BUILDERS]:
        print(f"labohub: unknown service: {', '.join(unknown)}", file=sys.stderr)
        return 2
    return hub.run(names)


@app.command()
def demo(
    messages: Annotated[int, typer.Option(help="Messages of the sample day.")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the sample day.")] = 1,
) -> None:
    """Run the hub and the simulators, play the sample day, show one report; serve until Ctrl-C (DEMO_EXIT=1: stop)."""
    from embedded.demo import play

    raise typer.Exit(play(messages, seed, leave=os.environ.get("DEMO_EXIT", "0") not in ("", "0")))


@app.command()
def replay(
    service: Annotated[str, typer.Argument(help="Service whose dead letters come back, e.g. mss-sender.")],
    bus: Annotated[str, typer.Option(help="Event log (LABOHUB_BUS_URL).")] = "",
) -> None:
    """Bring a service's dead letters back to their topics, once what refused them is mended."""
    import asyncio

    from embedded.replay import replay_all

    if bus:
        os.environ["LABOHUB_BUS_URL"] = bus
    for topic, count in asyncio.run(replay_all(service)).items():
        print(f"{topic}: {count}")


@app.command(hidden=True)
def schemas(check: CHECK = False) -> None:
    """Generate the events' JSON Schemas."""
    _generate("schemas", check)


@app.command(hidden=True)
def settings(check: CHECK = False) -> None:
    """Generate the settings' page and the catalogue of errors."""
    _generate("settings", check)


def _generate(only: str, check: bool) -> None:
    from embedded import generate

    stale = generate.write(generate.workspace(), check=check, only=only)
    for name in stale:
        print(f"{'out of date' if check else 'written'}: {name}")
    raise typer.Exit(1 if stale and check else 0)


def main() -> None:
    """Run the command. A known error is one line with its code."""
    try:
        app()
    except HubError as error:
        print(f"labohub: {error.code}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
