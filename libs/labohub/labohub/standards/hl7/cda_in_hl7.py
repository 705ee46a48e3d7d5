"""A message that carries a CDA: what it asks, the document's bytes, the flags and the people.

Reads profiles 2.1 and 2.0 of the volet, 1.2 as 2.0. It says what the message says and lists what is wrong; what to do
about it is the intake's decision.
Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", 2.1.3 (flux 1 and 2).
"""

from dataclasses import dataclass

from labohub.standards.er7 import Header, Message, Segment
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.metadata_rows import (
    MAIL_TEXTS,
    METADATA_SYSTEM,
    PATIENT_TEXT,
    PROFESSIONAL_TEXT,
    forbids_answers,
    read_rows,
    row_name,
)
from labohub.standards.hl7.participation import Participation, read_participations
from labohub.standards.hl7.patient import PatientFacts
from labohub.standards.hl7.reading import Reading
from labohub.standards.hl7.segment_rules import check_patient, check_segments
from labohub.standards.hl7.tables import METADATA

PROFILE_PREFIX = "CISIS_CDA_HL7_V"

INITIAL, REPLACEMENT, DELETION = "F", "C", "D"  # OBX-11 of the document: the request, in one letter
BY_STATUS = (INITIAL, REPLACEMENT, DELETION)
BY_ORDER_CONTROL = {"NW": INITIAL, "RO": REPLACEMENT, "CA": DELETION}  # ORC-1
BY_EVENT = {"T02": INITIAL, "T10": REPLACEMENT, "T04": DELETION}  # MDM


@dataclass(frozen=True, slots=True)
class EmbeddedDocument:
    """A document OBX: its code, and its bytes exactly as the sender encoded them."""

    content: bytes
    status: str  # OBX-11
    code: str
    label: str
    system: str
    location: str


@dataclass(frozen=True, slots=True)
class UniqueId:
    """TXA-12 or TXA-13: the root, or root and extension."""

    root: str
    extension: str = ""

    def names(self, root: str, extension: str, *, loosely: bool) -> bool:
        """Return whether this is the identifier of a CDA.

        `loosely`: senders of the former profiles wrote root and extension in one, with or without the point.
        """
        if (self.root, self.extension) == (root, extension):
            return True
        return loosely and (self.root + self.extension).replace(".", "") == (root + extension).replace(".", "")


@dataclass(frozen=True, slots=True)
class Transmission:
    """All that a message of the volet says."""

    profile: str
    request: str  # INITIAL, REPLACEMENT, DELETION
    documents: tuple[EmbeddedDocument, ...]
    flags: dict[str, bool]
    participations: tuple[Participation, ...]
    patient: PatientFacts
    professional_text: str | None = None
    patient_text: str | None = None
    patient_may_answer: bool = True
    document_id: UniqueId | None = None  # TXA-12
    parent_id: UniqueId | None = None  # TXA-13
    order_numbers: tuple[str, ...] = ()
    warnings: tuple[Finding, ...] = ()


def profile_of(header: Header) -> str | None:
    """Return the profile's version of MSH-21 ("2.1"), or None when the message is not of the volet."""
    for repetition in header.field(21).split(header.delimiters.repetition):
        parts = [part.strip() for part in repetition.split(header.delimiters.component)]
        if len(parts) > 1 and parts[1].upper().startswith(PROFILE_PREFIX):
            return parts[0]
    return None


def read_transmission(message: Message, profile: str) -> tuple[Transmission | None, tuple[Finding, ...]]:
    """Return what the message says, and the errors; with errors there is no transmission."""
    reading = Reading(message, profile)
    check_segments(reading)
    documents = _documents(reading)
    flags, texts = read_rows(reading)
    request = _request(reading, documents)
    patient = check_patient(reading)
    parent = _unique_id(reading, 13)
    if reading.is_mdm and request == REPLACEMENT and parent is None:
        text = "TXA-13 est vide pour un remplacement."
        strict = not reading.is_former
        reading.required(False, "101", "TXA^1^13", "volet.parent-id-missing", text, strict=strict)
    if reading.errors or patient is None:
        return None, tuple(reading.errors)
    return (
        Transmission(
            profile=profile,
            request=request,
            documents=documents,
            flags=flags,
            participations=read_participations(message),
            patient=patient,
            professional_text=texts.get(PROFESSIONAL_TEXT),
            patient_text=texts.get(PATIENT_TEXT),
            patient_may_answer=not forbids_answers(message),
            document_id=_unique_id(reading, 12),
            parent_id=parent,
            order_numbers=_order_numbers(message),
            warnings=tuple(reading.warnings),
        ),
        (),
    )


def _documents(reading: Reading) -> tuple[EmbeddedDocument, ...]:
    found = [obx for obx in reading.message.all("OBX") if _is_document(obx)]
    if not found:
        reading.error("100", "OBX^1", "volet.document-missing", "Aucun OBX ne porte de document.")
    most = 1 if reading.is_mdm else 2
    if len(found) > most:
        reading.error("198", found[most].location, "volet.too-many-documents", "Trop de documents dans le message.")
    return tuple(document for obx in found[:most] if (document := _document(reading, obx)) is not None)


def _is_document(obx: Segment) -> bool:
    """Return whether an OBX carries a document: an ED that is no row of the metadata, known or not."""
    is_row = row_name(obx) in (*METADATA, *MAIL_TEXTS) or obx.component(3, 3).upper() == METADATA_SYSTEM
    return obx.field(2).strip().upper() == "ED" and not is_row


def _document(reading: Reading, obx: Segment) -> EmbeddedDocument | None:
    status = obx.component(11, 1)
    if status not in BY_STATUS:
        condition = "103" if status else "101"
        reading.error(
            condition, f"{obx.location}^11", "volet.status-unknown", "Statut de document non prévu (F, C, D)."
        )
    parts = obx.components(5)
    obr = reading.message.first("OBR")
    code, label, system = (obx.component(3, position) for position in (1, 2, 3))
    if not code:
        reading.error("101", f"{obx.location}^3", "volet.document-code-missing", "OBX-3 du document est vide.")
    elif not system:
        reading.warn(f"{obx.location}^3", "volet.code-system-missing", "OBX-3.3 du document est vide.")
    if obr is not None and obr.component(4, 1) and obr.component(4, 1) != code:
        text = "OBX-3 du document et OBR-4 diffèrent."
        reading.required(
            False, "199", f"{obx.location}^3", "volet.document-code-differs", text, strict=not reading.is_lenient
        )
    if not any(part.strip() for part in parts[4:] or parts):
        reading.error("101", f"{obx.location}^5", "volet.document-empty", "OBX-5 ne porte aucun document.")
        return None
    if len(parts) < 5 or parts[3].strip().upper() != "BASE64":
        reading.error("102", f"{obx.location}^5", "volet.document-encoding", "Le document n'est pas en Base64.")
        return None
    if parts[2].strip().upper() != "XML":
        reading.error("103", f"{obx.location}^5", "volet.document-subtype", "OBX-5.3 du document n'est pas XML.")
    try:
        content = decode_base64(parts[4])
    except Base64Corrupt:
        reading.error("102", f"{obx.location}^5", "volet.document-undecodable", "Base64 du document illisible.")
        return None
    return EmbeddedDocument(content, status, code, label, system, obx.location)


def _request(reading: Reading, documents: tuple[EmbeddedDocument, ...]) -> str:
    """Return what is asked. ORC-1, OBX-11 and the event must agree; the former profiles had no ORC-1 of its own."""
    said = _said(reading)
    said += [(f"{each.location}^11", each.status) for each in documents if each.status in BY_STATUS]
    if len({meaning for _, meaning in said}) > 1:
        for location, _ in said:
            text = "ORC-1, OBX-11 et événement ne concordent pas."
            reading.error("199", location, "volet.incoherent-request", text)
    return documents[0].status if documents else INITIAL


def _said(reading: Reading) -> list[tuple[str, str]]:
    """Return what ORC-1 and the event of an MDM ask for, with their places."""
    said: list[tuple[str, str]] = []
    orc = reading.message.first("ORC")
    control = orc.component(1, 1) if orc else ""
    if control in BY_ORDER_CONTROL:
        said.append(("ORC^1^1", BY_ORDER_CONTROL[control]))
    elif orc is not None and not reading.is_former:
        condition = "103" if control else "101"
        reading.error(condition, "ORC^1^1", "volet.order-control", "ORC-1 n'est ni NW, ni RO, ni CA.")
    event = reading.message.header.component(9, 2).upper()
    if event in BY_EVENT:
        said.append(("MSH^1^9", BY_EVENT[event]))
    return said


def _unique_id(reading: Reading, number: int) -> UniqueId | None:
    """Return TXA-12 or 13: `root`, or `extension^^root^ISO`. TXA-12.2 is not read: many fill it."""
    txa = reading.message.first("TXA")
    if txa is None or not txa.component(number, 1):
        return None
    first, root = txa.component(number, 1), txa.component(number, 3)
    return UniqueId(root, first) if root else UniqueId(first)


def _order_numbers(message: Message) -> tuple[str, ...]:
    """Return the placer then filler numbers of ORC, else of OBR."""
    numbers: list[str] = []
    for segment in (message.first("ORC"), message.first("OBR")):
        if segment is not None:
            numbers += [segment.component(2, 1), segment.component(3, 1)]
    return tuple(dict.fromkeys(number for number in numbers if number))
