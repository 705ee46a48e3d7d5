"""The facts that a filing ends with, one for each message that asked."""

from datetime import datetime

from dmp_feeder.core.filing import Asker
from labohub.contracts.codec import derived_id
from labohub.contracts.events import SubmissionAccepted, SubmissionRefused
from labohub.contracts.values import BlobRef


def accepted(
    asker: Asker, filing_id: str, document_id: str, operation: str, *, at: datetime, evidence: BlobRef | None
) -> SubmissionAccepted:
    """Return the fact that the DMP took a document (or its deletion)."""
    return SubmissionAccepted(
        event_id=derived_id("dmp.accepted", filing_id, asker.message_id),
        occurred_at=at,
        report_id=asker.report_id,
        message_id=asker.message_id,
        submission_id=filing_id,
        document_id=document_id,
        operation=operation,
        evidence=evidence,
    )


def refused(
    asker: Asker,
    filing_id: str,
    document_id: str,
    operation: str,
    *,
    at: datetime,
    code: str,
    dmp_code: str = "",
    label: str = "",
) -> SubmissionRefused:
    """Return the fact that a document will not be in the DMP (or stays there, for a deletion)."""
    return SubmissionRefused(
        event_id=derived_id("dmp.refused", filing_id, asker.message_id),
        occurred_at=at,
        report_id=asker.report_id,
        message_id=asker.message_id,
        submission_id=filing_id,
        document_id=document_id,
        operation=operation,
        dmp_code=dmp_code,
        dmp_label=label,
        code=code,
    )
