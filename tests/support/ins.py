"""The identity stage on the real runtime, with the INSi simulator behind mutual TLS; and reports that reach it."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, TypeVar

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from ins_qualifier.adapters import tables
from ins_qualifier.adapters.identities import IdentityBook
from ins_qualifier.core.domains import Domain
from ins_qualifier.core.keys import Keys
from ins_qualifier.core.subject import Referential
from ins_qualifier.main import build
from ins_qualifier.settings import InsQualifierSettings
from labohub.contracts import topics
from labohub.contracts.codec import derived_id, from_record, to_record
from labohub.contracts.events import (
    Event,
    IdentityQualified,
    IdentityUnresolved,
    IdentityWithdrawn,
    PatientCorrected,
    ReportReceived,
)
from labohub.contracts.values import (
    BlobRef,
    Ins,
    LocalIdentifier,
    MessageId,
    Patient,
    Report,
    ReportId,
    Request,
    Sender,
    Traits,
    Visibility,
)
from labohub.contracts.values import Path as Road
from labohub.runtime.run import Hub, open_platform
from labohub.runtime.service import Platform, Service
from labohub.runtime.settings import LabohubSettings
from labohub.store.blobs.cipher import Cipher
from labosim.faults import Faults
from labosim.identities import TestIdentity
from labosim.insi import InsiSimulator
from labosim.insi.simulator import AUTHORISATION
from labosim.pki import Pki

KEY = base64.b64encode(bytes(32)).decode()
AUTHORITY = "1.2.250.1.999.1.1"  # of the local identifiers
AT = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)


def patient_of(
    identity: TestIdentity, *, reliability: Sequence[str] = ("VALI",), with_ins: bool = True, **traits: str
) -> Patient:
    """Return the patient of a test identity as a message names him; `traits` replaces some."""
    own = Traits(
        birth_name=identity.birth_name,
        first_given_name=identity.first_given_name,
        given_names=identity.given_names,
        birth_date=identity.birth_date,
        sex=identity.sex,
        birth_place=identity.birth_place,
    )
    return Patient(
        traits=own.model_copy(update=traits),
        ins=Ins(matricule=identity.matricule, oid=identity.oid) if with_ins else None,
        reliability=tuple(reliability),
    )


def numbered(
    identity: TestIdentity,
    *,
    local: str = "IPP-1",
    reliability: Sequence[str] = ("VALI",),
    with_ins: bool = True,
    **traits: str,
) -> Patient:
    """Return the patient of a test identity under a local identifier of the laboratory."""
    patient = patient_of(identity, reliability=reliability, with_ins=with_ins, **traits)
    return patient.model_copy(update={"local_ids": (LocalIdentifier(value=local, authority_oid=AUTHORITY),)})


def corrected(patient: Patient, *, report: str = "R1", number: int = 1, cause: str = "adt-1") -> PatientCorrected:
    """Return the event of a source that corrects the patient of a report message."""
    message_id = f"{report}-M{number}"
    return PatientCorrected(
        event_id=derived_id("test", cause, message_id),
        occurred_at=AT,
        report_id=ReportId(report),
        message_id=MessageId(message_id),
        patient=patient,
        cause=cause,
    )


def received(
    patient: Patient, *, report: str = "R1", number: int = 1, request: Request = Request.INITIAL
) -> ReportReceived:
    """Return the event of a report message."""
    message_id = f"{report}-M{number}"
    return ReportReceived(
        event_id=derived_id("test", message_id),
        occurred_at=AT,
        report_id=ReportId(report),
        message_id=MessageId(message_id),
        report=Report(
            report_id=ReportId(report),
            message_id=MessageId(message_id),
            control_id=f"C-{message_id}",
            message_type="ORU^R01^ORU_R01",
            message_version="2.5",
            sender=Sender(application="SGL", facility="LABO"),
            processing_id="P",
            received_at=AT,
            path=Road.RELAY,
            request=request,
            patient=patient,
            visibility=Visibility(
                masked_from_professionals=False,
                invisible_to_patient=False,
                invisible_to_guardians=False,
                secret_connection=False,
                changes_visibility=False,
            ),
            to_dmp=True,
        ),
    )


def book_of(*domains: Domain, environment: str = "test", hours: float = 24) -> IdentityBook:
    """Return the identity store's rules with the tests' key."""
    secret = base64.b64decode(KEY)
    return IdentityBook(Referential(domains, Keys(secret)), Cipher(secret), environment, hours)


T = TypeVar("T")


@dataclass
class InsRig:
    """The service and the simulator in one process, on loopback."""

    folder: Path
    pki: Pki
    faults: Faults = field(default_factory=Faults)
    environment: Literal["production", "test"] = "test"
    store_url: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    simulator: InsiSimulator = field(init=False)
    platform: Platform = field(init=False)
    service: Service = field(init=False)
    hub: Hub = field(init=False)
    answers: list[Event] = field(default_factory=list)

    async def start(self) -> None:
        """Start the simulator, then the service."""
        authorisation = self.settings.get("authorisation", AUTHORISATION)
        self.simulator = InsiSimulator(
            host="127.0.0.1", port=0, pki=self.pki, faults=self.faults, authorisation=authorisation
        )
        await self.simulator.start()
        await self.start_hub()

    async def start_hub(self) -> None:
        """Start the service, again if it was stopped, on the same state."""
        shared = LabohubSettings(
            data_dir=self.folder,
            http_port=0,
            stop_grace_seconds=2,
            environment=self.environment,
            store_url=self.store_url,
            blob_key=SecretStr(KEY),
        )
        self.platform = await open_platform(shared)
        self.service = build(self.own_settings(), self.platform)
        self.hub = Hub([self.service], self.platform)
        await self.hub.start()
        self.answers.clear()
        self._reader = asyncio.create_task(self._read())

    async def stop_hub(self) -> None:
        """Stop the service; its state stays."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.hub.stop()
        await self.platform.bus.close()
        await self.platform.blobs.close()

    async def stop(self) -> None:
        """Stop all."""
        await self.stop_hub()
        await self.simulator.stop()

    def own_settings(self) -> InsQualifierSettings:
        """Return settings with short waits."""
        own: dict[str, Any] = {
            "insi_url": self.simulator.url,
            "verification_url": self.simulator.url.replace("/lps", "/verification"),
            "ca_file": self.pki.ca_pem,
            "certificate_file": self.pki.cert("labo-auth"),
            "key_file": self.pki.key("labo-auth"),
            "retry_first_seconds": 0.05,
            "retry_cap_seconds": 0.2,
            "pause_seconds": 0.1,
            "misconfigured_pause_seconds": 0.1,
        }
        if self.environment == "production":
            del own["verification_url"]
        return InsQualifierSettings(**(own | self.settings))

    async def receive(self, *events: ReportReceived) -> None:
        """Let reports reach the stage."""
        await self.platform.bus.publish(topics.REPORT, [to_record(event) for event in events])

    async def decided(self, count: int, seconds: float = 20) -> list[IdentityQualified | IdentityUnresolved]:
        """Return what the stage published, once it is that many events."""
        async with asyncio.timeout(seconds):
            while len(self._decisions()) < count:
                await asyncio.sleep(0.005)
        return self._decisions()

    def _decisions(self) -> list[IdentityQualified | IdentityUnresolved]:
        return [answer for answer in self.answers if isinstance(answer, IdentityQualified | IdentityUnresolved)]

    def withdrawn(self) -> list[IdentityWithdrawn]:
        """Return the identities that the stage took back so far."""
        return [answer for answer in self.answers if isinstance(answer, IdentityWithdrawn)]

    async def tell(self, *events: Event) -> None:
        """Let other facts reach the stage; those of one topic are handled before what comes later."""
        for event in events:
            await self.platform.bus.publish(event.TOPIC, [to_record(event)])

    async def queue(self) -> dict[str, Any]:
        """Return what the service says of its queue."""
        return dict((await self.get("/api/v1/identity/queue")).json())

    async def until(self, look: Callable[[], Awaitable[T]], is_there: Callable[[T], bool], seconds: float = 20) -> T:
        """Return what is seen, once it is as wanted."""
        async with asyncio.timeout(seconds):
            while not is_there(seen := await look()):
                await asyncio.sleep(0.005)
        return seen

    async def traces(self) -> list[Any]:
        """Return the rows of the calls' traces; `answer` is a BlobRef or None."""
        async with self.service.database.reading() as connection:
            rows = (await connection.execute(select(tables.calls).order_by(tables.calls.c.called_at))).all()
        traces = [SimpleNamespace(**row._mapping) for row in rows]
        for trace in traces:
            trace.answer = BlobRef.model_validate_json(trace.answer) if trace.answer else None
        return traces

    async def get(self, path: str) -> httpx.Response:
        """Return the answer of the service's HTTP API."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.hub.http.port}", trust_env=False) as client:
            return await client.get(path)

    async def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Return the answer of the service's HTTP API."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.hub.http.port}", trust_env=False) as client:
            return await client.post(path, json=body)

    async def _read(self) -> None:
        async for batch in self.platform.bus.read(topics.IDENTITY, "tests", max_records=100):
            self.answers.extend(from_record(record) for record in batch.records)
            await batch.done()
