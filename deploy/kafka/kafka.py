#!/usr/bin/env python3
"""A Kafka broker on this machine without a container engine: the official artifacts, fetched by Maven, in KRaft mode.

    kafka.py start --data DIR [--port 9092]     start in the background, return when it answers
    kafka.py run   --data DIR [--port 9092]     the same in the foreground
    kafka.py status --data DIR                  exit code 0 when it answers
    kafka.py stop  --data DIR                   stop it in order
    kafka.py fetch                              only fetch the artifacts

Standard library alone. Needs a Java runtime (17 or later) and, for the first start, Maven.
"""

import argparse
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import maven  # noqa: E402

JARS = HERE / "target" / "lib"
CLUSTER_ID = "bGFib2h1Yi1sb2NhbC0wMQ"  # a name of our own: 16 bytes in base64, as KRaft asks
START_SECONDS = 90.0  # a cold Java on a busy machine
STOP_SECONDS = 30.0
PR_SET_PDEATHSIG = 1

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={log}
# One broker alone: its own topics cannot ask for more copies.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Labohub creates its topics itself; a name with a typing error must not become one.
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# A broker that was killed may register again as soon as its old self is given up.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
num.network.threads=2
num.io.threads=4
"""
SYNC = "# Each append is on the disk before it is acknowledged.\nlog.flush.interval.messages=1\n"


class CannotStart(Exception):
    """What is missing, or the last lines of the broker's log."""


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code."""
    options = _read(arguments)
    try:
        if options.command == "fetch":
            fetch()
        elif options.command == "status":
            return 0 if _status(options.data) else 1
        elif options.command == "stop":
            stop(options.data)
        elif options.command == "start":
            given = {"heap": options.heap, "sync": options.sync, "extra": options.extra}
            start(options.data, options.port, options.controller_port, **given)
            print(f"kafka ready 127.0.0.1:{options.port}")
        else:
            _run(options)
    except CannotStart as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 1
    return 0


def fetch() -> None:
    """Copy the artifacts of pom.xml into target/lib, unless they are there.

    Raises: CannotStart.
    """
    try:
        maven.fetch(HERE)
    except maven.CannotFetch as error:
        raise CannotStart(str(error)) from None


def prepare(
    data: Path,
    port: int,
    controller_port: int,
    *,
    sync: bool = False,
    extra: str = "",
    scram: tuple[str, str] = ("", ""),
) -> Path:
    """Return the broker's properties file; the storage is formatted when it is new.

    `extra` is properties that come after ours and win; `scram` is the name and password of a user known from the start.

    Raises: CannotStart.
    """
    fetch()
    data.mkdir(parents=True, exist_ok=True)
    properties = data / "server.properties"
    text = PROPERTIES.format(port=port, controller_port=controller_port, log=data / "log")
    properties.write_text(text + (SYNC if sync else "") + extra)
    if not (data / "log" / "meta.properties").exists():
        command = java("-Xmx128m", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format")
        command += ["-t", CLUSTER_ID, "-c", str(properties)]
        if scram[0]:
            command += ["--add-scram", "SCRAM-SHA-512=[name={},password={}]".format(*scram)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise CannotStart(f"the storage cannot be formatted\n{made.stdout[-1000:]}{made.stderr[-1000:]}")
    return properties


def java(*arguments: str) -> list[str]:
    """Return the command of a class of Kafka.

    Raises: CannotStart: no Java runtime.
    """
    program = shutil.which("java")
    if program is None:
        raise CannotStart("Java (17 or later) is not installed")
    logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    return [program, "-cp", f"{JARS}/*", logging, "-XX:+UseSerialGC", *arguments]


def start(
    data: Path, port: int, controller_port: int, *, heap: str = "512m", sync: bool = False, extra: str = ""
) -> int:
    """Return the process id of a broker that answers, started in the background.

    Raises: CannotStart.
    """
    data = data.resolve()
    if (running := _process(data)) is not None:
        raise CannotStart(f"already running, process {running}")
    properties = prepare(data, port, controller_port, sync=sync, extra=extra)
    with (data / "broker.log").open("ab") as output:
        broker = subprocess.Popen(
            java(f"-Xmx{heap}", "kafka.Kafka", str(properties)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (data / "broker.pid").write_text(str(broker.pid))
    wait_until_it_answers(port, lambda: broker.poll() is None, data / "broker.log")
    return broker.pid


def stop(data: Path) -> None:
    """Stop the broker of a data folder, if it runs.

    Raises: CannotStart: it does not end.
    """
    pid = _process(data.resolve())
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _process(data.resolve()) is not None:
        if time.monotonic() > deadline:
            raise CannotStart(f"process {pid} does not end")
        time.sleep(0.1)
    (data / "broker.pid").unlink(missing_ok=True)


def answers(port: int) -> bool:
    """Return whether a broker answers an ApiVersions request, the first of the protocol."""
    request = struct.pack(">hhih", 18, 0, 1, -1)  # ApiVersions v0, correlation 1, no client name
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            head = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 10 and head[4:] == struct.pack(">ih", 1, 0)  # our correlation, no error


def wait_until_it_answers(port: int, alive: Callable[[], bool], log: Path) -> None:
    """Return when the broker answers.

    Raises: CannotStart, with the end of its log.
    """
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        if not alive() or time.monotonic() > deadline:
            with contextlib.suppress(OSError):
                raise CannotStart(f"the broker does not answer\n{log.read_text(errors='replace')[-2000:]}")
            raise CannotStart("the broker does not answer")
        time.sleep(0.1)


def _run(options: argparse.Namespace) -> None:
    """Become the broker."""
    data = options.data.resolve()
    properties = prepare(data, options.port, options.controller_port, sync=options.sync, extra=options.extra)
    (data / "broker.pid").write_text(str(os.getpid()))
    if options.with_parent:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # a test run that is killed leaves no broker
    command = java(f"-Xmx{options.heap}", "kafka.Kafka", str(properties))
    os.execv(command[0], command)  # noqa: S606  # a fixed program, no shell


def _status(data: Path) -> bool:
    data = data.resolve()
    pid = _process(data)
    port = _port(data / "server.properties")
    ready = pid is not None and answers(port)
    print(f"kafka {'ready' if ready else 'does not answer' if pid else 'stopped'} 127.0.0.1:{port} {pid or ''}".strip())
    return ready


def _port(properties: Path) -> int:
    prefix = "advertised.listeners=PLAINTEXT://127.0.0.1:"
    lines = properties.read_text().splitlines() if properties.exists() else []
    return next((int(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)), 0)


def _process(data: Path) -> int | None:
    """Return the broker's process id, if that process is indeed this folder's broker and has not ended."""
    try:
        pid = int((data / "broker.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(data / "server.properties").encode() in command else None


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch")
    for name in ("start", "run", "status", "stop"):
        command = commands.add_parser(name)
        command.add_argument("--data", type=Path, required=True, help="folder of the broker's data, log and pid")
        if name in ("start", "run"):
            command.add_argument("--port", type=int, default=9092)
            command.add_argument("--controller-port", type=int, default=None, help="default: the port + 1")
            command.add_argument("--heap", default="512m")
            command.add_argument("--sync", action="store_true", help="on the disk before each acknowledgement")
            command.add_argument("--extra", type=Path, help="file of properties that come after ours and win")
        if name == "run":
            command.add_argument("--with-parent", action="store_true", help="end when the starting process ends")
    options = parser.parse_args(arguments)
    if "extra" in options:
        options.extra = options.extra.read_text() if options.extra else ""
    if getattr(options, "port", None) and options.controller_port is None:
        options.controller_port = options.port + 1
    return options


if __name__ == "__main__":
    sys.exit(main())
