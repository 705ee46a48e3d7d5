"""CDA R2 as the CI-SIS uses it: header reading, and the building of CR-BIO documents. No I/O."""

from labohub.standards.cda.facts import (
    Author,
    Coded,
    Encounter,
    Header,
    Id,
    Organization,
    Participant,
    Patient,
    Person,
    RelatedDocument,
    ServiceEvent,
)
from labohub.standards.cda.header import CdaMalformed, document_element, read_header
from labohub.standards.cda.media import embedded_pdf, pdf_of

__all__ = [
    "Author",
    "CdaMalformed",
    "Coded",
    "Encounter",
    "Header",
    "Id",
    "Organization",
    "Participant",
    "Patient",
    "Person",
    "RelatedDocument",
    "ServiceEvent",
    "document_element",
    "embedded_pdf",
    "pdf_of",
    "read_header",
]
