"""The PDF that a CDA holds."""

import base64
import binascii

from lxml import etree

from labohub.standards.cda.header import document_element
from labohub.standards.cda.names import HL7, PDF_COPY_SECTION

_C = f"{{{HL7}}}"
_HEAD_BYTES = 1024  # readers of PDF look for its mark no further


def embedded_pdf(root: etree._Element) -> bytes | None:
    """Return the PDF of the whole report: the *Copie du document* section, or the body of a level 1; None without.

    Bytes that are not base64, or not a PDF, count as absent.
    """
    doc = document_element(root)
    body = doc.find(f"{_C}component/{_C}nonXMLBody/{_C}text")
    if body is not None:
        return pdf_of(body) if body.get("mediaType") == "application/pdf" else None
    for section in doc.iter(f"{_C}section"):
        if any(each.get("root") == PDF_COPY_SECTION for each in section.iterfind(f"{_C}templateId")):
            for media in section.iter(f"{_C}observationMedia"):
                value = media.find(f"{_C}value")
                if value is not None and value.get("mediaType") == "application/pdf":
                    return pdf_of(value)
    return None


def pdf_of(element: etree._Element) -> bytes | None:
    """Return the PDF that an element holds in base64; None for anything else."""
    try:
        data = base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if b"%PDF-" in data[:_HEAD_BYTES] else None
