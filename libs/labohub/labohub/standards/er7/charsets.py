"""MSH-18 to a decoder. Strict: an altered name or unit is worse than a refusal.

Source: HL7 table 0211 as restricted by PAM-FR and CI-SIS ("UNICODE UTF-8", "8859/15"), and `8859/1`, `ASCII`.
"""

import codecs
from collections.abc import Mapping

from labohub.errors import Refused
from labohub.standards.er7.splitting import LONG

CODECS = {"UNICODE UTF-8": "utf-8", "8859/15": "iso8859-15", "8859/1": "iso8859-1", "ASCII": "ascii"}
DEFAULT_CODEC = "utf-8"  # MSH-18 empty: ASCII says HL7, of which UTF-8 is the superset that cannot be mistaken
_C1 = bytes(range(0x80, 0xA0))  # control characters of 8859/x: in practice Windows-1252 in disguise
GUESS_BYTES = 64 * 1024
_ONLY_IN_15 = b"\xa4\xbc\xbd\xbe"  # € Œ œ Ÿ, where 8859/1 has signs nobody writes


class CharsetUnknown(Refused):
    """MSH-18 is not a value of table 0211 that a French sender may use."""

    code = "er7.charset-unknown"


class Undecodable(Refused):
    """The bytes are not what MSH-18 says."""

    code = "er7.undecodable"


def codec_of(msh_18: str) -> str | None:
    """Return the codec of a value of MSH-18; None when table 0211, as restricted, has not this value."""
    return CODECS.get(msh_18)


def decode_lines(
    body: bytes, msh_18: str, *, aliases: Mapping[str, str], fallback: str
) -> tuple[list[str], str, tuple[str, ...]]:
    """Return the lines of text that end with CR, the codec used and the warnings.

    Args:
        aliases: values of MSH-18 a sender is known to write, to a codec; they come before the table.
        fallback: codec to try when MSH-18 is empty and the bytes are not UTF-8; "" for none.
    Raises: CharsetUnknown, Undecodable.
    """
    warnings: list[str] = []
    codec = aliases.get(msh_18) or CODECS.get(msh_18)
    if msh_18 in aliases:
        warnings.append("er7.charset-alias")
    if codec is None:
        if msh_18:
            raise CharsetUnknown("MSH-18 is not in table 0211")
        codec = DEFAULT_CODEC
    lines = _lines(body, codec)
    if lines is None and fallback and not msh_18:
        lines, codec = _lines(body, fallback), fallback
        warnings.append("er7.charset-fallback")
    if lines is None:
        raise Undecodable("the bytes are not in the declared character set")
    if codec != DEFAULT_CODEC and codecs.lookup(codec).name.startswith("iso8859") and _holds_c1(body):
        warnings.append("er7.charset-c1-controls")
    return lines, codec, tuple(warnings)


def _lines(body: bytes, codec: str) -> list[str] | None:
    """Return the lines; None when the bytes are of another codec. Each byte of a long line is copied once."""
    try:
        if len(body) < LONG:
            return body.decode(codec).split("\r")
        lines, view, at = [], memoryview(body), 0
        while (end := body.find(b"\r", at)) >= 0:
            lines.append(str(view[at:end], codec))
            at = end + 1
        return [*lines, str(view[at:], codec)]
    except UnicodeDecodeError:
        return None


def guess(raw: bytes) -> str:
    """Return what the bytes look like, whatever they claim: a value of table 0211, "WINDOWS-1252" or "UTF-16".

    For the eyes of an operator; nothing is decoded by it. Only the first 64 KiB are looked at.
    """
    sample = raw[:GUESS_BYTES]
    if b"\0M\0S" in sample[:64] or b"M\0S\0" in sample[:64]:
        return "UTF-16"
    if sample.isascii():
        return "ASCII"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(raw) <= GUESS_BYTES)
    except UnicodeDecodeError:
        if _holds_c1(sample):
            return "WINDOWS-1252"
        return "8859/15" if any(byte in sample for byte in _ONLY_IN_15) else "8859/1"
    return "UNICODE UTF-8"


def _holds_c1(raw: bytes) -> bool:
    return not raw.isascii() and len(raw.translate(None, _C1)) != len(raw)
