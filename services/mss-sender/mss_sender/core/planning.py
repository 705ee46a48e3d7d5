"""From a document to its mails: one per recipient, or the reason why there is none."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import IdentityStatus, Recipient, RecipientKind
from labohub.errors import Refused
from labohub.standards.mail import AddressMalformed, normal_address, same_address
from labohub.standards.xdm_metadata import Action
from mss_sender.core.laboratory import Laboratory
from mss_sender.core.values import ACTIONS, PlannedMail

PATIENT_DOMAIN = "patient.mssante.fr"
TOKEN_DIGITS = 24  # 96 bits: nobody invents a notice about a mail he has not seen


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A recipient who gets no mail, with the reason as the catalogue and as SMTP would say it."""

    mail_id: str
    source: DocumentBuilt
    recipient: Recipient
    code: str
    smtp_code: str


def plan(event: DocumentBuilt, laboratory: Laboratory, now: datetime) -> list[PlannedMail | Unsendable]:
    """Return one decision per recipient, in the order of the request; a mailbox named twice counts once."""
    decisions: dict[str, PlannedMail | Unsendable] = {}
    for recipient in event.report.recipients:
        decision = _decide(event, recipient, laboratory, now)
        decisions.setdefault(decision.mail_id, decision)
    return list(decisions.values())


def lane(mail: PlannedMail) -> str:
    """Return the lane of a mail: what goes to one mailbox about one report goes in order."""
    return f"{mail.source.report_id}|{mail.to.lower()}"


def mail_identifier(event: DocumentBuilt, address: str) -> str:
    """Return the identifier of the mail of a report's documents to a mailbox; a deletion is a mail of its own."""
    first, *others = (built.facts.unique_id for built in event.documents)
    kind = ["deletion"] if ACTIONS[event.report.request] is Action.DELETE else []
    return derived_id("mail", first, address.strip().lower(), *kind, *others)


def differs(first: PlannedMail, second: PlannedMail) -> bool:
    """Return whether one document identifier names two contents; what is deleted need not come with its bytes."""
    ours, theirs = ([each.content.sha256 for each in mail.source.documents] for mail in (first, second))
    return first.action is not Action.DELETE and ours != theirs


def ends(mail: PlannedMail) -> tuple[str, ...]:
    """Return the documents that a mail tells to replace or to delete: none of them may come after it."""
    if mail.action is Action.DELETE:
        return tuple(built.facts.unique_id for built in mail.source.documents)
    return tuple(built.facts.replaces for built in mail.source.documents if built.facts.replaces)


def begins(mail: PlannedMail) -> tuple[str, ...]:
    """Return the documents that a mail brings; none for a deletion."""
    return () if mail.action is Action.DELETE else tuple(built.facts.unique_id for built in mail.source.documents)


class DocumentIdReused(Refused):
    """This document's identifier already went to this mailbox with other bytes."""

    code = "mss.document-id-reused"


class DocumentSuperseded(Refused):
    """What replaces or deletes this document already went, or goes, to this mailbox."""

    code = "mss.document-superseded"


def _decide(
    event: DocumentBuilt, recipient: Recipient, laboratory: Laboratory, now: datetime
) -> PlannedMail | Unsendable:
    mail_id = mail_identifier(event, recipient.address)
    try:
        address = normal_address(recipient.address)
    except AddressMalformed:
        return Unsendable(mail_id, event, recipient, "mail.address-malformed", "553")
    if not laboratory.allows(address):
        return Unsendable(mail_id, event, recipient, "mss.domain-not-listed", "554")
    if refusal := _patient_refusal(event, recipient, address):
        return Unsendable(mail_id, event, recipient, refusal, "554")
    token = hmac.new(laboratory.message_id_secret, mail_id.encode(), hashlib.sha256).hexdigest()[:TOKEN_DIGITS]
    return PlannedMail(
        mail_id=mail_id,
        message_identifier=f"<{mail_id}.{token}@{laboratory.domain}>",
        envelope_id=f"{mail_id}.{token}",
        to=address,
        recipient=recipient,
        planned_at=now,
        source=event,
    )


def _patient_refusal(event: DocumentBuilt, recipient: Recipient, address: str) -> str:
    """Return why a patient's mailbox may not be written to; empty when it may, or is not a patient's.

    Source: ECO.2.2.6; the address is never trusted, it must be the one the qualified matricule gives.
    """
    is_patient_box = address.rpartition("@")[2] == PATIENT_DOMAIN
    if recipient.kind is not RecipientKind.PATIENT:
        return "mss.patient-address-for-professional" if is_patient_box else ""
    if event.report.visibility.invisible_to_patient:
        return "mss.hidden-from-patient"
    if event.identity.status is not IdentityStatus.QUALIFIEE or event.identity.ins is None:
        return "mss.identity-not-qualified"
    if not same_address(address, f"{event.identity.ins.matricule}@{PATIENT_DOMAIN}"):
        return "mss.address-not-of-patient"
    return ""
