"""Bytes to lines: the tolerances that come before any segment is looked at, each with its warning."""

from collections.abc import Mapping

from labohub.standards.er7.charsets import decode
from labohub.standards.er7.errors import Er7Malformed
from labohub.standards.er7.header import BOM, start_of

CONTROLS = tuple(bytes((value,)) for value in range(0x20) if value not in (0x09, 0x0A, 0x0D))  # tabulations stay
MAX_LINES = 500_000  # 32 MiB of base64 wrapped at 76 columns; more is an attack on memory


def cut(raw: bytes, msh_18: str, *, aliases: Mapping[str, str], fallback: str) -> tuple[list[str], str, list[str]]:
    """Return the lines, the codec and the warnings. The first line begins with MSH.

    Raises: Er7Malformed (too many lines), CharsetUnknown, Undecodable.
    """
    warnings: list[str] = []
    if raw.startswith(BOM):
        warnings.append("er7.byte-order-mark")
    start = start_of(raw)
    body = raw[start:]
    if start > (len(BOM) if warnings else 0):
        warnings.append("er7.blank-line")
    present = [control for control in CONTROLS if control in body]
    if present:
        warnings.append("er7.control-character")
        body = body.translate(None, b"".join(present))
    if b"\n" in body:
        warnings.append("er7.line-feed")
        body = body.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    if body.endswith(b"\r"):
        body = body[:-1]
    else:
        warnings.append("er7.last-terminator-missing")
    if body.count(b"\r") >= MAX_LINES:
        raise Er7Malformed("too many lines", "MSH^1")
    text, codec, notes = decode(body, msh_18, aliases=aliases, fallback=fallback)
    return text.split("\r"), codec, [*warnings, *notes]
