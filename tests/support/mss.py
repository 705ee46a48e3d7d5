"""Builders for the tests of MSSanté: a document, its event, the service with its state, a PKI."""

from __future__ import annotations

import asyncio
import functools
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from labohub.bus.connect import connect as connect_bus
from labohub.contracts import topics
from labohub.contracts.codec import derived_id, from_record, to_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import DeliveryEvent, DocumentBuilt
from labohub.contracts.values import (
    BlobRef,
    DocumentFacts,
    Identity,
    IdentityStatus,
    Ins,
    MailTexts,
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
from labohub.runtime.service import Platform, Service
from labohub.runtime.settings import LabohubSettings
from labohub.store.blobs import connect as connect_blobs
from labosim.pki import Pki
from mss_sender.adapters.collector import Collector
from mss_sender.core.laboratory import Laboratories, Laboratory
from mss_sender.main import build
from mss_sender.settings import MssSenderSettings
from tests.support.store import FixedClock

AT = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
MATRICULE = "285039999900196"
TEST_OID = "1.2.250.1.213.1.4.10"
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 4 + b"\n%%EOF\n"
LABORATORY = Laboratory(
    name="Laboratoire du Grand Chêne",
    contact="1 rue du Lac, 69000 Lyon",
    bal_applicative="labo.app@labo-demo.mssante.fr",
    bal_organisationnelle="labo.retours@labo-demo.mssante.fr",
    product_reference="NIL-TEST-1",
    source_id="1.2.250.1.999.1.1.1",
    allowed_domains=("mssante.fr",),
    message_id_secret=b"secret",
)
LABORATORIES = Laboratories((LABORATORY,))
_CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="1.3.6.1.4.1.19376.1.3.3"/>
  <id root="{unique_id}"/>
  <code code="11502-2" codeSystem="2.16.840.1.113883.6.1" displayName="CR d'examens biologiques"/>
  <title>Compte rendu d'examens biologiques</title>
  <effectiveTime value="20260312102800+0100"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" displayName="Normal"/>
  <languageCode code="fr-FR"/>
  <setId root="1.2.250.1.999.7.1"/><versionNumber value="1"/>
  <recordTarget><patientRole>
    {ins}<id root="1.2.250.1.999.2" extension="IPP-77"/>
    <patient><name><family qualifier="BR">DURÁND</family><given qualifier="BR">Élodie</given></name>
      <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19850312"/></patient>
  </patientRole></recordTarget>
  <author><time value="20260312102800+0100"/><assignedAuthor>
    <id root="1.2.250.1.71.4.2.1" extension="810000000012"/>
    <code code="G15_10/SM03" codeSystem="1.2.250.1.213.1.1.4.5" displayName="Médecin - Biologie médicale (SM)"/>
    <assignedPerson><name><family>MARTIN</family><given>Paule</given></name></assignedPerson>
    <representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1690000001"/>
    <name>Laboratoire du Grand Chêne</name></representedOrganization></assignedAuthor></author>
  <legalAuthenticator><time value="20260312102700+0100"/><signatureCode code="S"/><assignedEntity>
    <id root="1.2.250.1.71.4.2.1" extension="810000000012"/>
    <assignedPerson><name><family>MARTIN</family><given>Paule</given></name></assignedPerson></assignedEntity>
  </legalAuthenticator>
  <documentationOf><serviceEvent><effectiveTime><low value="20260312081500+0100"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity><id root="1.2.250.1.71.4.2.1" extension="810000000012"/>
      <representedOrganization><standardIndustryClassCode code="AMBULATOIRE" codeSystem="1.2.250.1.213.1.1.4.9"
        displayName="Ambulatoire"/></representedOrganization></assignedEntity></performer></serviceEvent></documentationOf>
  <component><structuredBody>{filler}</structuredBody></component>
</ClinicalDocument>
"""


def cda(unique_id: str = "1.2.250.1.999.7.1001", *, with_ins: bool = True, kilobytes: int = 0) -> bytes:
    """Return a document with a complete header; its body is only weight."""
    ins = f'<id root="{TEST_OID}" extension="{MATRICULE}"/>' if with_ins else ""
    filler = "".join(f"<!--{derived_id('filler', unique_id, str(n)) * 28}-->" for n in range(kilobytes))
    return _CDA.format(unique_id=unique_id, ins=ins, filler=filler).encode()


def doctor(address: str = "adam.hoda@medecin-demo.mssante.fr") -> Recipient:
    """Return a professional."""
    return Recipient(kind=RecipientKind.PROFESSIONAL, address=address, identifier="810000000053", family_name="HODA")


def patient(address: str = f"{MATRICULE}@patient.mssante.fr") -> Recipient:
    """Return the patient as a recipient."""
    return Recipient(kind=RecipientKind.PATIENT, address=address)


def document_built(
    *recipients: Recipient,
    document: BlobRef | None = None,
    pdf: BlobRef | None = None,
    unique_id: str = "1.2.250.1.999.7.1001",
    message: str = "message-1",
    report: str = "report-1",
    request: Request = Request.INITIAL,
    status: IdentityStatus = IdentityStatus.QUALIFIEE,
    invisible_to_patient: bool = False,
    wants_reading_ack: bool = True,
    texts: MailTexts | None = None,
) -> DocumentBuilt:
    """Return the event that asks for mails."""
    traits = Traits(birth_name="DURÁND", first_given_name="Élodie", birth_date="19850312", sex="F", birth_place="69123")
    return DocumentBuilt(
        event_id=derived_id("test", message),
        occurred_at=AT,
        report_id=ReportId(report),
        message_id=MessageId(message),
        report=Report(
            report_id=ReportId(report),
            message_id=MessageId(message),
            control_id="C1",
            message_type="ORU^R01^ORU_R01",
            message_version="2.6",
            sender=Sender(application="SGL", facility="LABO"),
            processing_id="P",
            received_at=AT,
            path=ReportPath.RELAY,
            request=request,
            patient=Patient(traits=traits),
            visibility=Visibility(
                masked_from_professionals=False,
                invisible_to_patient=invisible_to_patient,
                invisible_to_guardians=False,
                secret_connection=False,
                changes_visibility=False,
            ),
            to_dmp=False,
            recipients=recipients or (doctor(),),
            wants_reading_ack=wants_reading_ack,
            texts=texts or MailTexts(),
            encounter_class="O",
        ),
        identity=Identity(
            status=status,
            traits=traits,
            ins=Ins(matricule=MATRICULE, oid=TEST_OID) if status is IdentityStatus.QUALIFIEE else None,
        ),
        document=document or BlobRef(id="d", sha256="0" * 64, size_bytes=1, media_type="application/xml"),
        facts=DocumentFacts(
            unique_id=unique_id,
            code="11502-2",
            code_system="2.16.840.1.113883.6.1",
            code_label="CR d'examens biologiques",
            title="Compte rendu d'examens biologiques",
            effective_time="20260312102800+0100",
            confidentiality_code="N",
            level="N3",
            act_started_at="20260312081500+0100",
            order_number="26031200417",
        ),
        pdf=pdf,
        conformance="not-configured",
    )


@functools.cache
def pki() -> Pki:
    """Return certificates for this test run."""
    return Pki.create(Path(tempfile.mkdtemp(prefix="labohub-mss-pki-")))


def sender_settings(certificates: Pki, **values: Any) -> MssSenderSettings:
    """Return settings that reach servers on loopback with the laboratory's certificate, quickly impatient."""
    defaults: dict[str, Any] = {
        "laboratory_name": LABORATORY.name,
        "laboratory_contact": LABORATORY.contact,
        "smtp_host": "localhost",
        "imap_host": "localhost",
        "ca_file": certificates.ca_pem,
        "certificate_file": certificates.cert("labo-bal"),
        "key_file": certificates.key("labo-bal"),
        "imap_login": "external",
        "send_timeout_seconds": 10,
        "imap_timeout_seconds": 10,
        "imap_poll_seconds": 5,
    }
    return MssSenderSettings(**{**defaults, **values})


@dataclass
class Bench:
    """The service on a real store and log, driven step by step or run whole."""

    platform: Platform
    service: Service
    clock: FixedClock

    async def publish(self, *events: DocumentBuilt) -> None:
        """Put events on the log, as cda-builder does."""
        await self.platform.bus.publish(topics.DOCUMENT, [to_record(event) for event in events])

    async def handle(self, event: DocumentBuilt) -> None:
        """Run the handler in a unit of its own."""
        async with self.service.units() as unit:
            await self.service.subscriptions[DocumentBuilt](event, unit)

    async def work(self, name: str, at: datetime | None = None) -> bool:
        """Run a worker once."""
        worker = next(each for each in self.service.workers if each.name == name)
        return await worker.run(self.service.units, at or self.clock())

    async def document(self, content: bytes, pdf: bytes | None = PDF) -> dict[str, Any]:
        """Store a document and its copy; return what `document_built` needs."""
        blobs = self.platform.blobs
        return {
            "document": await blobs.put(content, "application/xml"),
            "pdf": await blobs.put(pdf, "application/pdf") if pdf else None,
        }

    async def told(self) -> list[DeliveryEvent]:
        """Return the delivery events of the outbox, in order."""
        return [event for event in await self._outbox() if isinstance(event, DeliveryEvent)]

    async def _outbox(self) -> Sequence[object]:
        outbox = self.service.database.tables.outbox
        async with self.service.database.reading() as connection:
            rows = (await connection.execute(select(outbox).order_by(outbox.c.id))).mappings().all()
        return [from_record(Record(row["key"], row["value"], json.loads(row["headers"]))) for row in rows]


async def open_bench(folder: Path, settings: MssSenderSettings, store_url: str = "") -> Bench:
    """Return the service, its state open in a folder."""
    clock = FixedClock()
    shared = LabohubSettings(data_dir=folder, store_url=store_url, http_port=0)
    blobs = connect_blobs(f"file://{folder / 'blobs'}", shared.key())
    bus = connect_bus(shared.effective_bus_url(), topics=topics.ALL)
    await blobs.open()
    await bus.open()
    platform = Platform(shared, bus, blobs, clock)
    service = build(settings, platform)
    await service.database.open()
    return Bench(platform, service, clock)


async def close_bench(bench: Bench) -> None:
    """Close everything."""
    for close in bench.service.closing:
        await close()
    await bench.service.database.close()
    await bench.platform.bus.close()
    await bench.platform.blobs.close()


async def drive(bench: Bench, done: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    """Run the workers and read the mailbox, turn by turn, until the condition holds; return what it gives."""
    collectors = [each for each in bench.service.listeners if isinstance(each, Collector)]
    async with asyncio.timeout(seconds):
        while not (value := await done()):
            busy = await bench.work("send")
            for collector in collectors:
                busy |= bool(await collector.collect())
            busy |= await bench.work("sort")
            busy |= await bench.work("hand-over")
            if not busy:
                bench.clock.advance(1)
                await asyncio.sleep(0.02)
        return value


def names(events: Sequence[DeliveryEvent]) -> list[str]:
    """Return the names of events, for short assertions."""
    return [type(event).__name__ for event in events]
