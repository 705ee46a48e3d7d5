"""Bytes to lines: the tolerances that come before any segment is looked at, each with its warning."""

from collections.abc import Mapping, Sequence

from labohub.standards.er7.charsets import decode_lines
from labohub.standards.er7.errors import Er7Malformed
from labohub.standards.er7.header import BOM, CONTROL_BYTES, start_of
from labohub.standards.er7.splitting import LONG

CONTROLS = tuple(map(chr, CONTROL_BYTES))
OF_FRAMES = frozenset("\x0b\x1c")
MAX_LINES = 500_000  # 32 MiB of base64 wrapped at 76 columns; more is an attack on memory


def cut(raw: bytes, msh_18: str, *, aliases: Mapping[str, str], fallback: str) -> tuple[list[str], str, list[str]]:
    """Return the lines, the codec and the warnings. The first line begins with MSH.

    Raises: Er7Malformed (too many lines), CharsetUnknown, Undecodable.
    """
    warnings: list[str] = []
    if raw.startswith(BOM):
        warnings.append("er7.byte-order-mark")
    start = start_of(raw)
    if start > (len(BOM) if warnings else 0):
        warnings.append("er7.blank-line")
    if len(raw) > MAX_LINES and raw.count(b"\r") + raw.count(b"\n") > MAX_LINES:
        raise Er7Malformed("too many lines", "MSH^1")
    body = raw[start:]
    if b"\n" in body:
        warnings.append("er7.line-feed")
        body = body.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    lines, codec, notes = decode_lines(body, msh_18, aliases=aliases, fallback=fallback)
    if lines[-1]:
        warnings.append("er7.last-terminator-missing")
    else:
        del lines[-1]
    if present := _controls(body, lines):
        warnings.append("er7.control-character")
        lines = [_without(line, present) for line in lines]
    return lines, codec, [*warnings, *notes]


def _controls(body: bytes, lines: Sequence[str]) -> list[str]:
    """Return the control characters of a text. In its long lines, which hold base64, only those of frames count."""
    if len(body) < LONG:
        is_clean = len(body.translate(None, CONTROL_BYTES)) == len(body)
        return [] if is_clean else [sign for sign in CONTROLS if ord(sign) in body]
    short = "".join(line for line in lines if len(line) < LONG)
    return [sign for sign in CONTROLS if sign in short or (sign in OF_FRAMES and ord(sign) in body)]


def _without(line: str, signs: Sequence[str]) -> str:
    for sign in signs:
        line = line.replace(sign, "")
    return line
