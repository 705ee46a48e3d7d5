"""The text of a PDF. It takes tens of milliseconds: for people who validate, not for every report."""

import io
import logging

from pypdf import PdfReader


def first_page(pdf: bytes) -> str:
    """Return the text of the first page; empty where there is none to read, or no way to read it."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would quote the document
    try:
        pages = PdfReader(io.BytesIO(pdf)).pages
        return pages[0].extract_text() if pages else ""
    except Exception:  # a damaged PDF makes it fail in any way: other rules say that it is damaged
        return ""
