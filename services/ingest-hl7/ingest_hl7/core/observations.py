"""OBX-5 as a value of ours. Nothing is converted, computed or guessed; digits stay as they are written."""

import base64
import re
from typing import NamedTuple

from ingest_hl7.core.repeated import read_once
from labohub.contracts.laboratory import Attachment, Code
from labohub.standards.er7 import Segment
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64

LOINC_SYSTEM = "LN"
DELETED = '""'  # a field that says: nothing any more. Never printed
CODED = frozenset(("CE", "CWE", "CNE"))
EMBEDDED = frozenset(("ED", "RP"))
TEXTS = frozenset(("ST", "TX", "FT"))
_LINES = re.compile(r"\.(?:br|sp(\d{0,2})|ce|sk\d{1,2})\Z")  # formatting that ends a line
_LAYOUT = re.compile(r"\.(?:in|ti)[+-]?\d{1,3}\Z|\.(?:fi|nf)\Z")  # formatting without a text of its own
MAX_BLANK_LINES = 10
_KINDS = {"AP": "application", "IM": "image", "AU": "audio", "SI": "image"}  # ED-2 as older senders write it
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
)
_RECOGNISED = frozenset(kind for _, kind in _MAGIC)


class Reading(NamedTuple):
    """What OBX-5 says. `warning` is the code of what a person should look at."""

    value: str = ""
    code: Code | None = None
    translations: tuple[Code, ...] = ()
    attachment: Attachment | None = None
    warning: str = ""


def read_value(obx: Segment) -> Reading:
    """Return the value of an OBX in the terms of its OBX-2."""
    kind = obx.component(2, 1)
    if not obx.field(5) or obx.field(5) == DELETED:
        return Reading()
    if kind in CODED:
        return _coded(obx)
    if kind == "ED":
        return _embedded(obx)
    if kind == "RP":
        return _pointed(obx)
    if kind in TEXTS:
        return Reading("\n".join(plain_text(obx, part) for part in obx.repetitions(5)).strip("\n"))
    signs, value = obx.delimiters, obx.field(5)
    if not signs.are_in(value):
        return Reading(value.strip())
    rows = (row.split(signs.component) for row in obx.repetitions(5))
    return Reading("~".join("^".join(_leaf(obx, part) for part in row) for row in rows))


def codes(segment: Segment, number: int, repetition: int = 1) -> tuple[Code | None, Code | None]:
    """Return the local code and the LOINC code of a CE: told apart by their system, never by their position."""
    return _first_codes(segment, number) if repetition == 1 else _codes(segment, number, repetition)


def _codes(segment: Segment, number: int, repetition: int = 1) -> tuple[Code | None, Code | None]:
    local = loinc = None
    for code in triplets(segment, number, repetition):
        if code.system == LOINC_SYSTEM:
            loinc = loinc or code
        else:
            local = local or code
    return local, loinc


_first_codes = read_once(_codes)


def triplets(segment: Segment, number: int, repetition: int = 1) -> tuple[Code, ...]:
    """Return the codings of a CE or CWE, in order."""
    if not segment.field(number):
        return ()
    parts = [text_of(segment, part) for part in segment.components(number, repetition)[:6]]
    parts += [""] * (6 - len(parts))
    return tuple(
        Code(code=parts[start], label=parts[start + 1], system=parts[start + 2])
        for start in (0, 3)
        if parts[start] or parts[start + 1]
    )


def text_of(segment: Segment, raw: str) -> str:
    """Return the text of a leaf; nothing for a deleted one."""
    return segment.text(raw) if raw and raw != DELETED else ""


def plain_text(segment: Segment, raw: str) -> str:
    """Return the text of a leaf of type FT, TX or ST: line ends kept, layout commands left out."""
    mark = segment.delimiters.escape
    if raw.strip() == DELETED:
        return ""
    if f"{mark}." not in raw:
        return segment.text(raw)
    sign = re.escape(mark)
    return segment.text(re.sub(rf"{sign}(\.[a-z]{{2}}[+-]?\d{{0,3}}){sign}", _layout, raw))


def _layout(match: re.Match[str]) -> str:
    command = match.group(1)
    line = _LINES.match(command)
    if line is not None:
        return "\n" * min(int(line.group(1) or 1), MAX_BLANK_LINES)
    return "" if _LAYOUT.match(command) else match.group(0)


def _leaf(obx: Segment, raw: str) -> str:
    """Return a component with its sub-components, each as text."""
    return "&".join(text_of(obx, part) for part in raw.split(obx.delimiters.subcomponent))


def _coded(obx: Segment) -> Reading:
    repetitions = len(obx.repetitions(5))
    if repetitions == 1:
        local, loinc = codes(obx, 5)
        chosen = local or loinc
        original = obx.component(5, 9) if obx.component(2, 1) != "CE" else ""
        if chosen is None:
            return Reading(original)
        others = tuple(code for code in triplets(obx, 5) if code != chosen)
        label = chosen.label or next((code.label for code in others if code.label), "")
        said = f"{label} ({original})" if original and label and original != label else label or original
        return Reading(said or chosen.code, chosen, others)
    labels = []
    for index in range(1, repetitions + 1):
        local, loinc = codes(obx, 5, index)
        chosen = local or loinc
        labels.append((chosen.label or chosen.code) if chosen else obx.component(5, 9, index))
    return Reading("\n".join(label for label in labels if label))  # several values: as text, none is lost


def _embedded(obx: Segment) -> Reading:
    parts = [*obx.components(5), "", "", "", "", ""]
    data = decode_embedded(obx)
    kind, subtype = _KINDS.get(parts[1].strip().upper(), parts[1].strip().lower()), parts[2].strip().lower()
    declared = f"{kind}/{'jpeg' if subtype == 'jpg' else subtype}" if kind and subtype else ""
    found = next((kind_ for magic, kind_ in _MAGIC if data.startswith(magic)), "")
    media_type = found or ("" if declared in _RECOGNISED else declared)
    attachment = Attachment(media_type=media_type, data=base64.b64encode(data).decode("ascii"), title=_title(obx))
    differs = declared in _RECOGNISED and found != declared
    return Reading("", attachment=attachment, warning="ltw.media-type-differs" if differs else "")


def decode_embedded(obx: Segment) -> bytes:
    """Return the bytes of an ED. Raises: Base64Corrupt."""
    parts = [*obx.components(5), "", "", "", "", ""]
    encoding, data = parts[3].strip().upper(), parts[4]
    if encoding == "HEX":
        try:
            return bytes.fromhex(data)
        except ValueError:
            raise Base64Corrupt("not hexadecimal") from None
    return obx.text(data).encode() if encoding == "A" else decode_base64(data)


def _pointed(obx: Segment) -> Reading:
    pointer, kind, subtype = obx.component(5, 1), obx.component(5, 3).lower(), obx.component(5, 4).lower()
    media_type = f"{_KINDS.get(kind.upper(), kind)}/{subtype}" if kind and subtype else ""
    return Reading(pointer, attachment=Attachment(media_type=media_type, pointer=pointer, title=_title(obx)))


def _title(obx: Segment) -> str:
    local, loinc = codes(obx, 3)
    chosen = local or loinc
    return (chosen.label or chosen.code) if chosen else ""
