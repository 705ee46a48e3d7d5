"""Versions of a report's document: the same content is the same document, another content replaces it."""

from dataclasses import dataclass
from hashlib import sha256

from cda_builder.core.laboratory import LaboratoryProfile
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
    results: BlobRef | None = None  # what it says, to tell what the next one changes


@dataclass(frozen=True, slots=True)
class Numbering:
    """Which version this is; of the document it replaces, what it was and what it said (None: no longer known)."""

    version: int
    replaces: str = ""
    replaced_version: int = 0
    replaced_at: str = ""
    before: LaboratoryReport | None = None


def fingerprint(report: Report, results: LaboratoryReport, identity: Identity, profile: LaboratoryProfile) -> str:
    """Return what tells two contents apart: results, identity, laboratory and who may see it, but not the message.

    A document that becomes visible to its patient is another one, though it says the same: the DMP in indirect
    authentication changes no attribute.
    """
    parts = (
        results.model_copy(update={"version": 0}).model_dump_json(),  # the intake counts messages, we count documents
        identity.model_dump_json(),
        profile.model_dump_json(),
        report.encounter_class,
        report.visibility.model_copy(update={"changes_visibility": False}).model_dump_json(),
        *report.order_numbers,
    )
    return sha256("\x1f".join(parts).encode()).hexdigest()


def numbering_after(last: Version | None, before: LaboratoryReport | None = None) -> Numbering:
    """Return the number of the next version, and what it replaces."""
    if last is None:
        return Numbering(1)
    return Numbering(last.number + 1, last.facts.unique_id, last.number, last.facts.effective_time, before)
