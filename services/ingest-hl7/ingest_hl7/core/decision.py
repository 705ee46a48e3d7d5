"""What the intake decides about one message."""

from dataclasses import dataclass, field
from datetime import datetime

from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import LocalIdentifier, Patient, Recipient, Report
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.findings import Finding


@dataclass(frozen=True, slots=True)
class Receipt:
    """What identifies one reception. `key` is MSH-3, MSH-4 and MSH-10."""

    message_id: str
    key: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RefusedRecipient:
    """A recipient that cannot be written to, though the rest of the message can be served."""

    recipient: Recipient
    smtp_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing of the message goes on. `code` is AE or AR."""

    code: str
    findings: tuple[Finding, ...]
    style: AnswerStyle = AnswerStyle.HL7


@dataclass(frozen=True, slots=True)
class RelayedDocument:
    """One CDA of a message, byte for byte."""

    content: bytes
    document_id: str
    target_id: str  # the document it replaces; its own for an initial or a deletion
    location: str  # of its bytes, as ERR-2


@dataclass(frozen=True, slots=True)
class Relayed:
    """What a message asks to carry: one CDA, or the same report as N3 and N1, the N3 first."""

    report: Report
    documents: tuple[RelayedDocument, ...]
    refused_recipients: tuple[RefusedRecipient, ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Structured:
    """Results from which a CDA is to be built."""

    report: Report
    results: LaboratoryReport
    fresh: LaboratoryReport | None = None  # the message's own results, when `results` holds a whole demand
    only_if_known: str = ""  # reason to archive it, unless a report exists that it changes
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Archived:
    """Accepted and kept; nothing is to be sent now.

    `report_id` and `orders` are those of results that are not final: a final already known makes them late.
    """

    reason: str
    report_id: str = ""
    orders: tuple[tuple[str, str], ...] = ()  # filler number, ERR-2 of its status
    warnings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Accepted from a sender nobody knows: kept, and decided again when an operator says whose it is."""

    reason: str
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """An identifier whose patient is known under another one from now on. Both are of one authority."""

    prior: LocalIdentifier
    survivor: LocalIdentifier


@dataclass(frozen=True, slots=True)
class Stated:
    """What ZFA says: codes and times as written, "" for what it leaves open."""

    feeding: str
    feeding_at: str
    consultation: str
    consultation_at: str


@dataclass(frozen=True, slots=True)
class PatientNews:
    """What an ADT says of a patient. It asks for nothing: reports under way follow it.

    `patient` names whom it is about; only when `tells_identity` do his traits replace those of his reports.
    Times are those of the message.
    """

    reason: str  # why it is archived once applied
    patient: Patient
    facility: str  # MSH-4.1
    recorded_at: str
    tells_identity: bool
    withdraws_ins: bool = False
    merges: tuple[Merge, ...] = ()
    stated: Stated | None = None
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Silent:
    """An acknowledgement sent to a listener: never answered, never kept."""

    reason: str


Decision = Refusal | Relayed | Structured | Archived | Quarantined | Silent | PatientNews
