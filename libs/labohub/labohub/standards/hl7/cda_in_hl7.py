"""A message that carries a CDA: what it asks, the document's bytes, the flags and the people.

Reads profiles 2.1 and 2.0 of the volet, 1.2 as 2.0. It says what the message says and lists what is wrong; what to do
about it is the intake's decision.
Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", 2.1.3 (flux 1 and 2).
"""

from dataclasses import dataclass, field

from labohub.standards.er7 import Header, Message, Segment
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.participation import Participation, read_participations
from labohub.standards.hl7.patient import PatientFacts, read_patient
from labohub.standards.hl7.tables import FORMER_NAMES, MASKING, METADATA

PROFILE_PREFIX = "CISIS_CDA_HL7_V"
CURRENT = "2.1"
FORMER = frozenset({"2.0", "1.2"})  # asked for less

INITIAL, REPLACEMENT, DELETION = "F", "C", "D"  # OBX-11 of the document: the request, in one letter
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


@dataclass(slots=True)
class _Reading:
    message: Message
    profile: str
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def error(self, condition: str, location: str, reason: str, text: str) -> None:
        self.errors.append(Finding(condition, location, reason, text))


def profile_of(header: Header) -> str | None:
    """Return the profile's version of MSH-21 ("2.1"), or None when the message is not of the volet."""
    for repetition in header.field(21).split(header.delimiters.repetition):
        parts = [part.strip() for part in repetition.split(header.delimiters.component)]
        if len(parts) > 1 and parts[1].upper().startswith(PROFILE_PREFIX):
            return parts[0]
    return None


def read_transmission(message: Message, profile: str) -> tuple[Transmission | None, tuple[Finding, ...]]:
    """Return what the message says, and the errors; with errors there is no transmission."""
    reading = _Reading(message, profile)
    documents = _documents(reading)
    flags, texts = _metadata(reading)
    request = _request(reading, documents)
    patient = _patient(reading)
    parent = _unique_id(reading, 13)
    if message.header.component(9, 1) == "MDM":
        _check_txa(reading, request, parent)
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
            professional_text=texts.get("CORPSMAIL_PS"),
            patient_text=texts.get("CORPSMAIL_PATIENT"),
            patient_may_answer=not _forbids_answers(message),
            document_id=_unique_id(reading, 12),
            parent_id=parent,
            order_numbers=_order_numbers(message),
            warnings=tuple(reading.warnings),
        ),
        (),
    )


def _documents(reading: _Reading) -> tuple[EmbeddedDocument, ...]:
    found = [obx for obx in reading.message.all("OBX") if _is_document(obx)]
    if not found:
        reading.error("100", "OBX^1", "volet.document-missing", "Aucun OBX ne porte de document.")
    most = 2 if reading.message.header.component(9, 1) == "ORU" else 1
    if len(found) > most:
        reading.error("198", found[most].location, "volet.too-many-documents", "Trop de documents dans le message.")
    return tuple(document for obx in found[:most] if (document := _document(reading, obx)) is not None)


def _is_document(obx: Segment) -> bool:
    if obx.field(2).strip().upper() != "ED":
        return False
    code = obx.component(3, 1)
    return code not in ("CORPSMAIL_PS", "CORPSMAIL_PATIENT") and bool(code)


def _document(reading: _Reading, obx: Segment) -> EmbeddedDocument | None:
    status = obx.component(11, 1).upper()
    if status not in (INITIAL, REPLACEMENT, DELETION):
        condition = "103" if status else "101"
        reading.error(
            condition, f"{obx.location}^11", "volet.status-unknown", "Statut de document non prévu (F, C, D)."
        )
    parts = obx.components(5)
    obr = reading.message.first("OBR")
    if obr is not None and obr.component(4, 1) != obx.component(3, 1):
        reading.error(
            "199", f"{obx.location}^3", "volet.document-code-differs", "OBX-3 du document et OBR-4 diffèrent."
        )
    if len(parts) < 5 or parts[3].strip().upper() != "BASE64":
        reading.error("102", f"{obx.location}^5", "volet.document-encoding", "Le document n'est pas en Base64.")
        return None
    try:
        content = decode_base64(parts[4])
    except Base64Corrupt:
        reading.error("102", f"{obx.location}^5", "volet.document-undecodable", "Base64 du document illisible.")
        return None
    code, label, system = (obx.component(3, position) for position in (1, 2, 3))
    return EmbeddedDocument(content, status, code, label, system, obx.location)


def _metadata(reading: _Reading) -> tuple[dict[str, bool], dict[str, str]]:
    """Return the flags and the mail bodies. Rows are found by code, in whatever order."""
    flags: dict[str, bool] = {}
    texts: dict[str, str] = {}
    for obx in reading.message.all("OBX"):
        name = obx.component(3, 1).upper()
        name = FORMER_NAMES.get(name, name)
        if name in METADATA:
            value = obx.component(5, 1).upper()
            if value not in ("Y", "N"):
                reading.error("103", f"{obx.location}^5", "volet.flag-value", f"{name} n'est ni Y ni N.")
            elif flags.setdefault(name, value == "Y") != (value == "Y"):
                reading.error("198", f"{obx.location}^3", "volet.flag-twice", f"{name} figure deux fois.")
        elif name.startswith("CORPSMAIL_"):
            _mail_text(reading, obx, name, texts)
    strict = reading.profile == CURRENT
    for name in METADATA:
        if name in flags:
            continue
        if name in MASKING or (strict and name.startswith("DEST")):
            reading.error("101", "OBX", "volet.flag-missing", f"{name} est absent.")
        else:
            flags[name] = False
            reading.warnings.append(warning("OBX", "volet.flag-assumed", f"{name} est absent : N."))
    return flags, texts


def _mail_text(reading: _Reading, obx: Segment, name: str, texts: dict[str, str]) -> None:
    parts = obx.components(5)
    try:
        if len(parts) == 5 and parts[3].strip().upper() == "BASE64":
            texts[name] = decode_base64(parts[4]).decode("utf-8")
        elif parts:
            texts[name] = obx.text(parts[-1])
    except (Base64Corrupt, UnicodeDecodeError):
        reading.warnings.append(
            warning(f"{obx.location}^5", "volet.mail-text-undecodable", f"{name} illisible : texte par défaut.")
        )


def _request(reading: _Reading, documents: tuple[EmbeddedDocument, ...]) -> str:
    """Return what is asked. ORC-1, OBX-11 and the event must agree; profile 2.0 had no ORC-1 of its own."""
    statuses = {document.status for document in documents}
    if len(statuses) > 1:
        reading.error("199", "OBX^1^11", "volet.incoherent-request", "Les deux documents ont des statuts différents.")
    request = documents[0].status if documents else INITIAL
    event = reading.message.header.component(9, 2)
    said = [(location, meaning) for location, meaning in _said(reading, event) if meaning is not None]
    if documents and any(meaning != request for _, meaning in said):
        for location, _ in [*said, (f"{documents[0].location}^11", "")]:
            reading.error("199", location, "volet.incoherent-request", "ORC-1, OBX-11 et événement ne concordent pas.")
    return request


def _said(reading: _Reading, event: str) -> list[tuple[str, str | None]]:
    said: list[tuple[str, str | None]] = []
    orc = reading.message.first("ORC")
    control = orc.component(1, 1).upper() if orc else ""
    if control in BY_ORDER_CONTROL:
        said.append(("ORC^1^1", BY_ORDER_CONTROL[control]))
    elif reading.profile not in FORMER:
        if orc is None:
            reading.error("100", "ORC^1", "volet.order-missing", "Segment ORC absent.")
        else:
            condition = "103" if control else "101"
            reading.error(condition, "ORC^1^1", "volet.order-control", "ORC-1 n'est ni NW, ni RO, ni CA.")
    if event in BY_EVENT:
        said.append(("MSH^1^9^2", BY_EVENT[event]))
    if reading.profile not in FORMER and reading.message.first("OBR") is None:
        reading.error("100", "OBR^1", "volet.observation-missing", "Segment OBR absent.")
    if len(reading.message.all("OBR")) > 1:
        reading.error("198", "OBR^2", "volet.several-orders", "Un seul groupe ORC/OBR est permis.")
    return said


def _patient(reading: _Reading) -> PatientFacts | None:
    patient = read_patient(reading.message)
    if patient is None:
        reading.error("100", "PID^1", "patient.missing", "Segment PID absent.")
        return None
    if len(reading.message.all("PID")) > 1:
        reading.error("100", "PID^2", "patient.several", "Un seul patient par message.")
    if not patient.identifiers:
        reading.error("101", "PID^1^3", "patient.identifier-missing", "PID-3 est vide.")
    if not patient.birth_name:
        reading.error("101", "PID^1^5", "patient.name-missing", "PID-5 est vide.")
    if reading.message.first("PV1") is None:
        reading.warnings.append(warning("PV1", "volet.visit-missing", "Segment PV1 absent."))
    elif not patient.encounter_class:
        reading.error("101", "PV1^1^2", "volet.visit-class-missing", "PV1-2 est vide.")
    return patient


def _check_txa(reading: _Reading, request: str, parent: UniqueId | None) -> None:
    if reading.message.first("TXA") is None:
        reading.error("100", "TXA^1", "volet.txa-missing", "Segment TXA absent.")
    elif not reading.message.all("TXA")[0].component(12, 1):
        reading.error("101", "TXA^1^12", "volet.document-id-missing", "TXA-12 est vide.")
    elif request == REPLACEMENT and parent is None and reading.profile not in FORMER:
        reading.error("101", "TXA^1^13", "volet.parent-id-missing", "TXA-13 est vide pour un remplacement.")


def _unique_id(reading: _Reading, number: int) -> UniqueId | None:
    """Return TXA-12 or 13: `root`, or `extension^^root^ISO`. TXA-12.2 is not read: many fill it."""
    txa = reading.message.first("TXA")
    if txa is None or not txa.component(number, 1):
        return None
    first, root = txa.component(number, 1), txa.component(number, 3)
    return UniqueId(root, first) if root else UniqueId(first)


def _forbids_answers(message: Message) -> bool:
    """Return True when NTE-4 = FIN follows the DESTMSSANTEPAT row."""
    after = False
    for segment in message:
        if segment.name == "OBX":
            after = segment.component(3, 1).upper() == "DESTMSSANTEPAT"
        elif segment.name == "NTE" and after and segment.component(4, 1).upper() == "FIN":
            return True
    return False


def _order_numbers(message: Message) -> tuple[str, ...]:
    """Return the placer then filler numbers of ORC, else of OBR."""
    numbers: list[str] = []
    for segment in (message.first("ORC"), message.first("OBR")):
        if segment is not None:
            numbers += [segment.component(2, 1), segment.component(3, 1)]
    return tuple(dict.fromkeys(number for number in numbers if number))
