"""What the intake decides about one message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest_hl7.core.order import Order
from ingest_hl7.core.results import Places
from ingest_hl7.core.senders import Sender
from labohub.contracts.laboratory import LaboratoryReport, PreviousResult, Result
from labohub.contracts.values import LocalIdentifier, Patient, Recipient, Report
from labohub.standards.er7 import Segment
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.results import OrderGroup


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
class FreshResults:
    """What one message says of a demand."""

    results: LaboratoryReport
    places: Places
    sent_at: str  # MSH-7
    sender: Sender
    quoted: tuple[tuple[Result, PreviousResult], ...] = ()  # earlier results it repeats as information
    order_keys: frozenset[str] = frozenset()  # of its placer numbers and its demand
    filler_keys: tuple[str, ...] = ()  # of its batteries' filler numbers, in their order; "" for none
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Structured:
    """Results of a demand: what leaves, or why nothing does yet. What is known of the demand is kept either way."""

    report: Report
    fresh: FreshResults
    state: LaboratoryReport  # all that is known of the demand
    times: Mapping[str, str] = field(default_factory=dict)  # battery to MSH-7 of its last change
    results: LaboratoryReport | None = None  # what leaves; None: nothing
    digest: str = ""  # of what leaves
    waits: str = ""  # why nothing leaves
    if_unknown: Refusal | None = None  # what it is when nothing is known of the demand yet
    warnings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # codes kept with the message, not told to its sender


@dataclass(frozen=True, slots=True)
class Archived:
    """Accepted and kept; nothing is to be sent now."""

    reason: str
    report_id: str = ""
    warnings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # codes kept with the message, not told to its sender


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one order: ORC-1, ORC-5, ORC-16, and ORC-2 when the number is ours."""

    control: str
    status: str = ""
    reason: tuple[str, str] | None = None
    placer: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Orders to record, each with its answer once what is recorded already is known."""

    orders: tuple[Order, ...]
    groups: tuple[OrderGroup, ...]
    patient: Segment
    event: str  # O21, O33 or O35
    person: str  # opaque
    verdicts: tuple[Verdict, ...] = ()
    warnings: tuple[Finding, ...] = ()


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


Decision = Refusal | Relayed | Structured | Ordered | Archived | Quarantined | Silent | PatientNews
