"""What surrounds the value of a result: its codes, range, flags and earlier results. None is ever computed.

Source: IHE LTW and CI-SIS CR-BIO, as matched in this service's README.
"""

import re
from typing import Final

from cda_builder.core.context import Context
from cda_builder.core.readings import read_value
from labohub.contracts.laboratory import Code, Result
from labohub.standards.cda import Coded
from labohub.standards.cda.builder import Previous, Range
from labohub.standards.cda.names import LOINC
from labohub.standards.cda.tables import labels
from labohub.standards.cda.units import ucum_unit

_RANGE = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:-|\u2013|à)\s*([+-]?\d+(?:[.,]\d+)?)", re.ASCII)
_LIMIT = re.compile(r"(<=|>=|≤|≥|<|>)\s*([+-]?\d+(?:[.,]\d+)?)", re.ASCII)
_TELLING = ("LL", "HH", "AA", "L", "H", "A", "<", ">")  # what the reader must see first
_ONLY_WORDS = {"MS": "Modérément sensible", "VS": "Très sensible"}  # table 0078, unknown to CDA
_SILENT = frozenset({"", "null", '""'})
_BRACES = re.compile("[{}]")  # of UCUM's annotations
_EUCAST = re.compile(r"EUCAST|CA-?SFM", re.IGNORECASE)
SUSCEPTIBILITIES: Final = frozenset({"S", "I", "R", "NS", "SDD", "IE"})


def range_of(result: Result) -> Range | None:
    """Return the reference range: bounds when the text is unambiguous, else its words."""
    printed = " ".join(result.reference_range.split())
    if not printed:
        return None
    unit = ucum_unit(result.unit)
    if unit is not None and (match := _RANGE.fullmatch(printed)):
        low, high = (each.replace(",", ".") for each in match.groups())
        return Range(printed, low, high, unit) if float(low) <= float(high) else Range(printed)
    if unit is not None and (match := _LIMIT.fullmatch(printed)):
        sign, limit = match[1], match[2].replace(",", ".")
        inclusive = sign in ("<=", ">=", "≤", "≥")
        if sign[0] in "<≤":
            return Range(printed, "", limit, unit, high_inclusive=inclusive)
        return Range(printed, limit, "", unit, low_inclusive=inclusive)
    return Range(printed)


def interpretations_of(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the flags that CDA knows too, the most telling first."""
    known = [flag for flag in flags if flag in labels("interpretation")]
    return tuple(sorted(known, key=lambda flag: _TELLING.index(flag) if flag in _TELLING else len(_TELLING)))


def interpretation_words(flags: tuple[str, ...], method: str, context: Context) -> str:
    """Return all flags in words, when their codes do not say it: "" else.

    `I` of EUCAST is no longer "intermediate": it is said so where the method or the laboratory names that standard.
    """
    eucast = "I" in flags and (context.profile.susceptibility == "EUCAST" or bool(_EUCAST.search(method)))
    unknown = [flag for flag in flags if flag not in labels("interpretation") and flag not in _SILENT]
    if not (eucast or unknown):
        return ""
    words = [
        "Sensible à forte posologie" if f == "I" and eucast else labels("interpretation")[f]
        for f in interpretations_of(flags)
    ]
    return ", ".join([*words, *(_ONLY_WORDS.get(flag, flag) for flag in unknown)])


def previous_of(result: Result, context: Context) -> tuple[Previous, ...]:
    """Return the earlier results, the latest first; only those in the same unit and dated are comparable."""
    found = []
    for each in result.previous:
        value, printed = read_value(each.value_type, each.value, each.unit, context.zone)
        if value is None:
            continue
        at = context.time(each.observed_at)
        same = ucum_unit(each.unit) == ucum_unit(result.unit)
        flag = next(iter(interpretations_of(each.flags)), "")
        unit = printed_unit((result.unit_text if each.unit == result.unit else "") or each.unit)
        found.append(Previous(value, printed, unit, at, flag, comparable=bool(at) and same))
    return tuple(found)


def exam_codes(local: Code | None, loinc: Code | None, context: Context) -> tuple[Coded | None, Coded | None, str]:
    """Return LOINC (None: a non-LOINC exam), the laboratory's own code, and the name to print.

    LOINC is the message's, else that of the laboratory's catalogue; never a guess.
    """
    exam = context.exam(local)
    name = (local.label if local else "") or (exam.label if exam else "") or (loinc.label if loinc else "")
    name = name or (local.code if local else "") or (loinc.code if loinc else "")
    standard = None
    if loinc and loinc.code:
        standard = Coded(loinc.code, LOINC, loinc.label or name, "LOINC")
    elif exam and exam.loinc:
        standard = Coded(exam.loinc, LOINC, exam.loinc_label or name, "LOINC")
    own = None
    if local and local.code and local.system != "LN":
        own = Coded(local.code, context.code_system(local.system), local.label or name, local.system)
        if not own.system_name:
            own = Coded(own.code, own.system, own.label, "Table locale du laboratoire")
    return standard, own, name


def printed_unit(unit: str) -> str:
    """Return a unit as French readers know it; UCUM's own spellings are rewritten for the eye only."""
    if unit in _PRINTED:
        return _PRINTED[unit]
    return _BRACES.sub(lambda brace: " " if brace[0] == "{" and brace.start() else "", unit)


_PRINTED = {
    "10*9/L": "G/L",
    "10*12/L": "T/L",
    "umol/L": "µmol/L",
    "ug/L": "µg/L",
    "ug/mL": "µg/mL",
    "mL/min/{1.73_m2}": "mL/min/1,73 m²",
    "[IU]/L": "UI/L",
    "m[IU]/L": "mUI/L",
    "[IU]/mL": "UI/mL",
    "m[IU]/mL": "mUI/mL",
    "u[IU]/mL": "µUI/mL",
    "k[IU]/L": "kUI/L",
    "[arb'U]/mL": "UA/mL",
    "[CFU]/mL": "UFC/mL",
    "mm[Hg]": "mmHg",
    "g/(24.h)": "g/24 h",
    "mmol/(24.h)": "mmol/24 h",
    "{INR}": "",
    "{ratio}": "",
    "1": "",
}
