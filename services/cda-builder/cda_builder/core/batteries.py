"""Batteries of the message to chapters of the document.

A result is published when its status is final, corrected, preliminary, or "cannot be obtained" (OBX-11 F, C, P, S, X).
What is pending (I) is only named. All else (O, N, R, D, W) is not in the report.
"""

from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from cda_builder.core import numbers
from cda_builder.core.errors import CdaNotSupportedYet
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.people import professional, specimen_nature, subcontractor
from cda_builder.core.results import exam_codes, interpretations_of, range_of, value_of
from cda_builder.core.sections import chapter_code, chapter_title
from cda_builder.core.times import cda_time, instant
from labohub.contracts import laboratory as values
from labohub.standards.cda import Coded, Id
from labohub.standards.cda.builder import Battery, Chapter, Observation, Professional, Specimen
from labohub.standards.cda.builder.model import Validation
from labohub.standards.cda.names import LOINC
from labohub.standards.cda.units import ucum_unit

_PUBLISHED = frozenset("FCPSX")
_MICROBIOLOGY = "18725-2"


@dataclass(frozen=True, slots=True)
class Context:
    """What all batteries of one report share."""

    profile: LaboratoryProfile
    laboratory: Id
    biologist: Professional
    zone: ZoneInfo

    def time(self, written: str) -> str:
        """Return an HL7 time as a CDA time."""
        return cda_time(written, self.zone)

    def local_root(self, kind: str, name: str = "") -> str:
        """Return the OID of one of the laboratory's numberings or code tables."""
        return numbers.local_root(self.profile.oid_root, self.laboratory.extension, kind, name)

    def local_id(self, kind: str, value: str) -> Id:
        """Return a number of the laboratory, qualified."""
        return Id(self.local_root(kind), value)


def chapters_of(results: values.LaboratoryReport, context: Context) -> tuple[Chapter, ...]:
    """Return the chapters in the order of the message; those without any result are left out.

    Raises:
        CdaNotSupportedYet: isolates, or embedded objects.
    """
    grouped: dict[Coded, list[values.Battery]] = {}
    for battery in results.batteries:
        grouped.setdefault(chapter_code(battery, context.profile.default_chapter), []).append(battery)
    chapters = (_chapter(code, group, context) for code, group in grouped.items())
    return tuple(c for c in chapters if any(battery.observations for battery in c.batteries))


def _chapter(code: Coded, group: list[values.Battery], context: Context) -> Chapter:
    if code.code == _MICROBIOLOGY and any(r.sub_id for battery in group for r in battery.results):
        raise CdaNotSupportedYet("microbiology with isolates")
    batteries = tuple(b for b in (_battery(each, context) for each in group) if b.observations or b.pending)
    states = {battery.status for battery in batteries}
    status = "active" if "active" in states else "aborted" if states == {"aborted"} else "completed"
    return Chapter(code, chapter_title(code), batteries, status, _validations(group, context))


def _battery(battery: values.Battery, context: Context) -> Battery:
    observations = tuple(_observation(each, battery, context) for each in battery.results if each.status in _PUBLISHED)
    pending = tuple(exam_codes(each, "")[2] for each in battery.results if each.status == "I")
    code = None
    if battery.loinc and battery.loinc.code:
        code = Coded(battery.loinc.code, LOINC, battery.loinc.label or battery.code.label, "LOINC")
    label = battery.code.label or (battery.loinc.label if battery.loinc else "") or battery.code.code
    local = None
    if battery.code.code and battery.code.system != "LN":
        local = Coded(battery.code.code, context.local_root("code", battery.code.system), label, battery.code.system)
    provisional = any(o.provisional for o in observations)
    return Battery(
        label=label,
        code=code,
        local=local,
        status=_status(battery.status, observations, bool(pending) or provisional),
        observations=observations,
        pending=pending,
        specimens=tuple(_specimen(each, context) for each in battery.specimens),
        comments=tuple(dict.fromkeys(c for c in battery.comments if c.strip())),
        single=len(observations) == 1 and not pending,
    )


def _status(obr_25: str, observations: tuple[Observation, ...], incomplete: bool) -> str:
    if obr_25 == "X" or (observations and not incomplete and all(each.aborted for each in observations)):
        return "aborted"
    return "active" if incomplete or obr_25 in ("P", "I", "R", "A", "S", "O") else "completed"


def _observation(result: values.Result, battery: values.Battery, context: Context) -> Observation:
    system = context.local_root("code", result.local_code.system if result.local_code else "")
    loinc, local, label = exam_codes(result, system)
    aborted = result.status == "X"
    value, printed = (None, "") if aborted else value_of(result, context.zone, partial(context.local_root, "code"))
    observed = (
        context.time(result.observed_at) or context.time(battery.collected_at) or context.time(battery.reported_at)
    )
    return Observation(
        label=label + (f" ({result.sub_id})" if result.sub_id else ""),
        code=loinc,
        local=local,
        aborted=aborted,
        effective_time=observed,
        value=value,
        printed=printed,
        printed_unit="" if aborted else printed_unit(result.unit),
        interpretations=() if aborted else interpretations_of(result),
        method=result.method,
        range=None if aborted else range_of(result),
        subcontractor=subcontractor(result.performer, context.laboratory, context.time(result.analysed_at)),
        comments=tuple(dict.fromkeys(c for c in result.comments if c.strip())),
        corrected=result.status == "C",
        provisional=result.status in ("P", "S"),
    )


def printed_unit(unit: str) -> str:
    """Return a unit as French readers know it; UCUM's own spellings are rewritten for the eye only."""
    return _PRINTED.get(unit, unit)


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


def _specimen(specimen: values.Specimen, context: Context) -> Specimen:
    low, _, high = specimen.collected_at.partition("^")
    return Specimen(
        id=context.local_id("specimen", specimen.identifier) if specimen.identifier else None,
        nature=specimen_nature(specimen.nature.code, specimen.nature.label, specimen.nature.system),
        collected_low=context.time(low) if high else "",
        collected_high=context.time(high or low),
        received_at=context.time(specimen.received_at),
    )


def _validations(group: list[values.Battery], context: Context) -> tuple[Validation, ...]:
    """Return who validated results of a chapter, each with the last time."""
    last: dict[str, Validation] = {}
    for battery in group:
        at = context.time(battery.reported_at)
        for result in battery.results:
            who = result.validated_by
            if result.status not in _PUBLISHED or who is None or not who.family_name:
                continue
            by = professional(who)
            when = at or context.time(result.analysed_at)
            if by.id is None or not when:
                continue
            if by.id == context.biologist.id:
                by = replace(by, person=context.biologist.person)
            known = last.get(who.identifier)
            if known is None or instant(known.at) < instant(when):
                last[who.identifier] = Validation(by, when)
    return tuple(last.values())


def unknown_units(results: values.LaboratoryReport) -> int:
    """Return how many numeric results have a unit without UCUM spelling: they go as text."""
    return sum(
        1
        for battery in results.batteries
        for r in battery.results
        if r.value_type in ("NM", "SN") and ucum_unit(r.unit) is None
    )
