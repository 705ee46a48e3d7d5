"""Versions of a report's document: the same content is the same document, another content replaces it."""

from hashlib import sha256

from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.report import Numbering
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import BlobRef, DocumentFacts, Identity, Report, Value


class Version(Value):
    """One document that was published."""

    number: int
    fingerprint: str  # of what it was made from
    document: BlobRef
    facts: DocumentFacts
    pdf: BlobRef | None = None
    conformance: str
    conformance_report: BlobRef | None = None


def fingerprint(report: Report, results: LaboratoryReport, identity: Identity, profile: LaboratoryProfile) -> str:
    """Return what tells two contents apart: results, identity and laboratory, but not the message that brought them."""
    parts = (
        results.model_copy(update={"version": 0}).model_dump_json(),  # the intake counts messages, we count documents
        identity.model_dump_json(),
        profile.model_dump_json(),
        report.encounter_class,
        *report.order_numbers,
    )
    return sha256("\x1f".join(parts).encode()).hexdigest()


def numbering_after(last: Version | None) -> Numbering:
    """Return the number of the next version, and what it replaces."""
    return Numbering(1) if last is None else Numbering(last.number + 1, last.facts.unique_id)
