"""Reports to build documents from, a service to build them, and a reader of CDA that owes nothing to ours."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sqlalchemy import select

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.rules_folder import checked_folders
from cda_builder.adapters.tables import CdaUnit, metadata
from cda_builder.adapters.workshop import ProcessWorkshop
from cda_builder.core.laboratory import LaboratoryProfile, Signatory
from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from cda_builder.handlers import plan_document
from cda_builder.workers import Builder, profiles_by_facility
from labohub.contracts.codec import derived_id, from_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import Event, IdentityQualified
from labohub.contracts.laboratory import (
    Battery,
    Code,
    LaboratoryReport,
    Organisation,
    Professional,
    Result,
    Specimen,
)
from labohub.contracts.values import (
    BlobRef,
    Identity,
    IdentityStatus,
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
from labohub.standards.cda.builder import CrBio
from labohub.store.blobs import FileBlobs
from labohub.store.database import Database
from tests.support.store import FixedClock, sqlite_url

CISIS = Path(__file__).resolve().parents[2].parent / "shared" / "cisis"
OFFICIAL_DOCUMENTS = CISIS.parent / "data" / "cda"

NS = {"c": "urn:hl7-org:v3", "lab": "urn:oid:1.3.6.1.4.1.19376.1.3.2"}
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

MATRICULE = "285076938314206"  # fictional, its key is right
TRAITS = Traits(
    birth_name="D'ARTOIS",
    first_given_name="ÉLODIE",
    given_names="ÉLODIE MARIE",
    birth_date="19850714",
    sex="F",
    birth_place="69383",
    used_name="VASSEUR",
    used_given_name="ÉLODIE",
)
IDENTITY = Identity(
    status=IdentityStatus.QUALIFIEE,
    traits=TRAITS,
    ins=Ins(matricule=MATRICULE, oid="1.2.250.1.213.1.4.10"),
    local_ids=(LocalIdentifier(value="P000451", authority_name="LBM-DU-PORT"),),
)
BIOLOGIST = Professional(identifier="10000000017", identifier_type="RPPS", family_name="KERADEC", given_name="Yannick")
VALIDATOR = Professional(identifier="10000000025", identifier_type="RPPS", family_name="MOREAU", given_name="Agathe")
PRESCRIBER = Professional(identifier="810000000033", identifier_type="IDNPS", family_name="LESTRADE", given_name="Paul")
PROFILE = LaboratoryProfile(
    identifier="990000127",
    name="LBM du Port",
    address=("3 quai des Essais", "13002 Marseille"),
    telecoms=("tel:0400000001",),
    mentions=("Accréditation Cofrac n° 8-0000, portée sur www.cofrac.fr",),
    biologist=Signatory(identifier="10000000017", family_name="KERADEC", given_name="Yannick", title="DR"),
)

SODIUM = ("NA", "Sodium", "2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique")
POTASSIUM = ("K", "Potassium", "2823-3", "Potassium [Moles/Volume] Sérum/Plasma ; Numérique")


def result(
    exam: tuple[str, str, str, str] = SODIUM, value: str = "139", unit: str = "mmol/L", **changes: Any
) -> Result:
    """Return a numeric result; an exam without LOINC has an empty third part."""
    code, label, loinc, loinc_label = exam
    facts: dict[str, Any] = {
        "local_code": Code(code=code, label=label, system="99LAB"),
        "loinc": Code(code=loinc, label=loinc_label, system="LN") if loinc else None,
        "value_type": "NM",
        "value": value,
        "unit": unit,
        "status": "F",
        "observed_at": "20260314080500",
        "analysed_at": "20260314101530",
        "validated_by": VALIDATOR,
    }
    return Result(**{**facts, **changes})


def battery(*results: Result, **changes: Any) -> Battery:
    """Return a final battery of chemistry on one tube of serum."""
    facts: dict[str, Any] = {
        "code": Code(code="IONO", label="Ionogramme sanguin", system="99LAB"),
        "loinc": Code(code="24326-1", label="Ionogramme", system="LN"),
        "placer_number": "DEM-1-01",
        "filler_number": "L-1-01",
        "section": "CH",
        "status": "F",
        "collected_at": "20260314080500",
        "reported_at": "20260314111200",
        "specimens": (
            Specimen(
                identifier="T-1",
                nature=Code(code="SER", label="Sérum", system="HL70487"),
                collected_at="20260314080500",
                received_at="20260314083000",
            ),
        ),
        "results": results or (result(), result(POTASSIUM, "5.6", reference_range="3.5-5.1", flags=("H",))),
    }
    return Battery(**{**facts, **changes})


def results_of(*batteries: Battery, **changes: Any) -> LaboratoryReport:
    """Return the results of one demand."""
    facts: dict[str, Any] = {
        "number": "L-1",
        "prescriber": PRESCRIBER,
        "prescribed_at": "20260313",
        "biologist": BIOLOGIST,
        "laboratory": Organisation(identifier="990000127", name="LBM-DU-PORT"),
        "encounter_class": "O",
        "batteries": batteries or (battery(),),
    }
    return LaboratoryReport(**{**facts, **changes})


def report_of(road: Road = Road.STRUCTURING, **changes: Any) -> Report:
    """Return a report on its way."""
    facts: dict[str, Any] = {
        "report_id": ReportId("7d0b1f2a"),
        "message_id": MessageId("m-1"),
        "control_id": "C-1",
        "message_type": "ORU^R01^ORU_R01",
        "message_version": "2.5.1",
        "sender": Sender(application="SGL", facility="LBM-DU-PORT"),
        "processing_id": "P",
        "received_at": datetime(2026, 3, 14, 10, 12, 30, tzinfo=UTC),
        "path": road,
        "request": Request.INITIAL,
        "patient": Patient(traits=TRAITS, ins=IDENTITY.ins),
        "visibility": Visibility(
            masked_from_professionals=False,
            invisible_to_patient=False,
            invisible_to_guardians=False,
            secret_connection=False,
            changes_visibility=False,
        ),
        "to_dmp": True,
        "order_numbers": ("DEM-1", "L-1"),
    }
    return Report(**{**facts, **changes})


PDF = b"%PDF-1.4\n% as the laboratory printed it\n%%EOF\n"


def model_of(results: LaboratoryReport, identity: Identity = IDENTITY, **changes: Any) -> CrBio:
    """Return the model of a first version."""
    return cr_bio(report_of(**changes), results, identity, PROFILE, Numbering(1))


def qualified(report: Report, identity: Identity = IDENTITY) -> IdentityQualified:
    """Return the event that asks for a document."""
    return IdentityQualified(
        event_id=derived_id("test", "qualified", report.message_id),
        occurred_at=report.received_at,
        report_id=report.report_id,
        message_id=report.message_id,
        report=report,
        identity=identity,
    )


@dataclass
class CdaRig:
    """The service's own parts on SQLite and files, stepped by hand."""

    folder: Path
    rules: Path | None = None
    processes: int = 0
    store: str = ""  # a URL; SQLite in the folder without one
    profile: LaboratoryProfile = PROFILE

    async def start(self) -> None:
        self.clock = FixedClock()
        self.database = Database(self.store or sqlite_url(self.folder), "cda_builder", metadata, self.clock)
        await self.database.open()
        self.blobs = FileBlobs(self.folder / "blobs", bytes(32))
        await self.blobs.open()
        self.units = self.database.units(CdaUnit)
        self.workshop = ProcessWorkshop(self.processes, Gate(checked_folders(self.rules)), 120)
        self.builder = Builder(
            blobs=self.blobs,
            workshop=self.workshop,
            profiles=profiles_by_facility(self.profile, {}),
            batch_size=16,
            lease_seconds=60,
            retry_first_seconds=5,
            retry_cap_seconds=60,
        )

    async def stop(self) -> None:
        await self.workshop.close()
        await self.database.close()
        await self.blobs.close()

    async def relay(self, document: bytes, identity: Identity = IDENTITY, **changes: Any) -> BlobRef:
        """Ask for a relayed document; return its reference."""
        ref = await self.blobs.put(document, "application/xml")
        await self.hear(qualified(report_of(Road.RELAY, document=ref, **changes), identity))
        return ref

    async def structure(self, results: LaboratoryReport, identity: Identity = IDENTITY, **changes: Any) -> None:
        """Ask for a document from results."""
        ref = await self.blobs.put(results.model_dump_json().encode(), "application/json")
        await self.hear(qualified(report_of(results=ref, **changes), identity))

    async def hear(self, event: IdentityQualified) -> None:
        async with self.units() as unit:
            await plan_document(event, unit)

    async def work(self) -> list[Event]:
        """Do all that is due; return the events of the outbox so far."""
        while await self.builder.build_due(self.units, self.clock()):  # type: ignore[arg-type]
            pass
        outbox = self.database.tables.outbox
        async with self.database.reading() as connection:
            rows = (await connection.execute(select(outbox))).mappings().all()
        return [from_record(Record(row["key"], row["value"], _headers(row["headers"]))) for row in rows]


def _headers(text: str) -> dict[str, str]:
    return dict(json.loads(text))


class CdaView:
    """A document seen through the standard library alone."""

    def __init__(self, data: bytes) -> None:
        self.root = ElementTree.fromstring(data)

    def all(self, path: str) -> list[ElementTree.Element]:
        return self.root.findall(path, NS)

    def one(self, path: str) -> ElementTree.Element:
        (found,) = self.all(path)
        return found

    def text(self, anchor: str) -> str:
        """Return the narrative that an anchor holds."""
        (found,) = [each for each in self.root.iter() if each.get("ID") == anchor]
        return "".join(found.itertext())

    @property
    def observations(self) -> list[ElementTree.Element]:
        """Return the results, in order, without previous ones."""
        return [
            each
            for each in self.root.iter(f"{{{NS['c']}}}observation")
            if any(t.get("root") == "1.2.250.1.213.1.1.3.80" for t in each.findall("c:templateId", NS))
        ]

    @property
    def pdf(self) -> bytes:
        return base64.b64decode(self.one(".//c:observationMedia/c:value").text or "")


def label_of(view: CdaView, observation: ElementTree.Element) -> str:
    """Return the printed name of a result, through its reference."""
    reference = observation.find("c:code/c:originalText/c:reference", NS)
    assert reference is not None
    return view.text(reference.get("value", "")[1:])


def names(events: Sequence[Event]) -> list[str]:
    """Return the kinds of events, in order."""
    return [type(event).__name__ for event in events]
