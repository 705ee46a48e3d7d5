"""Versions of a report's document: the same content is the same document, another content replaces it."""

from hashlib import sha256

from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.report import Numbering
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


def fingerprint(report: Report, results_sha256: str, identity: Identity, profile: LaboratoryProfile) -> str:
    """Return what tells two contents apart: results, identity and laboratory, but not the message that brought them."""
    parts = (
        results_sha256,
        identity.model_dump_json(),
        profile.model_dump_json(),
        report.encounter_class,
        *report.order_numbers,
    )
    return sha256("\x1f".join(parts).encode()).hexdigest()


def numbering_after(last: Version | None) -> Numbering:
    """Return the number of the next version, and what it replaces."""
    return Numbering(1) if last is None else Numbering(last.number + 1, last.facts.unique_id)
