"""What a result message says, read with the `hl7` package: neither our reader of HL7 nor our contracts."""

from dataclasses import dataclass
from typing import Any

import hl7

PUBLISHED = "FCPSX"


@dataclass(frozen=True)
class Said:
    """One OBX that a report must contain."""

    name: str
    loinc: str
    local: str
    kind: str
    components: tuple[str, ...]  # of OBX-5, escapes resolved
    repetitions: tuple[str, ...]  # of OBX-5, first readable words of each
    unit: str
    unit_words: str
    range_words: str
    flags: tuple[str, ...]
    status: str
    time: str
    method: str
    performer: str  # another laboratory
    validator: str  # OBX-16
    comments: tuple[str, ...]
    sub_id: str
    order: str  # OBR-3
    battery: str
    parent: str  # the text of OBR-26


def read(raw: bytes, encoding: str) -> tuple[list[Said], list[str]]:
    """Return the results that a report must contain, and the names of those still to come."""
    message = hl7.parse(raw.decode(encoding).strip("\r\n"))
    found: list[dict[str, Any]] = []
    pending: list[str] = []
    battery = order = parent = collected = ""
    last: dict[str, Any] | None = None
    for segment in message:
        kind = str(segment[0])
        if kind == "OBR":
            code = _codes(message, segment, 4)
            battery, parent = code[0], _leaf(message, segment, 26, 3)
            collected, order = _leaf(message, segment, 7, 1), _leaf(message, segment, 3, 1)
            last = None
        elif kind == "OBX":
            last = {**_result(message, segment, collected), "order": order, "battery": battery, "parent": parent}
            if last["status"] in PUBLISHED and last["status"]:
                found.append(last)
            elif last["status"] == "I":
                pending.append(last["name"])
        elif kind == "NTE" and last is not None:
            last["comments"] = (*last["comments"], *_texts(message, segment, 3))
        elif kind in ("SPM", "ORC", "PV1"):
            last = None
    return [Said(**each) for each in found], pending


def specimens(raw: bytes, encoding: str) -> set[tuple[str, str]]:
    """Return the specimens: the laboratory's number (else the collector's) and the nature, by code."""
    message = hl7.parse(raw.decode(encoding).strip("\r\n"))
    found = set()
    for segment in message:
        if str(segment[0]) == "SPM":
            collector, _, laboratory = _field(segment, 2).partition("^")
            found.add(((laboratory or collector).partition("&")[0], _leaf(message, segment, 4, 1)))
    return found


def _result(message: hl7.Message, obx: hl7.Segment, collected: str) -> dict[str, Any]:
    name, loinc, local = _codes(message, obx, 3)
    number = _leaf(message, obx, 23, 10) or _leaf(message, obx, 15, 1)
    own = str(message.segment("MSH")[4]).split("^")[1] if "^" in str(message.segment("MSH")[4]) else "?"
    performer = "" if number.endswith(own) else _leaf(message, obx, 23, 1) or _leaf(message, obx, 15, 2)
    value = _field(obx, 5)
    return {
        "name": name,
        "loinc": loinc,
        "local": local,
        "kind": _leaf(message, obx, 2, 1),
        "components": tuple(message.unescape(part) for part in value.split("^")),
        "repetitions": tuple(_wording(message, part) for part in value.split("~")),
        "unit": _leaf(message, obx, 6, 1),
        "unit_words": _leaf(message, obx, 6, 2),
        "range_words": " ".join(message.unescape(_field(obx, 7)).split()),
        "flags": tuple(each.partition("^")[0] for each in _field(obx, 8).split("~") if each),
        "status": _leaf(message, obx, 11, 1),
        "time": _leaf(message, obx, 14, 1) or collected,
        "method": _leaf(message, obx, 17, 2),
        "performer": performer,
        "validator": _leaf(message, obx, 16, 1),
        "comments": (),
        "sub_id": _leaf(message, obx, 4, 1),
    }


def _codes(message: hl7.Message, segment: hl7.Segment, number: int) -> tuple[str, str, str]:
    """Return the laboratory's name, the LOINC code and the local code of a CE, told apart by their system."""
    parts = [*(message.unescape(each) for each in _field(segment, number).split("^")), "", "", "", "", "", ""]
    triplets = [parts[0:3], parts[3:6]]
    loinc = next((each for each in triplets if each[2] == "LN"), ["", "", ""])
    local = next((each for each in triplets if each[2] != "LN" and (each[0] or each[1])), ["", "", ""])
    return local[1] or loinc[1] or local[0] or loinc[0], loinc[0], local[0]


def _wording(message: hl7.Message, written: str) -> str:
    """Return the words of one repetition of a CE or CWE: the laboratory's own text before LOINC's."""
    parts = [*(message.unescape(each) for each in written.split("^")), *[""] * 9]
    first, second = parts[0:3], parts[3:6]
    chosen = second if first[2] == "LN" and second[1] else first
    return str(chosen[1] or second[1] or parts[8] or chosen[0])


def _field(segment: hl7.Segment, number: int) -> str:
    return str(segment[number]) if len(segment) > number else ""


def _leaf(message: hl7.Message, segment: hl7.Segment, number: int, component: int) -> str:
    parts = _field(segment, number).split("~")[0].split("^")
    return str(message.unescape(parts[component - 1])) if len(parts) >= component else ""


def _texts(message: hl7.Message, segment: hl7.Segment, number: int) -> list[str]:
    return [message.unescape(each) for each in _field(segment, number).split("~") if each]
