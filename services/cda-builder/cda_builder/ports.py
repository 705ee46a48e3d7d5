"""What the building needs from outside, in our words."""

from dataclasses import dataclass, field
from typing import Protocol

from cda_builder.core.catalogue import Catalogue
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.verdict import Verdict
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import DocumentFacts, Identity, Report
from labohub.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Made:
    """A document with all that is known of it."""

    document: bytes
    facts: DocumentFacts
    pdf: bytes
    verdict: Verdict
    self_presenting: bool = False  # the document is inside its own stylesheet


@dataclass(frozen=True, slots=True)
class Order:
    """What a document is built from."""

    report: Report
    results: LaboratoryReport
    identity: Identity
    profile: LaboratoryProfile
    numbering: Numbering
    catalogue: Catalogue = field(default_factory=Catalogue)


class WorkshopBusy(Unavailable):
    """A worker process died or took too long; another one takes over."""

    code = "cda.workshop-unavailable"


class Workshop(Protocol):
    """Does the heavy work away from the event loop."""

    async def structure(self, order: Order) -> Made:
        """Return the document built from results, checked. Raises: Refused why there is none, WorkshopBusy."""

    async def examine(self, document: bytes, identity: Identity) -> Made:
        """Return what a relayed document is, checked, with the PDF it holds or one of its narrative.

        Raises: Refused when it is no CDA or names another patient, WorkshopBusy.
        """

    async def close(self) -> None:
        """End the work."""
