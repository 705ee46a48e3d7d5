"""Own checks on the body: active content, links that resolve, templates that switch the official rules on, the PDF."""

import binascii
import re
import zlib
from collections.abc import Iterator

from lxml import etree

from cda_builder.core.lint_entries import entry_problems
from labohub.standards.cda import Header, embedded_pdf, pdf_of
from labohub.standards.cda.names import HL7, PDF_COPY_SECTION

_C = f"{{{HL7}}}"
_TEMPLATE = f"{_C}templateId"
_LINKS = (f"{_C}linkHtml", f"{_C}script")
_SCHEMES = ("javascript:", "data:", "vbscript:")
_CHAPTER, _ENTRY = "1.3.6.1.4.1.19376.1.3.3.2.1", "1.3.6.1.4.1.19376.1.3.1"
_SUB_CHAPTER = "1.3.6.1.4.1.19376.1.3.3.2.2"
_SHOWN = (f"{_C}observationMedia", f"{_C}regionOfInterest")
_BODIES = frozenset({"application/pdf", "text/plain"})  # of level 1; pictures are made PDF/A-1 first
_TIMED = tuple(f"{_C}{name}" for name in ("effectiveTime", "time", "low", "high"))
_ACTIVE_PDF = (b"/JavaScript", b"/Launch", b"/RichMedia")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
_MAX_OBJECTS_BYTES = 4 * 1024 * 1024  # of one object stream, inflated: a report's has some kB
_TAIL_BYTES = 2048  # where the end of a PDF is written

Problem = tuple[str, etree._Element, str]  # rule, element, message


def content_problems(document: etree._Element, header: Header) -> Iterator[Problem]:
    """Yield what is wrong with a body."""
    yield from _active_content(document)
    yield from _anchors(document)
    yield from _chapters(document, header)
    yield from entry_problems(document)
    yield from _times(document)
    yield from _base64(document)
    yield from _copy(document, header)


def _active_content(document: etree._Element) -> Iterator[Problem]:
    for element in document.iter(*_LINKS):
        yield "link", element, "the narrative holds a link or a script"
    for element in document.iter("*"):
        for value in map(str, element.values()):
            if ":" in value and value.strip().lower().startswith(_SCHEMES):
                yield "active-content", element, "an attribute holds active content"


def _anchors(document: etree._Element) -> Iterator[Problem]:
    anchors = {name: element for element in document.iter("*") if (name := element.get("ID"))}
    for reference in document.iter(f"{_C}reference"):
        value = reference.get("value", "")
        if value.startswith("#") and value[1:] not in anchors:
            yield "reference", reference, "a reference points to nothing in the narrative"
    for image in document.iter(f"{_C}renderMultiMedia"):
        for name in image.get("referencedObject", "").split():
            if name not in anchors or anchors[name].tag not in _SHOWN:
                yield "image", image, "the narrative shows an image or a PDF that is not there"


def _chapters(document: etree._Element, header: Header) -> Iterator[Problem]:
    events = {each.code.code for each in header.service_events if each.code is not None}
    for section in document.iter(f"{_C}section"):
        roots = _roots(section)
        if not roots & {_CHAPTER, _SUB_CHAPTER}:
            continue
        code = section.find(f"{_C}code")
        if code is None or not code.get("code"):
            yield "chapter-code", section, "a chapter has no code"
        elif _CHAPTER in roots and code.get("code") not in events:
            yield "chapter-event", code, "no act of the header (documentationOf) has the code of this chapter"
        for entry in section.iterfind(f"{_C}entry"):
            if _ENTRY not in _roots(entry):
                yield (
                    "entry-template",
                    entry,
                    f"the entry has no templateId {_ENTRY}: no rule would look at its results",
                )


def _times(document: etree._Element) -> Iterator[Problem]:
    for time in document.iter(*_TIMED):
        value = time.get("value", "")
        if 8 < len(value) < 15 and value.isdigit() and time.get("unit") is None:
            yield "time-offset", time, "a time of day needs its offset from UTC"


def _copy(document: etree._Element, header: Header) -> Iterator[Problem]:
    if header.level == "N1":
        body = document.find(f"{_C}component/{_C}nonXMLBody/{_C}text")
        place = document if body is None else body
        if body is None or body.get("representation") != "B64" or body.get("mediaType") not in _BODIES:
            yield "body", place, "a level 1 body is a PDF or a plain text, in base64, and says so"
        if body is not None and body.get("mediaType") != "application/pdf":
            return
    else:
        yield from _attached(document)
        copies = (each for each in document.iter(_TEMPLATE) if each.get("root") == PDF_COPY_SECTION)
        found = next(copies, None)
        if found is None:
            return
        place = found.getparent() if found.getparent() is not None else document  # type: ignore[assignment]
    pdf = embedded_pdf(document)
    if pdf is None:
        yield "pdf", place, "the body, or the copy, is not a readable PDF"
        return
    for rule, message in pdf_problems(pdf):
        yield rule, place, message


def _base64(document: etree._Element) -> Iterator[Problem]:
    for element in document.iter(f"{_C}value", f"{_C}text"):
        if element.get("representation") == "B64" and element.find(f"{_C}reference") is None:
            try:
                binascii.a2b_base64("".join((element.text or "").split()), strict_mode=bool(element.text))
            except ValueError:
                yield "base64", element, "an embedded object is not base64"


def _attached(document: etree._Element) -> Iterator[Problem]:
    """Yield what is wrong with the PDFs beside the copy: of one exam, of another laboratory."""
    for section in document.iter(f"{_C}section"):
        if PDF_COPY_SECTION in _roots(section):
            continue
        for value in section.iterfind(f"{_C}entry//{_C}observationMedia/{_C}value[@mediaType='application/pdf']"):
            pdf = pdf_of(value)
            if pdf is None:
                yield "pdf", value, "an attached document is not a readable PDF"
            for rule, message in pdf_problems(pdf or b"%%EOF"):
                yield rule, value, message


def pdf_problems(pdf: bytes) -> Iterator[tuple[str, str]]:
    """Yield (rule, message) of a PDF's bytes."""
    if b"%%EOF" not in pdf[-_TAIL_BYTES:]:
        yield "pdf-cut", "the PDF has no end: was it cut?"
    if b"/Encrypt" in pdf:
        yield "pdf-locked", "the PDF is encrypted: its readers may not open it"
    if any(name in part for part in (pdf, *_object_streams(pdf)) for name in _ACTIVE_PDF):
        yield "pdf-active", "the PDF runs scripts or programs"


def _object_streams(pdf: bytes) -> Iterator[bytes]:
    """Yield the objects that a PDF keeps compressed."""
    for match in _OBJECT_STREAM.finditer(pdf):
        try:
            yield zlib.decompressobj().decompress(pdf[match.end() :], _MAX_OBJECTS_BYTES)
        except zlib.error:
            continue


def shows_patient(text: str, header: Header) -> bool:
    """Return whether the text of a PDF names the patient: one of the family names; True when it has no text to read."""
    names = (header.patient.family_birth, header.patient.family_used, header.patient.family_plain)
    plain = _letters(text)
    return not plain or any(_letters(name) in plain for name in names if name)


def _letters(text: str) -> str:
    return re.sub(r"[^0-9A-ZÀ-ÖØ-Þ]", "", text.upper())


def _roots(element: etree._Element) -> set[str]:
    return {each.get("root", "") for each in element.iterfind(_TEMPLATE)}
