"""A real Kafka broker for the tests, from `deploy/kafka`, on ports and with data of its own."""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.kafka import kafka
from tests.support.ports import free_ports
from tests.support.processes import spawn

STOP_SECONDS = 30.0


class KafkaBroker:
    """One broker. It ends with the test run, however that ends."""

    def __init__(self, extra: str = "", scram: tuple[str, str] = ("", "")) -> None:
        self._extra = extra
        self._scram = scram
        self.port, self._controller_port = free_ports(2)
        self._data = Path(tempfile.mkdtemp(prefix="labohub-kafka-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The bus's URL."""
        return f"kafka://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process identifier; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Return once the broker answers.

        Raises: CannotStart: Java or Maven is missing, or the broker ends; a failure, never a reason to skip.
        """
        extra = self._data / "extra.properties"
        extra.write_text(self._extra.format(port=self.port, controller_port=self._controller_port))
        kafka.prepare(self._data, self.port, self._controller_port, extra=extra.read_text(), scram=self._scram)
        command = [sys.executable, kafka.__file__ or "", "run", "--with-parent", "--data", str(self._data)]
        command += [
            "--port",
            str(self.port),
            "--controller-port",
            str(self._controller_port),
            "--heap",
            "384m",
            "--extra",
            str(extra),
        ]
        process = self._process = spawn(command, self._data / "broker.log", self._data)
        kafka.wait_until_it_answers(self.port, lambda: process.poll() is None, self._data / "broker.log")

    def kill(self) -> None:
        """End the broker at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stop its work without closing its connections, as a machine that hangs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it work on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start it again on the same port and data."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Stop it and forget its data."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self._data, ignore_errors=True)
