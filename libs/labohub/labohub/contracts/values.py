"""Values that events are made of. Frozen; readers ignore fields they do not know."""

from datetime import datetime
from enum import StrEnum
from typing import NewType

from pydantic import BaseModel, ConfigDict

ReportId = NewType("ReportId", str)
MessageId = NewType("MessageId", str)


class Value(BaseModel):
    """Root of all values. Errors never show the input: it may be a patient's."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class BlobRef(Value):
    """A document kept in the blob store. Erasing the blob erases the document from every event."""

    id: str
    sha256: str  # of the clear bytes, 64 lower-case hexadecimal digits
    size_bytes: int
    media_type: str


class Path(StrEnum):
    """How a report becomes a document."""

    RELAY = "relay"  # the SGL made the CDA: carried byte for byte
    STRUCTURING = "structuring"  # results came in HL7: the hub builds the CDA


class Request(StrEnum):
    """What the sender asks for (ORC-1 and OBX-11 of the CDA-in-HL7 volet)."""

    INITIAL = "initial"
    REPLACEMENT = "replacement"
    DELETION = "deletion"


class Sender(Value):
    """Who sent the message: MSH-3 and MSH-4, first component."""

    application: str
    facility: str


class Ins(Value):
    """A matricule INS with the OID of its assigning authority."""

    matricule: str  # 13 characters and the key on 2 digits
    oid: str


class LocalIdentifier(Value):
    """An identifier given by the laboratory (IPP), CX type PI."""

    value: str
    authority_oid: str = ""
    authority_name: str = ""
    authority_id: str = ""  # universal id that is no OID: FINESS, SIRET, a local number


class Traits(Value):
    """The strict traits of an identity, as received, plus the used names. Dates: YYYYMMDD; sex: M, F or U."""

    birth_name: str
    first_given_name: str
    given_names: str = ""  # the whole list, space separated, civil-registry order
    birth_date: str
    sex: str
    birth_place: str = ""  # COG code, 5 characters; 99999 unknown
    used_name: str = ""
    used_given_name: str = ""


class Patient(Value):
    """The patient as the message names him (PID). `reliability` is PID-32, table 0445, upper case."""

    traits: Traits
    ins: Ins | None = None
    reliability: tuple[str, ...] = ()
    local_ids: tuple[LocalIdentifier, ...] = ()


class IdentityStatus(StrEnum):
    """RNIV statuses."""

    PROVISOIRE = "PROVISOIRE"
    RECUPEREE = "RECUPEREE"
    VALIDEE = "VALIDEE"
    QUALIFIEE = "QUALIFIEE"


class Identity(Value):
    """An identity after the ins-qualifier. `ins` is set only when `status` is QUALIFIEE."""

    status: IdentityStatus
    traits: Traits
    ins: Ins | None = None
    local_ids: tuple[LocalIdentifier, ...] = ()


class RecipientKind(StrEnum):
    """Whose mailbox it is."""

    PROFESSIONAL = "professional"
    ORGANISATION = "organisation"
    APPLICATION = "application"
    PATIENT = "patient"


class Recipient(Value):
    """One MSSanté recipient: one mail, one Z02, one Z03."""

    kind: RecipientKind
    address: str
    identifier: str = ""  # RPPS, IDNPS, FINESS… as received, without assumption on its prefix
    identifier_type: str = ""  # HL7 table 0203: RPPS, IDNPS, FINEG, INS…
    family_name: str = ""
    given_name: str = ""
    organisation_name: str = ""


class Requester(Value):
    """PRT SB: who asks for the sending. The VIHF and the author of the submission set are made from it."""

    person_id: str = ""
    person_id_type: str = ""
    family_name: str = ""
    given_name: str = ""
    organisation_id: str = ""  # Struct_IdNat or FINESS as received
    organisation_id_type: str = ""
    organisation_name: str = ""
    device_id: str = ""


class Visibility(Value):
    """The masking flags. There is no default: a flag that is absent from the message is a refusal."""

    masked_from_professionals: bool
    invisible_to_patient: bool
    invisible_to_guardians: bool
    secret_connection: bool
    changes_visibility: bool


class MailTexts(Value):
    """Bodies proposed by the sender (CORPSMAIL_*); None means the hub's own text."""

    professional: str | None = None
    patient: str | None = None
    patient_may_answer: bool = True  # False when NTE-4 = FIN


class Report(Value):
    """A report on its way: all that later stages need, carried from event to event."""

    report_id: ReportId  # stable across the corrections of one report; partition key
    message_id: MessageId  # the accepted HL7 message that asks for this sending
    control_id: str  # MSH-10
    message_type: str  # MSH-9, e.g. ORU^R01^ORU_R01
    message_version: str  # MSH-12.1
    sender: Sender
    processing_id: str  # MSH-11: P, T or D
    received_at: datetime
    path: Path
    request: Request
    patient: Patient
    visibility: Visibility
    to_dmp: bool
    recipients: tuple[Recipient, ...] = ()
    wants_reception_ack: bool = False
    wants_reading_ack: bool = False
    texts: MailTexts = MailTexts()
    reply_to: str = ""
    requester: Requester = Requester()
    encounter_class: str = ""  # PV1-2
    document_code: str = "11502-2"  # OBR-4.1 of the document
    order_numbers: tuple[str, ...] = ()  # placer, then filler
    document: BlobRef | None = None  # path relay: the SGL's CDA, exact bytes
    companion: BlobRef | None = None  # path relay: the same content in the other format (N1 beside N3), exact bytes
    results: BlobRef | None = None  # path structuring: a contracts.laboratory.LaboratoryReport in JSON


class DocumentFacts(Value):
    """The header of a CDA, read once for all later stages. Times keep the CDA's own text."""

    unique_id: str  # id/@root, with "^extension" when there is one
    set_id: str = ""
    version_number: int = 1
    code: str
    code_system: str
    code_label: str
    title: str
    effective_time: str
    confidentiality_code: str
    language_code: str = "fr-FR"
    level: str  # N1 or N3
    template_ids: tuple[str, ...] = ()
    replaces: str = ""  # unique_id of the document this one replaces
    act_started_at: str = ""  # documentationOf/serviceEvent/effectiveTime/low, CDA text
    act_stopped_at: str = ""
    order_number: str = ""  # inFulfillmentOf/order/id/@extension
