"""Documents inside the document: the PDF copy of the report, and those that came with its results.

Source: CI-SIS, FR-Document-attache (edition in docs/standards.md).
"""

import base64

from lxml import etree

from labohub.standards.cda.builder.model import Attached, CrBio
from labohub.standards.cda.builder.xml import XSI_TYPE, add, add_code, add_reference, add_templates, loinc
from labohub.standards.cda.names import PDF_COPY_SECTION, SECOND_INTENTION_SECTION

_COPY = loinc("55108-5", "Copie du document")


def add_pdf_copy(body: etree._Element, report: CrBio, pdf: bytes) -> None:
    """Write the section that holds the report as the laboratory prints it: what readers show first."""
    section = add(add(body, "component"), "section")
    add_templates(section, PDF_COPY_SECTION)
    add_code(section, _COPY)
    add(section, "title", "Copie du document")
    copy = Attached("Copie PDF du compte rendu", "application/pdf", base64.b64encode(pdf).decode())
    kind = _document(section, report, copy, "PDF1")
    value = add_code(kind, _COPY, "value")
    value.set(XSI_TYPE, "CD")


def add_attached(body: etree._Element, report: CrBio, document: Attached, number: int) -> None:
    """Write the section of a document that came with the results, as it came."""
    section = add(add(body, "component"), "section")
    add_templates(section, SECOND_INTENTION_SECTION)
    add_code(section, loinc("101792-0", "Résultats de laboratoire scannés"))
    add(section, "title", document.title)
    kind = _document(section, report, document, f"DOC{number}")
    add_reference(add(add(kind, "value", xsi_type="CD"), "originalText"), _title_of(f"DOC{number}"))


def _title_of(name: str) -> str:
    """Return the anchor of an attached document's title."""
    return f"{name}-titre"


def _document(section: etree._Element, report: CrBio, document: Attached, name: str) -> etree._Element:
    """Return the observation that says what the document is, still without its value; `name` is the document's id."""
    anchor = _title_of(name)
    text = add(section, "text")
    add(add(text, "paragraph"), "content", document.title, ID=anchor)
    add(text, "renderMultiMedia", referencedObject=name)
    organizer = add(add(section, "entry"), "organizer", classCode="CLUSTER", moodCode="EVN")
    add_templates(organizer, "1.2.250.1.213.1.1.3.18")
    add(organizer, "id", root=report.id, extension=name)
    add_code(organizer, loinc("55107-7", "Document attaché"))
    add(organizer, "statusCode", code="completed")
    kind = add(add(organizer, "component"), "observation", classCode="OBS", moodCode="EVN")
    add_templates(kind, "1.3.6.1.4.1.19376.1.5.3.1.4.13", "1.2.250.1.213.1.1.3.48", "1.2.250.1.213.1.1.3.48.18")
    add(kind, "id", root=report.id, extension=f"{name}-TYPE")
    add_code(kind, loinc("69764-9", "Type de document"))
    add_reference(add(kind, "text"), anchor)
    add(kind, "statusCode", code="completed")
    add(kind, "effectiveTime", nullFlavor="NA")
    media = add(add(organizer, "component"), "observationMedia", classCode="OBS", moodCode="EVN", ID=name)
    add(media, "value", document.data, mediaType=document.media_type, representation="B64")
    return kind
