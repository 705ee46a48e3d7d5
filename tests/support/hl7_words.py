"""The words of a result message that its report must show, whatever the layout: read with the `hl7` package alone."""

import re
from collections.abc import Iterator

import hl7

from tests.support.hl7_facts import PUBLISHED

_LAYOUT = re.compile(r"\\\.[a-z]{2}[+-]?\d*\\|\\[HN]\\|\\[CM][0-9A-F]{4,6}\\")
_SILENT = {"", '""', "null"}
_OBJECTS = ("ED",)
_TEXTS = ("ST", "TX", "FT")
_TIMES = ("TS", "DTM", "DT", "TM", "DR")


def words(text: str) -> list[str]:
    """Return the letters and digits of a text, word by word; `<`, `>`, `+` and `%` count."""
    return re.findall(r"[^\W_]+|[<>+%]", text.replace("≤", "<").replace("≥", ">"))


def said_words(raw: bytes) -> Iterator[tuple[str, list[str]]]:
    """Yield what must be readable, with where the message says it."""
    message = hl7.parse(raw.decode().strip("\r"))
    kept = False  # the last OBX is one that a report shows
    for rank, segment in enumerate(message, 1):
        kind = str(segment[0])
        place = f"{kind} in line {rank}"
        if kind == "OBX":
            status = _part(message, segment, 11, 1)
            kept = status in PUBLISHED or status == "I"
            for said in _result(message, segment, status) if kept else ():
                yield place, words(said)
        elif kind == "NTE" and kept is not None:
            for said in _repetitions(segment, 3) if kept else ():
                yield place, words(_text(message, said))
        elif kind == "OBR":
            kept = True
            yield place, words(_text(message, _field(segment, 13)))
        elif kind == "SPM":
            kept = True
            for said in _specimen(message, segment):
                yield place, words(said)
        elif kind == "PID":
            kept = True


def _result(message: hl7.Message, obx: hl7.Segment, status: str) -> Iterator[str]:
    yield _name(message, obx, 3, 1)
    if status in "XI":
        return
    kind, value = _part(message, obx, 2, 1), _field(obx, 5)
    if kind in _TEXTS:
        for each in _repetitions(obx, 5):
            yield _text(message, each)
    elif kind in ("CE", "CWE", "CNE"):
        for index in range(1, len(_repetitions(obx, 5)) + 1):
            yield _name(message, obx, 5, index) or _part(message, obx, 5, 9, index)
            yield _part(message, obx, 5, 9, index)
    elif kind == "SN":
        for each in _repetitions(obx, 5):
            yield " ".join(message.unescape(part) for part in each.split("^")).replace("=", "")
    elif kind not in (*_OBJECTS, *_TIMES, "XPN"):
        yield from (
            message.unescape(part)
            for part in re.split("[~^]", value)[: 1 if kind in ("EI", "CX", "CP", "XON", "RP") else 9]
        )
    yield _unit(message, obx)
    yield message.unescape(_field(obx, 7))
    for index in range(1, len(_repetitions(obx, 17)) + 1):
        yield _name(message, obx, 17, index)
    yield _part(message, obx, 23, 1)


def _unit(message: hl7.Message, obx: hl7.Segment) -> str:
    """Return the printable unit where the message has one; of UCUM alone every printing is a fair one."""
    code, printable = _part(message, obx, 6, 1), _part(message, obx, 6, 2)
    return printable if printable and printable != code else ""


def _specimen(message: hl7.Message, spm: hl7.Segment) -> Iterator[str]:
    collector, _, laboratory = _field(spm, 2).partition("^")
    yield (laboratory or collector).partition("&")[0]
    system = _part(message, spm, 4, 3)
    yield "" if system == "HL70487" else _name(message, spm, 4, 1)
    for number in (6, 7, 8, 10, 14):
        yield _name(message, spm, number, 1)
    for number in (21, 24):
        for index in range(1, len(_repetitions(spm, number)) + 1):
            yield _name(message, spm, number, index)


def _name(message: hl7.Message, segment: hl7.Segment, number: int, repetition: int) -> str:
    """Return the label of a coded element: the sender's own before LOINC's, a code where nothing else is."""
    parts = [_part(message, segment, number, place, repetition) for place in range(1, 7)]
    first, second = parts[:3], parts[3:]
    own, other = (second, first) if first[2] == "LN" and any(second) else (first, second)
    return own[1] or other[1] or own[0] or other[0]


def _field(segment: hl7.Segment, number: int) -> str:
    return str(segment[number]) if len(segment) > number else ""


def _repetitions(segment: hl7.Segment, number: int) -> list[str]:
    return _field(segment, number).split("~")


def _part(message: hl7.Message, segment: hl7.Segment, number: int, place: int, repetition: int = 1) -> str:
    parts = _repetitions(segment, number)[repetition - 1].split("^")
    text = str(message.unescape(parts[place - 1])) if len(parts) >= place else ""
    return "" if text in _SILENT else text


def _text(message: hl7.Message, raw: str) -> str:
    text = str(message.unescape(_LAYOUT.sub(" ", raw)))
    return "" if text.strip() in _SILENT else text
