"""An installation for end-to-end tests: the hub and the simulators as processes on free ports."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from embedded import processes, wiring
from tests.support.ports import free_ports


@dataclass
class Installation:
    """Simulators that stay, and a hub that may be killed and started again."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        *simulated, self.mllp, self.http = free_ports(8)
        self.ports = wiring.Ports(*simulated)
        self.environment = {
            **wiring.environment(self.folder / "pki", self.ports),
            "LABOHUB_DATA_DIR": str(self.folder / "data"),
            "LABOHUB_HTTP_PORT": str(self.http),
            "INGEST_HL7_MLLP_PORT": str(self.mllp),
            **self.extra,
        }
        self.simulators = processes.simulators(self.folder, self.ports)
        self.hub = processes.hub(self.folder, self.environment)
        self._client = httpx.Client(timeout=20)

    def __enter__(self) -> Self:
        try:
            self.simulators.start()
            self.hub.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.stop()
        self.simulators.stop()
        self._client.close()

    def api(self, path: str, **parameters: Any) -> Any:
        """Return what the hub's API says."""
        answer = self._client.get(f"http://127.0.0.1:{self.http}/api/v1{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def sim(self, path: str) -> Any:
        """Return what the simulators' control API says, JSON or bytes."""
        answer = self._client.get(f"http://127.0.0.1:{self.ports.control}/sim{path}")
        answer.raise_for_status()
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.content

    def order(self, **fault: Any) -> None:
        """Put a fault in force."""
        self._client.post(f"http://127.0.0.1:{self.ports.control}/sim/faults", json=fault).raise_for_status()

    def settled(self, expected: int) -> bool:
        """Return whether so many messages were accepted and none is open."""
        try:
            count = self.api("/reconciliation")
        except httpx.HTTPError:
            return False
        return bool(count["accepted"] >= expected and count["open"] == 0)

    def wait_settled(self, expected: int, seconds: float) -> None:
        """Return when so many messages were accepted and none is open; fail with what is open."""
        try:
            until(lambda: self.settled(expected), seconds, "all settled")
        except AssertionError:
            raise AssertionError(f"{expected} accepted, after {seconds} s: {self.api('/reconciliation')}") from None

    def logs(self) -> str:
        """Return all that the hub logged."""
        return "\n".join(path.read_text() for path in self.folder.glob("hub*.log"))


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return what the condition says once it is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return value
