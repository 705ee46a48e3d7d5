"""A whole document from its model and its PDF: a CR-BIO of level 3, or a level 1 around the PDF."""

import base64

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.attached import add_attached, add_pdf_copy
from labohub.standards.cda.builder.entries import add_entry
from labohub.standards.cda.builder.header import add_header
from labohub.standards.cda.builder.model import Chapter, CrBio, Note
from labohub.standards.cda.builder.narrative import add_lines, add_narrative
from labohub.standards.cda.builder.xml import NSMAP, add, add_code, add_templates, loinc
from labohub.standards.cda.names import CR_BIO, HL7, IHE_LAB_REPORT, XDS_SD

WITHOUT_COPY = frozenset({"2021.01"})  # editions whose rules know no section for the PDF


def build_cr_bio(report: CrBio, pdf: bytes) -> bytes:
    """Return the bytes of the document: UTF-8, the same for the same values.

    Source: CI-SIS, volet CR-BIO 2021.01, 2023.01, 2024.01 (editions in docs/standards.md).
    """
    root = _root()
    add_header(root, report, (IHE_LAB_REPORT, ""), (CR_BIO, report.volet))
    body = add(add(root, "component"), "structuredBody")
    for note in report.opening:
        _note(body, note)
    for number, chapter in enumerate(report.chapters, 1):
        _chapter(body, chapter, report, number)
    for note in report.closing:
        _note(body, note)
    if report.mentions:
        _note(body, Note("Mentions", report.mentions))
    for number, document in enumerate(report.attached, 1):
        add_attached(body, report, document, number)
    if report.volet not in WITHOUT_COPY:
        add_pdf_copy(body, report, pdf)
    return _bytes(root)


def build_level_1(report: CrBio, pdf: bytes) -> bytes:
    """Return the bytes of a document whose body is the PDF.

    Source: CI-SIS, structuration minimale; IHE XDS-SD (editions in docs/standards.md).
    """
    root = _root()
    add_header(root, report, (XDS_SD, ""))
    body = add(add(root, "component"), "nonXMLBody")
    add(body, "text", base64.b64encode(pdf).decode(), mediaType="application/pdf", representation="B64")
    return _bytes(root)


def _root() -> etree._Element:
    return etree.Element(f"{{{HL7}}}ClinicalDocument", nsmap=NSMAP)  # type: ignore[arg-type]  # None is the default namespace; the stubs forget it


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _chapter(body: etree._Element, chapter: Chapter, report: CrBio, number: int) -> None:
    """Write one chapter: a text and one entry, or a sub-chapter per battery, each with its own."""
    section = add(add(body, "component"), "section")
    add_templates(section, "1.3.6.1.4.1.19376.1.3.3.2.1", "1.2.250.1.213.1.1.2.70")
    add_code(section, chapter.code)
    add(section, "title", chapter.title)
    if not chapter.divided:
        _content(section, chapter, report, Anchors(chapter, f"c{number}"))
        return
    for rank, battery in enumerate(chapter.batteries, 1):
        code, title = battery.code or chapter.code, battery.observations[0].label if battery.single else battery.label
        part = Chapter(code, title, (battery,), battery.status, chapter.validations)
        sub = add(add(section, "component"), "section")
        add_templates(sub, "1.3.6.1.4.1.19376.1.3.3.2.2", "1.2.250.1.213.1.1.2.71")
        add_code(sub, code)
        add(sub, "title", title)
        _content(sub, part, report, Anchors(part, f"c{number}p{rank}"))


def _content(section: etree._Element, chapter: Chapter, report: CrBio, anchors: Anchors) -> None:
    add_narrative(section, chapter, anchors)
    add_entry(section, chapter, report.laboratory, anchors)


def _note(body: etree._Element, note: Note) -> None:
    section = add(add(body, "component"), "section")
    add_templates(section, "2.16.840.1.113883.10.12.201", "1.3.6.1.4.1.19376.1.4.1.2.16", "1.2.250.1.213.1.1.2.73")
    add_code(section, loinc("55112-7", "Commentaire"))
    add(section, "title", note.title)
    text = add(section, "text")
    for line in note.lines:
        add_lines(add(text, "paragraph"), line)
