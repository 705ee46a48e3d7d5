"""An installation of one process per service and replica, by the services' own commands, on Kafka and PostgreSQL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from embedded import processes, wiring
from embedded.processes import Process
from tests.support.hub import until
from tests.support.ports import free_ports

REPLICAS = {"ingest-hl7": 2, "ins-qualifier": 2, "cda-builder": 2, "mss-sender": 2, "dmp-feeder": 2, "console": 1}
KEY = "bGFib2h1YiBkaXN0cmlidXRlZCB0ZXN0IGtleSAhISE="  # one key for all: what one seals another reads
PROBE_SECONDS = 10


class Distributed:
    """The services as containers would run them; the simulators beside."""

    def __init__(self, folder: Path, extra: Mapping[str, str]) -> None:
        names = [(name, number) for name, count in REPLICAS.items() for number in range(1, count + 1)]
        *simulated, first, second = free_ports(8)
        self.mllp = {1: first, 2: second}  # of the two replicas of ingest-hl7
        self.ports = wiring.Ports(*simulated)
        self.folder = folder
        shared = {
            **wiring.environment(folder / "pki", self.ports),
            "LABOHUB_BLOB_KEY": KEY,
            **extra,
        }
        self.simulators = processes.simulators(folder, self.ports)
        self.http: dict[tuple[str, int], int] = dict(zip(names, free_ports(len(names)), strict=True))
        self.services: dict[tuple[str, int], Process] = {}
        for (name, number), port in self.http.items():
            own = {
                "LABOHUB_HTTP_PORT": str(port),
                "LABOHUB_DATA_DIR": str(folder / f"{name}-{number}"),
                "INGEST_HL7_MLLP_PORT": str(self.mllp[number]),
            }
            self.services[name, number] = processes.service(name, folder, {**shared, **own}, number)
        self._client = httpx.Client(timeout=PROBE_SECONDS)

    def __enter__(self) -> Self:
        try:
            self.simulators.start()
            for service in self.services.values():
                service.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for service in self.services.values():
            service.stop()
        self.simulators.stop()
        self._client.close()

    def get(self, name: str, number: int, path: str) -> httpx.Response:
        """Return what one process answers."""
        return self._client.get(f"http://127.0.0.1:{self.http[name, number]}{path}")

    def metric(self, name: str, number: int, sample: str) -> float:
        """Return a metric of one process: `sample` is its name with its labels as they are written."""
        lines = self.get(name, number, "/metrics").text.splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{sample} ")), -1.0)

    def api(self, path: str, **parameters: Any) -> Any:
        """Return what the console's API says."""
        answer = self._client.get(f"http://127.0.0.1:{self.http['console', 1]}/api/v1{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def sim(self, path: str) -> Any:
        """Return what the simulators' control API says, JSON or bytes."""
        answer = self._client.get(f"http://127.0.0.1:{self.ports.control}/sim{path}")
        answer.raise_for_status()
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.content

    def timeline(self, control_id: str, seconds: float) -> list[str]:
        """Return the steps of a report, once its message is settled."""

        def settled() -> list[str]:
            found = self.api("/reports", control_id=control_id)["items"]
            steps = self.api(f"/reports/{found[0]['report_id']}/timeline") if found else []
            names = [step["step"] for step in steps]
            return names if "message.settled" in names else []

        return until(settled, seconds, f"{control_id} settled")  # type: ignore[no-any-return]

    def wait_settled(self, count: int, seconds: float) -> None:
        """Return when `count` messages were accepted and none is open."""

        def settled() -> bool:
            said = self.api("/reconciliation")
            return bool(said["accepted"] >= count and said["open"] == 0)

        until(settled, seconds, f"{count} messages settled")

    def logs(self) -> str:
        """Return all that the services logged."""
        return "\n".join(path.read_text() for path in self.folder.glob("*.log") if path.name != "labosim.log")
