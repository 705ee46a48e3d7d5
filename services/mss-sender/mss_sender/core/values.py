"""The values this service keeps: a planned mail, a return, a hand-over."""

from datetime import datetime

from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import BlobRef, Recipient, RecipientKind, Request, Value
from labohub.standards.xdm_metadata import Action

ACTIONS = {
    Request.INITIAL: Action.INTEGRATE,
    Request.REPLACEMENT: Action.REPLACE,
    Request.DELETION: Action.DELETE,
}


class PlannedMail(Value):
    """One mail to one recipient: all that is needed to write it again, byte for byte."""

    mail_id: str
    message_identifier: str  # Message-ID, with brackets; the same on every attempt
    envelope_id: str  # ENVID; the same on every attempt
    to: str
    recipient: Recipient
    planned_at: datetime
    source: DocumentBuilt

    @property
    def to_patient(self) -> bool:
        """Whether the mailbox is a patient's."""
        return self.recipient.kind is RecipientKind.PATIENT

    @property
    def action(self) -> Action:
        """What the receiver does with the document."""
        return ACTIONS[self.source.report.request]


class Return(Value):
    """A mail that came back, kept raw before anything else."""

    return_id: str
    account: str  # the mailbox it was read from
    raw: BlobRef
    fetched_at: datetime
    content_key: str = ""  # the same for copies of one mail in several mailboxes
    truncated: bool = False  # above the size limit: only its beginning was kept
    kind: str = ""  # set when sorted
    mail_id: str = ""  # ours, when known
    report_id: str = ""
    sent_to: str = ""  # the mailbox of ours where people read it, when it is an answer


class HandOver(Value):
    """A person's answer on its way to the organisational mailbox."""

    handover_id: str
    return_id: str
    raw: BlobRef
    account: str  # our mailbox that it came to, and leaves from
    target: str  # the organisational mailbox of the laboratory, or of its site
    sender: str
    received_at: datetime
    mail: PlannedMail | None = None  # the mail it answers, when known


class Integrated(Value):
    """What the software said of one document of a mail."""

    document_id: str
    error_code: str = ""  # of table 0533; empty: integrated
    error_label: str = ""
    detail: str = ""  # our code, or the acknowledgement's


def integration_id(return_id: str) -> str:
    """Return the identifier of the integration of a return's documents."""
    return derived_id("integration", return_id)


class Integration(Value):
    """A mail with documents on its way to the software that integrates them."""

    integration_id: str
    return_id: str
    raw: BlobRef
    account: str  # our mailbox that it came to
    received_at: datetime
    outcomes: tuple[Integrated, ...] = ()  # so far, in the order of the documents
    is_read: bool = False  # all documents have their outcome: only the notice is left
