"""The hub and the simulators as processes of their own: started, waited for, stopped."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from embedded import child
from embedded.wiring import Ports
from labohub.errors import Misconfigured

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class ProcessFailed(Misconfigured):
    """A process ended, or did not say `ready`, while it was starting."""

    code = "process.failed"


class Process:
    """A child that prints a line with `ready` when it serves. Its logs go to a file.

    On Linux it ends with us even when we are killed: with the thread that starts it, so start it from the main one.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), *command]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._child: subprocess.Popen[str] | None = None
        self._output: IO[str] | None = None
        self._drain: threading.Thread | None = None
        self.ready_line = ""

    @property
    def pid(self) -> int:
        """Return the process identifier; 0 before the start."""
        return self._child.pid if self._child else 0

    def start(self) -> Self:
        """Return when the process said that it is ready. Raises: ProcessFailed."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        output = self._child.stdout
        assert output is not None
        self._output = output
        alarm = threading.Timer(START_SECONDS, self._child.kill)
        alarm.start()
        try:
            for line in output:
                if " ready" in line:
                    self.ready_line = line.strip()
                    self._drain = threading.Thread(target=output.read, daemon=True)  # a full pipe must not stop it
                    self._drain.start()
                    return self
        finally:
            alarm.cancel()
        self._child.wait()
        self._close()
        raise ProcessFailed(f"{self.name} did not start; see {self._log}")

    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._close()

    def stop(self) -> int:
        """Ask it to stop; insist after a while. Return its exit code, negative when a signal ended it."""
        if self._child is None:
            return 0
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close()
        return self._child.returncode

    def _close(self) -> None:
        if self._drain is not None:
            self._drain.join(STOP_SECONDS)
        if self._output is not None:
            self._output.close()
        self._drain = self._output = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def simulators(folder: Path, ports: Ports) -> Process:
    """Return the test bench, not started."""
    environment = {
        "LABOSIM_FOLDER": str(folder),
        "LABOSIM_CONTROL_PORT": str(ports.control),
        "LABOSIM_INSI_PORT": str(ports.insi),
        "LABOSIM_DMP_PORT": str(ports.dmp),
        "LABOSIM_SMTP_PORT": str(ports.smtp),
        "LABOSIM_IMAP_PORT": str(ports.imap),
        "LABOSIM_SGL_PORT": str(ports.sgl),
    }
    return Process("simulators", [sys.executable, "-m", "labosim"], environment, folder / "labosim.log")


def service(name: str, folder: Path, environment: Mapping[str, str], replica: int = 1) -> Process:
    """Return one service by its own command, as a container runs it, not started."""
    script = Path(sys.executable).with_name(name)
    return Process(f"{name} {replica}", [str(script)], environment, folder / f"{name}-{replica}.log")


def hub(folder: Path, environment: Mapping[str, str], services: str = "") -> Process:
    """Return the hub, or some of its services, not started."""
    command = [sys.executable, "-m", "embedded", "up", *(["--services", services] if services else [])]
    return Process(f"hub {services}".strip(), command, environment, folder / f"hub{services and '-' + services}.log")
