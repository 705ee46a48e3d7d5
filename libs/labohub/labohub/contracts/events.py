"""The facts that travel between services, one class each, in the past tense.

Within a topic's `.v1` fields are only added, and optional. Readers ignore what they do not know.
An `event_id` is derived (uuid5) from what caused it, so that a repetition is recognised.
"""

from datetime import datetime
from typing import ClassVar, NamedTuple

from labohub.contracts import topics
from labohub.contracts.values import (
    BlobRef,
    DocumentFacts,
    Identity,
    IdentityStatus,
    MessageId,
    Patient,
    Recipient,
    Report,
    ReportId,
    Value,
)


class Event(Value):
    """Root of all events: who it is about, and when it happened (aware, UTC)."""

    TOPIC: ClassVar[str]
    STEP: ClassVar[str]  # the line's name in a timeline

    event_id: str
    occurred_at: datetime
    report_id: ReportId  # partition key
    message_id: MessageId


class ReportReceived(Event):
    """A message that asks for a report's sending is durable and acknowledged."""

    TOPIC = topics.REPORT
    STEP = "report.received"

    report: Report


class MessageArchived(Event):
    """A message was accepted and asks for nothing now (partial result kept, order, quality control…)."""

    TOPIC = topics.REPORT
    STEP = "message.archived"

    control_id: str
    message_type: str
    sender_application: str
    sender_facility: str
    reason: str  # stable code, e.g. "ltw.not-final"


class ReportHeld(Event):
    """A report is complete and waits at the intake for its laboratory's word. Not an end."""

    TOPIC = topics.REPORT
    STEP = "report.held"

    control_id: str
    reason: str  # stable code, e.g. "sgl.hold"
    message_type: str = ""
    sender_application: str = ""
    sender_facility: str = ""


class PatientCorrected(Event):
    """The source corrected the identity of a report's patient (PAM A08, A31, A40…): what has not left must follow."""

    TOPIC = topics.REPORT
    STEP = "patient.corrected"

    patient: Patient
    cause: str = ""  # our identifier of the message that said so


class FeedingOpposed(Event):
    """The patient opposes the feeding of the DMP (ZFA, or a recorded consent); `opposed` is False when it is lifted.

    It is about one request: a later message of the same report is decided when it comes.
    """

    TOPIC = topics.REPORT
    STEP = "feeding.opposed"

    opposed: bool = True
    cause: str = ""  # our identifier of the message or event that said so


class IdentityQualified(Event):
    """The identity is certain: the matricule may leave."""

    TOPIC = topics.IDENTITY
    STEP = "identity.qualified"

    report: Report
    identity: Identity


class IdentityUnresolved(Event):
    """The identity is not certain: the report waits for the identity officer."""

    TOPIC = topics.IDENTITY
    STEP = "identity.unresolved"

    control_id: str
    status: IdentityStatus
    code: str  # why, from the error catalogue


class IdentityWithdrawn(Event):
    """An identity that was certain is no longer: what has not left must not leave. It says nothing of what left."""

    TOPIC = topics.IDENTITY
    STEP = "identity.withdrawn"

    code: str  # why, from the error catalogue


class BuiltDocument(NamedTuple):
    """One CDA of a built report, with what was made of it."""

    content: BlobRef
    facts: DocumentFacts
    pdf: BlobRef | None
    conformance_report: BlobRef | None


class DocumentBuilt(Event):
    """A report now exists as a document that may be sent."""

    TOPIC = topics.DOCUMENT
    STEP = "document.built"

    report: Report
    identity: Identity
    document: BlobRef
    facts: DocumentFacts
    pdf: BlobRef | None = None  # the copy that goes beside the zip
    companion: BlobRef | None = None  # the other format of the same content (N1 beside N3): they travel together
    companion_facts: DocumentFacts | None = None
    companion_pdf: BlobRef | None = None
    companion_conformance_report: BlobRef | None = None
    conformance: str  # "passed", "not-configured" (no official folder)
    conformance_report: BlobRef | None = None

    @property
    def documents(self) -> tuple[BuiltDocument, ...]:
        """Return the document, and its other format when the laboratory made both."""
        first = BuiltDocument(self.document, self.facts, self.pdf, self.conformance_report)
        if self.companion is None or self.companion_facts is None:
            return (first,)
        second = BuiltDocument(
            self.companion, self.companion_facts, self.companion_pdf, self.companion_conformance_report
        )
        return (first, second)


class DocumentRefused(Event):
    """The document does not conform, or names another patient: nothing leaves."""

    TOPIC = topics.DOCUMENT
    STEP = "document.refused"

    control_id: str
    code: str
    conformance_report: BlobRef | None = None


class DeliveryEvent(Event):
    """What all delivery facts carry: which mail, to whom."""

    mail_id: str
    document_id: str  # unique_id of the CDA
    recipient: Recipient


class MailAccepted(DeliveryEvent):
    """The operator took the mail; `confirmable` is False when it offers no DSN."""

    TOPIC = topics.DELIVERY
    STEP = "mail.accepted"

    confirmable: bool = True
    evidence: BlobRef | None = None  # the mail's source


class MailDelivered(DeliveryEvent):
    """A DSN says that the mail is in the mailbox, or was relayed to a server that gives no better proof."""

    TOPIC = topics.DELIVERY
    STEP = "mail.delivered"

    action: str = "delivered"  # delivered, relayed or expanded


class MailDelayed(DeliveryEvent):
    """A DSN says that the operator still tries. Not an end."""

    TOPIC = topics.DELIVERY
    STEP = "mail.delayed"


class MailBounced(DeliveryEvent):
    """The mail will not arrive."""

    TOPIC = topics.DELIVERY
    STEP = "mail.bounced"

    smtp_code: str  # three digits of the table SMTPERRORCODE
    status: str = ""  # enhanced status, e.g. 5.1.1
    code: str = "mss.bounced"


class MailUncertain(DeliveryEvent):
    """The hub stopped between the content and the operator's answer: a DSN or a person will tell."""

    TOPIC = topics.DELIVERY
    STEP = "mail.uncertain"

    code: str = "mss.uncertain"


class MailRead(DeliveryEvent):
    """An MDN came back. `error_code` is set (900…906) when the recipient could not integrate it."""

    TOPIC = topics.DELIVERY
    STEP = "mail.read"

    disposition: str
    error_code: str = ""


class ReplyReceived(DeliveryEvent):
    """A person answered; the answer was handed to the organisational mailbox."""

    TOPIC = topics.DELIVERY
    STEP = "mail.answered"

    evidence: BlobRef | None = None


class SubmissionAccepted(Event):
    """The DMP took the document (RegistryResponse Success, with or without warning)."""

    TOPIC = topics.SUBMISSION
    STEP = "dmp.accepted"

    submission_id: str
    document_id: str
    operation: str  # TD2.1, RPLC, TD3.3c
    evidence: BlobRef | None = None


class SubmissionRefused(Event):
    """The DMP refused, for good."""

    TOPIC = topics.SUBMISSION
    STEP = "dmp.refused"

    submission_id: str
    document_id: str
    operation: str
    dmp_code: str  # as the DMP says it, e.g. DMPClosed
    dmp_label: str = ""
    code: str = "dmp.refused"


class AnswerSettled(Event):
    """A business acknowledgement (ZAM) reached the source, or never will."""

    TOPIC = topics.MESSAGE
    STEP = "answer.settled"

    control_id: str
    message_type: str  # ZAM^Z01^ZAM_Z01…
    outcome: str  # AA, AE, AR, or a code of the catalogue


class MessageSettled(Event):
    """An accepted message has its one terminal state.

    `is_revision`: it had one, `stopped`; a person let the report go on, and this is how it ended.
    """

    TOPIC = topics.MESSAGE
    STEP = "message.settled"

    control_id: str
    state: str  # delivered, partly-delivered, failed, stopped, archived
    delivered: int = 0
    failed: int = 0
    uncertain: int = 0
    code: str = ""
    is_revision: bool = False


class EventSetAside(Event):
    """An event could not be handled: it lies in a dead-letter topic until someone replays it."""

    TOPIC = topics.DEAD
    STEP = "event.set-aside"

    topic: str
    group: str
    event_type: str
    code: str


EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (
        ReportReceived,
        MessageArchived,
        ReportHeld,
        PatientCorrected,
        FeedingOpposed,
        IdentityQualified,
        IdentityUnresolved,
        IdentityWithdrawn,
        DocumentBuilt,
        DocumentRefused,
        MailAccepted,
        MailDelivered,
        MailDelayed,
        MailBounced,
        MailUncertain,
        MailRead,
        ReplyReceived,
        SubmissionAccepted,
        SubmissionRefused,
        AnswerSettled,
        MessageSettled,
        EventSetAside,
    )
}
