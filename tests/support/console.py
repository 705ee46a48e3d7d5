"""Facts of fictional reports, and the console with its board on a folder."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from console.main import build
from console.settings import ConsoleSettings
from labohub.bus.connect import connect as connect_bus
from labohub.contracts import events, topics
from labohub.contracts.codec import derived_id
from labohub.contracts.values import (
    BlobRef,
    DocumentFacts,
    Identity,
    IdentityStatus,
    Ins,
    MessageId,
    Patient,
    Recipient,
    RecipientKind,
    Report,
    ReportId,
    Request,
    Sender,
    Traits,
    Visibility,
)
from labohub.contracts.values import Path as ReportPath
from labohub.runtime.clock import Clock
from labohub.runtime.http import application
from labohub.runtime.service import Platform, Service
from labohub.runtime.settings import LabohubSettings
from labohub.store.blobs import FileBlobs

START = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
TRAITS = Traits(
    birth_name="DUBOISTEST", first_given_name="MARCELIN", given_names="MARCELIN JO", birth_date="19540610", sex="M"
)
MATRICULE = "154063306300155"
DOCTOR = Recipient(
    kind=RecipientKind.PROFESSIONAL, address="alix.martin@medecin.mssante.fr", family_name="MARTIN", given_name="Alix"
)
PATIENT = Recipient(kind=RecipientKind.PATIENT, address=f"{MATRICULE}@patient.mssante.fr", family_name="DUBOISTEST")
OPEN = Visibility(
    masked_from_professionals=False, invisible_to_patient=False, invisible_to_guardians=False, secret_connection=False,
    changes_visibility=False,
)  # fmt: skip


@dataclass
class Story:
    """The facts of one message about one report, each a moment after the one before."""

    number: int = 1
    version: int = 1
    recipients: tuple[Recipient, ...] = (DOCTOR, PATIENT)
    to_dmp: bool = True
    path: ReportPath = ReportPath.RELAY
    start: datetime = START
    facts: list[events.Event] = field(default_factory=list)

    @property
    def report_id(self) -> ReportId:
        return ReportId(derived_id("test.report", str(self.number)))

    @property
    def message_id(self) -> MessageId:
        return MessageId(derived_id("test.message", str(self.number), str(self.version)))

    @property
    def control_id(self) -> str:
        return f"SGL-{self.number:06d}" + (f"-V{self.version}" if self.version > 1 else "")

    @property
    def document_id(self) -> str:
        return f"1.2.250.1.99999.42.{self.number}.{self.version}"

    @property
    def report(self) -> Report:
        return Report(
            report_id=self.report_id, message_id=self.message_id, control_id=self.control_id,
            message_type="ORU^R01^ORU_R01", message_version="2.5", sender=Sender(application="SGL-A", facility="LBM-A"),
            processing_id="P", received_at=self.start, path=self.path,
            request=Request.INITIAL if self.version == 1 else Request.REPLACEMENT,
            patient=Patient(traits=TRAITS, ins=Ins(matricule=MATRICULE, oid="1.2.250.1.213.1.4.10")), visibility=OPEN,
            to_dmp=self.to_dmp, recipients=self.recipients, order_numbers=(f"DEM-{self.number}", f"LAB-{self.number}"),
        )  # fmt: skip

    @property
    def identity(self) -> Identity:
        return Identity(status=IdentityStatus.QUALIFIEE, traits=TRAITS, ins=self.report.patient.ins)

    def tell(self, kind: type[events.Event], seconds: float = 0.2, **fields: object) -> "Story":
        """Add a fact, `seconds` after the last one."""
        at = self.facts[-1].occurred_at + timedelta(seconds=seconds) if self.facts else self.start
        event_id = derived_id("test.event", self.message_id, kind.__name__, str(len(self.facts)))
        common = {"event_id": event_id, "occurred_at": at, "report_id": self.report_id, "message_id": self.message_id}
        self.facts.append(kind(**common, **fields))  # type: ignore[arg-type]
        return self

    def received(self) -> "Story":
        return self.tell(events.ReportReceived, report=self.report)

    def qualified(self) -> "Story":
        return self.tell(events.IdentityQualified, report=self.report, identity=self.identity)

    def unresolved(self) -> "Story":
        return self.tell(
            events.IdentityUnresolved,
            control_id=self.control_id,
            status=IdentityStatus.PROVISOIRE,
            code="ins.not-found",
        )

    def built(self, document: BlobRef | None = None, pdf: BlobRef | None = None) -> "Story":
        facts = DocumentFacts(
            unique_id=self.document_id, version_number=self.version, code="11502-2",
            code_system="2.16.840.1.113883.6.1", code_label="CR d'examens biologiques",
            title="Compte rendu d'examens biologiques",
            effective_time="20260312103000+0100", confidentiality_code="N", level="N3",
            replaces=f"1.2.250.1.99999.42.{self.number}.{self.version - 1}" if self.version > 1 else "",
        )  # fmt: skip
        blob = document or BlobRef(id="none", sha256="0" * 64, size_bytes=48_213, media_type="application/xml")
        return self.tell(
            events.DocumentBuilt, report=self.report, identity=self.identity, document=blob, facts=facts, pdf=pdf,
            conformance="passed",
        )  # fmt: skip

    def mail(self, kind: type[events.DeliveryEvent], recipient: Recipient = DOCTOR, **fields: object) -> "Story":
        mail_id = derived_id("test.mail", self.document_id, recipient.address)
        return self.tell(kind, mail_id=mail_id, document_id=self.document_id, recipient=recipient, **fields)

    def filed(self) -> "Story":
        return self.tell(
            events.SubmissionAccepted, submission_id="2.25.42", document_id=self.document_id, operation="TD2.1"
        )

    def settled(self, state: str = "delivered", **counts: object) -> "Story":
        return self.tell(events.MessageSettled, control_id=self.control_id, state=state, **counts)

    def told(self) -> "Story":
        """Tell the whole ordinary story: received, qualified, built, mailed, read, filed, answered, settled."""
        self.received().qualified().built()
        for recipient in self.recipients:
            self.mail(events.MailAccepted, recipient)
        if self.to_dmp:
            self.filed()
        for recipient in self.recipients:
            self.mail(events.MailDelivered, recipient)
        self.tell(events.AnswerSettled, control_id=self.control_id, message_type="ZAM^Z01^ZAM_Z01", outcome="AA")
        return self.settled(delivered=len(self.recipients) + self.to_dmp)


@dataclass
class Console:
    """A console with its board, without a log: facts are handed to it."""

    service: Service
    platform: Platform
    app: FastAPI

    async def hear(self, facts: Iterable[events.Event]) -> None:
        """Show facts, one transaction for all, as the consumer does with a batch."""
        async with self.service.units() as unit:
            for fact in facts:
                await self.service.subscriptions[type(fact)](fact, unit)

    def client(self) -> httpx.AsyncClient:
        """Return an HTTP client of its pages and API."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://console")


@asynccontextmanager
async def console_on(
    folder: Path, clock: Clock = lambda: START + timedelta(minutes=2), store_url: str = ""
) -> AsyncIterator[Console]:
    """Give a console whose state lies in a folder, or in the given store."""
    settings = LabohubSettings(data_dir=folder, store_url=store_url)
    blobs = FileBlobs(folder / "blobs", b"k" * 32)
    await blobs.open()
    bus = connect_bus(settings.effective_bus_url(), topics=topics.ALL)
    platform = Platform(settings=settings, bus=bus, blobs=blobs, clock=clock)
    service = build(ConsoleSettings(), platform)
    await service.database.open()
    try:
        yield Console(service, platform, application([service], lambda: True))
    finally:
        await service.database.close()
