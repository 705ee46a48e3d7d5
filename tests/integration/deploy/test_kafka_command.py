"""The command that runs a real Kafka without a container engine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import kafka
from labohub.bus import connect
from tests.support.bus import numbered, numbers, opened, take
from tests.support.ports import free_ports

TOPIC = "labohub.report.v1"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "kafka"
    kafka.stop(tmp_path / "kafka")


@pytest.fixture
def start(data: Path) -> list[str]:
    port, controller_port = free_ports(2)
    ports = ["--port", str(port), "--controller-port", str(controller_port)]
    return ["start", "--data", str(data), *ports, "--heap", "384m"]


def run(*arguments: str, path: str = os.environ["PATH"]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(kafka.__file__), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})


async def test_a_broker_is_started_used_stopped_and_keeps_its_records(data: Path, start: list[str]) -> None:
    address = f"127.0.0.1:{start[4]}"
    status, stop = ("status", "--data", str(data)), ("stop", "--data", str(data))
    assert run(*status).returncode == 1
    started = run(*start, "--sync")
    assert (started.returncode, started.stdout) == (0, f"kafka ready {address}\n"), started.stderr
    assert run(*status).returncode == 0
    assert "log.flush.interval.messages=1" in (data / "server.properties").read_text()
    async with opened(connect(f"kafka://{address}", topics=[TOPIC])) as bus:
        await bus.publish(TOPIC, numbered(3))
        assert numbers(await take(bus, TOPIC, 3)) == [0, 1, 2]
    again = run(*start)
    assert again.returncode == 1
    assert "already running" in again.stderr
    assert run(*stop).returncode == 0
    assert run(*status).returncode == 1
    assert run(*start).returncode == 0
    async with opened(connect(f"kafka://{address}", topics=[TOPIC])) as bus:
        assert numbers(await take(bus, TOPIC, 3, group="another")) == [0, 1, 2]


def test_stopping_what_does_not_run_is_no_error(data: Path) -> None:
    assert run("stop", "--data", str(data)).returncode == 0


def test_a_process_that_took_over_the_number_of_a_dead_broker_is_left_alone(data: Path) -> None:
    data.mkdir()
    (data / "broker.pid").write_text(str(os.getpid()))
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        assert run("stop", "--data", str(data)).returncode == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not received


def test_a_configuration_that_kafka_refuses_is_said_with_its_reason(
    data: Path, start: list[str], tmp_path: Path
) -> None:
    (tmp_path / "extra").write_text("process.roles=nobody\n")
    made = run(*start, "--extra", str(tmp_path / "extra"))
    assert made.returncode == 1
    assert "process.roles" in made.stderr


def test_without_java_the_command_says_what_is_missing(start: list[str]) -> None:
    kafka.fetch()
    made = run(*start, path="/nowhere")
    assert (made.returncode, made.stderr) == (1, "kafka: Java (17 or later) is not installed\n")
