"""Embedded objects (ED) and pointers (RP): pictures are shown, PDFs attached, texts read, all else is named."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from cda_builder.core.errors import CdaAttachmentUnreadable
from labohub.contracts.laboratory import Attachment
from labohub.standards.cda.builder import Image, Plain, Value

PDF: Final = "application/pdf"
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", PDF),
)
_KNOWN: Final = frozenset(kind for _, kind in _MAGIC)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader gets of an object: its words, and the picture or the PDF itself."""

    value: Value
    printed: str
    image: Image | None = None
    pdf: str = ""  # base64


def shown(attachment: Attachment | None) -> Shown:
    """Return how an object appears in the document.

    Raises:
        CdaAttachmentUnreadable: it is not what it is said to be.
    """
    if attachment is not None and attachment.data:
        return _embedded(attachment)
    pointer = attachment.pointer if attachment else ""
    return _words(f"Document disponible à l'adresse {pointer}" if pointer else "Document joint non reproduit")


def media_type_of(data: str) -> str:
    """Return the media type that the first bytes of base64 data tell; "" for another.

    Raises:
        CdaAttachmentUnreadable: no base64.
    """
    try:
        start = base64.b64decode(data[:32], validate=True)
    except (binascii.Error, ValueError):
        raise CdaAttachmentUnreadable("an embedded object is not base64") from None
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "")


def _embedded(attachment: Attachment) -> Shown:
    kind = media_type_of(attachment.data)
    if kind == PDF:
        words = "Document joint, reproduit à la fin du compte rendu"
        return Shown(Plain(words), words, pdf=attachment.data)
    if kind:
        words = "Voir l'image"
        return Shown(Plain(words), words, image=Image(kind, attachment.data))
    if attachment.media_type in _KNOWN:
        raise CdaAttachmentUnreadable("an embedded object is not of the type it is said to be")
    if attachment.media_type == "text/plain":
        return _words(_decoded(attachment.data).strip() or "Texte joint vide")
    return _words(f"Document joint ({attachment.media_type or 'type inconnu'}) non reproduit")


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise CdaAttachmentUnreadable("an embedded text cannot be read") from None


def _words(words: str) -> Shown:
    return Shown(Plain(words), words)
