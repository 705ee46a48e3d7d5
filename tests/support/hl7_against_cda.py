"""What a result message says against what its document says: every value, unit, range, status, comment, performer."""

import re

from tests.support.cda_reader import Fact, Reading
from tests.support.hl7_facts import Said

_SIGN = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CDA_FLAGS = ["<", ">", "A", "AA", "H", "HH", "L", "LL", "N", "U", "D", "B", "W", "S", "I", "R"]


def differences(said: list[Said], pending: list[str], reading: Reading) -> list[str]:
    """Return what the document does not say as the message does; nothing when all is there, and nothing more."""
    left = list(reading.facts)
    wrong: list[str] = []
    germs = {(each.order, each.sub_id): each.repetitions[0] for each in said if each.loinc == "630-4" and each.sub_id}
    for each in said:
        germ = each.parent or germs.get((each.order, each.sub_id), "")
        found = [fact for fact in left if _is_same_exam(each, fact) and fact.germ == germ]
        if not found:
            wrong.append(f"{each.name}: absent")
            continue
        left.remove(found[0])
        wrong += [f"{each.name}: {what}" for what in _unlike(each, found[0])]
    wrong += [f"{fact.name}: not in the message" for fact in left]
    validators = {f"8{each.validator}" for each in said if each.validator}
    if reading.validators != validators:
        wrong.append(f"validators {reading.validators} for {validators}")
    if sorted(reading.pending) != sorted(pending):
        wrong.append(f"pending: {reading.pending} instead of {pending}")
    return wrong


def _is_same_exam(said: Said, fact: Fact) -> bool:
    names = {said.name, f"{said.name} ({said.sub_id})"}
    return fact.name in names and (fact.loinc, fact.local) == (said.loinc, said.local)


def _unlike(said: Said, fact: Fact) -> list[str]:
    aborted = said.status == "X"
    wrong = []
    if fact.status != ("aborted" if aborted else "completed"):
        wrong.append(f"status {fact.status}")
    if not aborted and not _same_value(said, fact):
        wrong.append(f"value {fact.kind} {fact.value!r} {fact.unit!r} for {said.components}")
    if aborted and fact.value:
        wrong.append("a value although not done")
    if not aborted and said.unit and not _same_unit(said, fact):
        wrong.append(f"unit {fact.unit!r} {fact.printed_unit!r} for {said.unit!r}")
    if not aborted and not _same_range(said, fact):
        wrong.append(f"range {fact.low!r} {fact.high!r} {fact.range_words!r} for {said.range_words!r}")
    if not aborted and not _same_flags(said, fact):
        wrong.append(f"flag {fact.flag!r} {fact.flag_words!r} for {said.flags}")
    if not fact.time.startswith(_digits(said.time)[:12]):
        wrong.append(f"time {fact.time} for {said.time}")
    if fact.performer != said.performer:
        wrong.append(f"performer {fact.performer!r} for {said.performer!r}")
    if said.method and fact.method != said.method:
        wrong.append(f"method {fact.method!r}")
    if [_plain(each) for each in fact.comments] != [_plain(each) for each in said.comments]:
        wrong.append(f"comments {fact.comments} for {said.comments}")
    state = {"P": "provisoire", "S": "provisoire", "C": "corrigé"}.get(said.status, "")
    if state not in fact.said_below:
        wrong.append(f"not said to be {state}")
    return wrong


def _same_value(said: Said, fact: Fact) -> bool:
    text = "\n".join(said.repetitions)
    if said.kind == "NM":
        return _number(said, fact, said.components[0])
    if said.kind == "SN":
        sign, low, separator, high = (*said.components, "", "", "", "")[:4]
        whole = f"{sign}{low}{separator}{high}".removeprefix("=")
        if fact.kind == "ST":
            return fact.value.replace(" ", "").startswith(whole)
        separators = {"/": ":"}
        return fact.value == f"{sign.removeprefix('=')}{low}{separators.get(separator, separator)}{high}"
    if said.kind in ("CE", "CWE"):
        category = said.components[0] if said.components[0] in ("S", "I", "R") else ""
        if category and category in said.flags:
            return fact.flag == category and fact.value == "" and fact.printed == text
        return fact.value == text and fact.printed == text
    if said.kind in ("TS", "DTM", "DT"):
        return fact.kind == "TS" and _digits(fact.value)[:12] == _digits(said.components[0])[:12]
    if said.kind == "ED":
        return fact.has_image if said.components[1].lower() == "image" else "Document joint" in fact.value
    if said.kind == "RP":
        return said.components[0] in fact.value
    if said.kind in ("ST", "TX", "FT"):
        written = said.components if len(said.components) == 1 else ("^".join(said.components),)
        return _plain(fact.value) == _plain(_unformatted(written[0])) == _plain(fact.printed)
    if said.kind == "XCN":
        return said.components[1] in fact.value and said.components[2] in fact.value
    if said.kind == "NA":
        return re.findall(r"\d+", fact.value) == re.findall(r"\d+", " ".join(said.components))
    if said.kind == "TM":
        return _digits(fact.value) == _digits(said.components[0])
    return said.components[0] in fact.value


def _number(said: Said, fact: Fact, digits: str) -> bool:
    if fact.kind in ("PQ", "REAL"):
        return fact.value == digits == fact.printed
    return fact.kind == "ST" and fact.value.startswith(digits) and fact.printed == digits


def _same_unit(said: Said, fact: Fact) -> bool:
    if fact.kind in ("PQ", "IVL_PQ", "RTO_PQ_PQ"):
        bare = re.sub(r"\{[^}]*\}", "", said.unit).rstrip("/")
        return fact.unit in (said.unit, bare) and bool(fact.printed_unit)
    if fact.kind == "REAL":
        return fact.unit == "" and said.unit.startswith("{")
    return bool(fact.printed_unit) or said.unit in fact.value


def _same_range(said: Said, fact: Fact) -> bool:
    if fact.range_words != said.range_words:
        return False
    bounds = [each for each in (fact.low, fact.high) if each]
    return not bounds or all(each in said.range_words.replace(",", ".") for each in bounds)


def _same_flags(said: Said, fact: Fact) -> bool:
    known = [each for each in said.flags if each in _CDA_FLAGS]
    if not known:
        return fact.flag == "" or fact.flag in said.components
    return fact.flag in known and bool(fact.flag_words)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text.partition("+")[0])


def _unformatted(text: str) -> str:
    return re.sub(r"\\[.HN][^\\]*\\", " ", text)


def _plain(text: str) -> str:
    """Return the words alone: layout commands are read differently by everyone."""
    return " ".join(re.findall(r"[^\W_]+", text))
