"""A whole CR-BIO document from its model and its PDF."""

import base64

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.entries import add_entry
from labohub.standards.cda.builder.header import add_header
from labohub.standards.cda.builder.model import Chapter, CrBio
from labohub.standards.cda.builder.narrative import add_lines, add_narrative
from labohub.standards.cda.builder.xml import NSMAP, add, add_code, add_templates, loinc
from labohub.standards.cda.names import HL7, PDF_COPY_SECTION

_COPY = loinc("55108-5", "Copie du document")


def build_cr_bio(report: CrBio, pdf: bytes) -> bytes:
    """Return the bytes of the document: UTF-8, the same for the same values.

    Source: CI-SIS, volet CR-BIO 2024.01 (edition in docs/standards.md).
    """
    root = etree.Element(f"{{{HL7}}}ClinicalDocument", nsmap=NSMAP)  # type: ignore[arg-type]  # None is the default namespace; the stubs forget it
    add_header(root, report)
    body = add(add(root, "component"), "structuredBody")
    for number, chapter in enumerate(report.chapters, 1):
        _chapter(body, chapter, report, number)
    for title, text in report.comments:
        _comment(body, title, text)
    _pdf_copy(body, report, pdf)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _chapter(body: etree._Element, chapter: Chapter, report: CrBio, number: int) -> None:
    """Write one chapter: a text and one entry."""
    anchors = Anchors(chapter, number)
    section = add(add(body, "component"), "section")
    add_templates(section, "1.3.6.1.4.1.19376.1.3.3.2.1", "1.2.250.1.213.1.1.2.70")
    add_code(section, chapter.code)
    add(section, "title", chapter.title)
    add_narrative(section, chapter, anchors)
    add_entry(section, chapter, report.laboratory, anchors)


def _comment(body: etree._Element, title: str, text: str) -> None:
    section = add(add(body, "component"), "section")
    add_templates(section, "2.16.840.1.113883.10.12.201", "1.3.6.1.4.1.19376.1.4.1.2.16", "1.2.250.1.213.1.1.2.73")
    add_code(section, loinc("55112-7", "Commentaire"))
    add(section, "title", title)
    add_lines(add(add(section, "text"), "paragraph"), text)


def _pdf_copy(body: etree._Element, report: CrBio, pdf: bytes) -> None:
    """Write the section that holds the report as the laboratory prints it: what readers show first."""
    section = add(add(body, "component"), "section")
    add_templates(section, PDF_COPY_SECTION)
    add_code(section, _COPY)
    add(section, "title", "Copie du document")
    text = add(section, "text")
    add(add(text, "paragraph"), "content", "Copie PDF du compte rendu", ID="pdfdoc")
    add(text, "renderMultiMedia", referencedObject="PDF1")
    organizer = add(add(section, "entry"), "organizer", classCode="CLUSTER", moodCode="EVN")
    add_templates(organizer, "1.2.250.1.213.1.1.3.18")
    add(organizer, "id", root=report.id, extension="PDF")
    add_code(organizer, loinc("55107-7", "Document attaché"))
    add(organizer, "statusCode", code="completed")
    kind = add(add(organizer, "component"), "observation", classCode="OBS", moodCode="EVN")
    add_templates(kind, "1.3.6.1.4.1.19376.1.5.3.1.4.13", "1.2.250.1.213.1.1.3.48", "1.2.250.1.213.1.1.3.48.18")
    add(kind, "id", root=report.id, extension="PDF-TYPE")
    add_code(kind, loinc("69764-9", "Type de document"))
    add(add(kind, "text"), "reference", value="#pdfdoc")
    add(kind, "statusCode", code="completed")
    add(kind, "effectiveTime", nullFlavor="NA")
    value = add_code(kind, _COPY, "value")
    value.set("{http://www.w3.org/2001/XMLSchema-instance}type", "CD")
    media = add(add(organizer, "component"), "observationMedia", classCode="OBS", moodCode="EVN", ID="PDF1")
    add(media, "value", base64.b64encode(pdf).decode(), mediaType="application/pdf", representation="B64")
