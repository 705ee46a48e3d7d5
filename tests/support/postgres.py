"""A real PostgreSQL server for the tests, from the system's packages, on a port and with data of its own."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.processes import spawn

START_SECONDS = 60.0
SUPERUSER = "labohub"


class ServerMissing(Exception):
    """A server that the tests need is not installed, or does not start. A failure, never a reason to skip."""


class PostgresServer:
    """One cluster. What a transaction commits is on the disk, as in production."""

    def __init__(self) -> None:
        self.port = free_ports()[0]
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="labohub-postgres-"))
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def pid(self) -> int:
        """The process identifier; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Create the cluster when it is new, and return once it answers.

        Raises: ServerMissing.
        """
        if not self._data.exists():
            if os.geteuid() == 0:
                shutil.chown(self._folder, _unprivileged().pw_name)
            command = [self._program("initdb"), "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
            self._run([*command, "--locale=C.UTF-8"])
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on",
            "log_min_messages": "warning",
        }
        command = [self._program("postgres"), "-D", str(self._data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is PostgreSQL's fast shutdown: a test run that is killed leaves no server.
        command = [*_as_unprivileged("--pdeathsig", "INT"), *command]
        self._process = spawn(command, self._folder / "server.log", self._folder)
        self._wait()

    def stop(self) -> None:
        """Stop in order, and forget the data."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End the server at once, as a power cut does; `start` recovers what was committed."""
        if self._process is not None:
            for child in _children(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def fresh_database(self) -> str:
        """Return the URL of a database that is new and empty."""
        name = next(self._names)
        self._run([self._program("createdb"), *self._address(), name])
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{name}"

    def _address(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER]

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _run(self, command: list[str]) -> None:
        made = subprocess.run(
            [*_as_unprivileged(), *command], capture_output=True, text=True, check=False, cwd=self._folder
        )
        if made.returncode != 0:
            raise ServerMissing(f"{Path(command[0]).name} failed: {made.stdout[-1000:]}{made.stderr[-1000:]}")

    def _wait(self) -> None:
        ready = [self._program("pg_isready"), "-q", *self._address(), "-d", "postgres"]
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(ready, check=False).returncode != 0:
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._folder / "server.log").read_text(errors="replace")
                raise ServerMissing(f"PostgreSQL does not start: {log[-2000:]}")
            time.sleep(0.05)


def _programs() -> Path:
    """Return the folder of the newest version installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    if elsewhere is None:
        raise ServerMissing("PostgreSQL is not installed: apt-get install postgresql")
    return Path(elsewhere).parent


def _unprivileged() -> pwd.struct_passwd:
    """Return who runs the server when we are root: PostgreSQL refuses to be root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerMissing("neither the user postgres nor nobody exists")


def _as_unprivileged(*options: str) -> list[str]:
    if os.geteuid() != 0:
        return ["setpriv", *options, "--"] if options else []
    user = _unprivileged()
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *options, "--"]


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]
