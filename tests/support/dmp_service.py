"""The service dmp-feeder beside the DMP simulator, over real HTTPS: a laboratory's end and the other end."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from dmp_feeder.core.lot import Call
from dmp_feeder.main import build
from dmp_feeder.ports import Dmp, DmpUnreachable, Reply
from dmp_feeder.settings import DmpFeederSettings
from dmp_feeder.workers.filing import Office, file_due
from labohub.contracts.codec import derived_id, from_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import DocumentBuilt, Event
from labohub.contracts.values import (
    DocumentFacts,
    Identity,
    IdentityStatus,
    Ins,
    MessageId,
    Patient,
    Report,
    ReportId,
    Request,
    Requester,
    Sender,
    Traits,
    Visibility,
)
from labohub.contracts.values import (
    Path as ReportPath,
)
from labohub.runtime.run import open_platform
from labohub.runtime.service import Platform, Service
from labohub.runtime.settings import LabohubSettings
from labohub.standards.cda import read_header
from labohub.standards.xml import parse
from labosim.dmp import DmpSimulator
from labosim.dmp.registry import Submission
from labosim.faults import Faults
from labosim.pki import Pki
from tests.support.dmp import INS, TEST_OID, XDS_SCHEMAS

TRAITS = Traits(birth_name="TESTEUSE", first_given_name="ANNE", birth_date="19850317", sex="F")
OPEN = Visibility(
    masked_from_professionals=False,
    invisible_to_patient=False,
    invisible_to_guardians=False,
    secret_connection=False,
    changes_visibility=False,
)


def settings(simulator: DmpSimulator, pki: Pki, **changes: Any) -> DmpFeederSettings:
    """Return settings that point at a simulator and hardly wait between attempts."""
    values: dict[str, Any] = {
        "repository_url": simulator.url("repository"),
        "registry_url": simulator.url("registry"),
        "ca_file": pki.ca_pem,
        "auth_certificate": pki.cert("labo-dmp"),
        "auth_key": pki.key("labo-dmp"),
        "cachet_certificate": pki.cert("labo-sign"),
        "cachet_key": pki.key("labo-sign"),
        "retry_first_seconds": 0.0001,
        "retry_cap_seconds": 0.0001,
        "channel_pause_seconds": 0.0001,
    }
    return DmpFeederSettings(**(values | changes))


@dataclass
class Bench:
    """Both ends, and what goes between them."""

    simulator: DmpSimulator
    faults: Faults
    service: Service
    platform: Platform
    seen: int = 0
    count: int = field(default=0)

    async def plan(self, content: bytes, *, report_id: str = "report-1", **changes: Any) -> DocumentBuilt:
        """Hand a built document to the service, as the bus would."""
        self.count += 1
        blob = await self.platform.blobs.put(content, "text/xml")
        event = built(content, blob, report_id, f"message-{self.count}", **changes)
        async with self.service.units() as unit:
            await self.service.subscriptions[DocumentBuilt](event, unit)
        return event

    async def work(self, rounds: int = 1000) -> None:
        """Let the worker work until nothing is due; at most `rounds` times."""
        idle = 0
        for _ in range(rounds):
            busy = await self.service.workers[0].run(self.service.units, datetime.now(UTC))
            idle = 0 if busy else idle + 1
            if idle > 3:
                return

    async def attempt(self) -> bool:
        """Let the worker work once."""
        return await self.service.workers[0].run(self.service.units, datetime.now(UTC))

    async def events(self) -> list[Event]:
        """Return the facts published since the last call, in order."""
        outbox = self.service.database.tables.outbox
        async with self.service.database.reading() as connection:
            query = select(outbox).where(outbox.c.id > self.seen).order_by(outbox.c.id)
            rows = (await connection.execute(query)).mappings().all()
        self.seen = max((row["id"] for row in rows), default=self.seen)
        return [from_record(Record(row["key"], row["value"], json.loads(row["headers"]))) for row in rows]

    def lose_answers(self, *numbers: int) -> None:
        """Lose the answers of these calls, counted from 1 from now on."""
        self._through(LosingDmp(self._office.dmp, set(numbers)))

    def overtake(self) -> None:
        """Let leases run out at once, and a second worker take the document while the first one waits for an answer."""
        self._through(OvertakenDmp(self._office.dmp, self.attempt), lease_seconds=0.0)

    @property
    def _office(self) -> Office:
        run: Any = self.service.workers[0].run
        office: Office = run.keywords["office"]
        return office

    def _through(self, dmp: Dmp, **changes: Any) -> None:
        office = replace(self._office, dmp=dmp, **changes)
        worker = replace(self.service.workers[0], run=partial(file_due, office=office))
        self.service = replace(self.service, workers=(worker,))

    @property
    def submissions(self) -> list[Submission]:
        """Return what the DMP got."""
        return list(self.simulator.registry.submissions.values())


class LosingDmp:
    """A line to the DMP on which some answers get lost."""

    def __init__(self, dmp: Dmp, lost: set[int]) -> None:
        self._dmp, self._lost, self._count = dmp, lost, 0

    def address(self, endpoint: str) -> str:
        return self._dmp.address(endpoint)

    async def send(self, call: Call) -> Reply:
        self._count += 1
        number = self._count
        reply = await self._dmp.send(call)
        if number in self._lost:
            raise DmpUnreachable("the answer was lost")
        return reply


class OvertakenDmp:
    """A line on which the first answer is read only after another worker has had its own."""

    def __init__(self, dmp: Dmp, other: Callable[[], Awaitable[bool]]) -> None:
        self._dmp, self._other, self._overtaken = dmp, other, False

    def address(self, endpoint: str) -> str:
        return self._dmp.address(endpoint)

    async def send(self, call: Call) -> Reply:
        reply = await self._dmp.send(call)
        if not self._overtaken:
            self._overtaken = True
            await self._other()
        return reply


@asynccontextmanager
async def bench(folder: Path, pki: Pki, **changes: Any) -> AsyncIterator[Bench]:
    """Start a simulator and a service that has it for DMP."""
    faults = Faults()
    schemas = XDS_SCHEMAS if XDS_SCHEMAS.is_dir() else None
    simulator = DmpSimulator(host="127.0.0.1", port=0, pki=pki, faults=faults, schemas=schemas)
    await simulator.start()
    platform = await open_platform(LabohubSettings(data_dir=folder))
    service = build(settings(simulator, pki, **changes), platform)
    await service.database.open()
    try:
        yield Bench(simulator, faults, service, platform)
    finally:
        for close in service.closing:
            await close()
        await service.database.close()
        await platform.bus.close()
        await platform.blobs.close()
        await simulator.stop()
        simulator.registry.close()


def built(content: bytes, blob: Any, report_id: str, message_id: str, **changes: Any) -> DocumentBuilt:
    """Return the fact that a document was built from these bytes."""
    header = read_header(parse(content))
    identity = Identity(
        status=changes.get("status", IdentityStatus.QUALIFIEE),
        traits=TRAITS,
        ins=Ins(matricule=changes.get("matricule", INS), oid=TEST_OID),
    )
    report = Report(
        report_id=ReportId(report_id),
        message_id=MessageId(message_id),
        control_id=f"C-{message_id}",
        message_type="ORU^R01^ORU_R01",
        message_version="2.5",
        sender=Sender(application="SGL", facility="LABO"),
        processing_id="T",
        received_at=datetime.now(UTC),
        path=ReportPath.RELAY,
        request=changes.get("request", Request.INITIAL),
        patient=Patient(traits=TRAITS),
        visibility=OPEN.model_copy(update=changes.get("visibility", {})),
        to_dmp=changes.get("to_dmp", True),
        requester=changes.get("requester", Requester()),
        encounter_class="O",
        document=blob,
    )
    facts = DocumentFacts(
        unique_id=header.id.oid,
        set_id=header.set_id.oid if header.set_id else "",
        version_number=header.version_number,
        code=header.code.code,
        code_system=header.code.system,
        code_label=header.code.label,
        title=header.title,
        effective_time=header.effective_time,
        confidentiality_code=header.confidentiality.code,
        level=header.level,
        replaces=header.replaces.oid if header.replaces else "",
    )
    return DocumentBuilt(
        event_id=derived_id("test", message_id),
        occurred_at=datetime.now(UTC),
        report_id=ReportId(report_id),
        message_id=MessageId(message_id),
        report=report,
        identity=identity,
        document=blob,
        facts=facts,
        conformance="passed",
    )
