"""What a return changes: facts about one of our mails, each with the event that tells it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labohub.contracts.codec import derived_id
from labohub.contracts.events import DeliveryEvent, MailBounced, MailDelayed, MailDelivered, MailRead
from labohub.standards.bounce import Bounce, says_no_box
from labohub.standards.dsn import DsnRecipient, from_xtext
from labohub.standards.mail import same_address
from labohub.standards.mdn import OTHER_ERROR, Mdn
from mss_sender.core.planning import Unsendable
from mss_sender.core.sorting import Kind, Sorted
from mss_sender.core.values import PlannedMail

DELIVERED = ("delivered", "relayed", "expanded")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a mail. `name` makes it single: the same notice twice changes nothing.

    `state` is the mail's new state; empty when the fact only enriches the trace.
    """

    name: str
    event: DeliveryEvent
    state: str = ""


def delivery_event(
    kind: type[DeliveryEvent], mail: PlannedMail | Unsendable, fact: str, at: datetime, **values: Any
) -> DeliveryEvent:
    """Return an event about a mail, with the identifier that this fact always has."""
    return kind(
        event_id=derived_id("mss", mail.mail_id, fact, mail.source.message_id),
        occurred_at=at,
        report_id=mail.source.report_id,
        message_id=mail.source.message_id,
        mail_id=mail.mail_id,
        document_id=mail.source.facts.unique_id,
        recipient=mail.recipient,
        **values,
    )


def bounced(
    mail: PlannedMail | Unsendable, at: datetime, smtp_code: str, status: str = "", code: str = "mss.bounced"
) -> Fact:
    """Return the fact that a mail will not arrive."""
    event = delivery_event(MailBounced, mail, "failed", at, smtp_code=smtp_code, status=status, code=code)
    return Fact("failed", event, "bounced")


def facts_of(found: Sorted, mail: PlannedMail, at: datetime) -> list[Fact]:
    """Return what a return says of a mail. A notice about somebody else's address says nothing."""
    if found.dsn is not None:
        blocks = [block for block in found.dsn.recipients if _concerns(block, mail)]
        return [fact for block in blocks if (fact := _from_block(block, mail, at))]
    if found.mdn is not None:
        fact = _from_mdn(found.mdn, mail, at)
        return [fact] if fact else []
    if found.kind is Kind.INTEGRATION_ERROR:
        return [_not_integrated(found.error_code, "", mail, at)]
    if found.bounce is not None:
        return [_from_words(found.bounce, mail, at)]
    return []


def bounced_code(mail: PlannedMail, status: str, words: str = "") -> str:
    """Return the catalogue's code of a failure: a patient without a box is ordinary life, not an incident."""
    return "mss.patient-without-box" if mail.to_patient and says_no_box(status, words) else "mss.bounced"


def _from_words(bounce: Bounce, mail: PlannedMail, at: datetime) -> Fact:
    if bounce.is_delay:
        return Fact("delayed", delivery_event(MailDelayed, mail, "delayed", at))
    return bounced(mail, at, bounce.smtp_code, bounce.status, bounced_code(mail, bounce.status))


def _concerns(block: DsnRecipient, mail: PlannedMail) -> bool:
    named = block.original_recipient or block.final_recipient
    return not named or any(same_address(said, mail.to) for said in (named, from_xtext(named), block.final_recipient))


def _from_block(block: DsnRecipient, mail: PlannedMail, at: datetime) -> Fact | None:
    if block.action in DELIVERED:
        event = delivery_event(MailDelivered, mail, block.action, at, action=block.action)
        return Fact(block.action, event, "delivered" if block.action == "delivered" else "relayed")
    if block.action == "delayed":
        return Fact("delayed", delivery_event(MailDelayed, mail, "delayed", at))
    if block.action == "failed":  # final, even with a 4.x.x status: the server gave up
        return bounced(mail, at, block.smtp_code, block.status, bounced_code(mail, block.status, block.diagnostic))
    return None


def _from_mdn(mdn: Mdn, mail: PlannedMail, at: datetime) -> Fact | None:
    if mdn.failed:
        return _not_integrated(mdn.error_code, mdn.disposition, mail, at)
    if mdn.disposition == "deleted":  # removed, maybe unread: the source is told that it was not integrated
        event = delivery_event(MailRead, mail, "deleted", at, disposition="deleted", error_code=OTHER_ERROR)
        return Fact("deleted", event, "read")
    if mdn.positive:
        event = delivery_event(MailRead, mail, mdn.disposition, at, disposition=mdn.disposition)
        return Fact(mdn.disposition, event, "read")
    return None


def _not_integrated(code: str, disposition: str, mail: PlannedMail, at: datetime) -> Fact:
    name = f"error-{code}"
    event = delivery_event(MailRead, mail, name, at, disposition=disposition or "processed", error_code=code)
    return Fact(name, event, "read")
