"""Business acknowledgements owed to the source: which outcome gives which ZAM.

Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", §accusés métier; SMTP codes of its table.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from ingest_hl7.core.senders import Endpoint
from labohub.contracts.codec import derived_id
from labohub.contracts.values import Recipient, Value
from labohub.standards.hl7.zam import Outcome, Parties, ZamKind, write_zam

UNDELIVERABLE = "554"
OTHER_ERROR = "906"


class Return(Value):
    """What the intake remembers of a request so that it can answer later. Raw ER7 fields keep their separators."""

    control_id: str
    their_application: str
    their_facility: str
    processing_id: str
    codec: str = "utf-8"
    endpoint: Endpoint | None = None
    wants_reception: bool = False
    wants_reading: bool = False
    to_dmp: bool = False
    recipients: tuple[Recipient, ...] = ()


class Zam(Value):
    """One ZAM to send: the payload of a row of work."""

    message_id: str
    report_id: str
    request_control_id: str
    control_id: str
    message_type: str
    er7: str
    codec: str
    endpoint: Endpoint | None


@dataclass(frozen=True, slots=True)
class Us:
    """MSH-3 and MSH-4 of what we send."""

    application: str
    facility: str


def control_id(*parts: str) -> str:
    """Return a control id of 20 characters that these parts always give (MSH-10 of HL7 2.5)."""
    return "LH" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:18].upper()


def is_wanted(kind: ZamKind, owed: Return) -> bool:
    """Return True when the request asked for this kind."""
    return owed.wants_reading if kind is ZamKind.MSS_READING else owed.wants_reception


def plan(outcome: Outcome, owed: Return, us: Us, *, message_id: str, report_id: str, at: datetime) -> tuple[str, Zam]:
    """Return the identifier of the row and the ZAM. The same outcome gives the same row, whoever tells it."""
    row = derived_id("answer", message_id, outcome.kind, outcome.address.lower(), outcome.error_code)
    number = control_id("zam", row)
    parties = Parties(us.application, us.facility, owed.their_application, owed.their_facility)
    er7 = write_zam(outcome, parties, at=at, control_id=number, processing_id=owed.processing_id, codec=owed.codec)
    return row, Zam(
        message_id=message_id,
        report_id=report_id,
        request_control_id=owed.control_id,
        control_id=number,
        message_type=f"ZAM^{outcome.kind}^ZAM_Z01",
        er7=er7.decode(owed.codec),
        codec=owed.codec,
        endpoint=owed.endpoint,
    )


def mail_outcome(kind: ZamKind, owed: Return, recipient: Recipient, error_code: str = "") -> Outcome:
    """Return the outcome of one mail."""
    return Outcome(kind, owed.control_id, error_code, "", recipient.address, recipient.identifier)


def dmp_outcome(owed: Return, error_code: str = "", label: str = "") -> Outcome:
    """Return the outcome of a submission to the DMP."""
    return Outcome(ZamKind.DMP_RECEPTION, owed.control_id, error_code, label)


def stopped_outcomes(owed: Return, code: str, label: str) -> list[Outcome]:
    """Return what is told when nothing leaves: N for the DMP and for each mailbox."""
    outcomes = [dmp_outcome(owed, code, label)] if owed.to_dmp else []
    return outcomes + [
        mail_outcome(ZamKind.MSS_RECEPTION, owed, recipient, UNDELIVERABLE) for recipient in owed.recipients
    ]
