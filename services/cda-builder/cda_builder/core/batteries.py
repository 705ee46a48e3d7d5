"""Batteries of the message to batteries of the document, with the germs that cultures found and their antibiograms."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cda_builder.core.context import Context
from cda_builder.core.isolates import Culture, Germ, is_antibiotic
from cda_builder.core.observations import is_published, observation_of, said
from cda_builder.core.readings import SNOMED
from cda_builder.core.results import exam_codes
from cda_builder.core.specimens import specimens_of
from labohub.contracts import laboratory as values
from labohub.standards.cda import Coded
from labohub.standards.cda.builder import Battery, CodedText, Isolate, Observation
from labohub.standards.cda.builder.entries import ANTIBIOGRAM
from labohub.standards.cda.names import NCBI

_INCOMPLETE = frozenset({"P", "I", "R", "A", "S", "O"})  # OBR-25


def battery_of(culture: Culture, context: Context) -> Battery:
    """Return a battery; the germs that it found are its isolates."""
    made = _made(culture.battery, culture.others, context)
    if not culture.germs:
        return made
    isolates = tuple(_isolate(number, germ, culture.battery, context) for number, germ in culture.germs.items())
    active = made.status == "active" or any(each.status == "active" for each in isolates)
    return replace(made, isolates=isolates, single=False, status="active" if active else "completed")


def _made(battery: values.Battery, results: Sequence[values.Result], context: Context) -> Battery:
    code, local, label = exam_codes(battery.code, battery.loinc, context)
    if not results and battery.status == "X":  # given up as a whole: one exam that was not done
        results = (values.Result(local_code=battery.code, loinc=battery.loinc, value_type="", status="X"),)
    observations = tuple(_told_apart(each, battery, context) for each in results if is_published(each))
    observations += tuple(
        replace(made, label=f"Prélèvement : {made.label}")
        for made in (observation_of(e, battery, context) for e in battery.specimen_observations if is_published(e))
    )
    pending = tuple(exam_codes(each.local_code, each.loinc, context)[2] for each in results if each.status == "I")
    provisional = any(each.provisional for each in observations)
    of = battery.parent.text if battery.parent else ""
    return Battery(
        label=f"{label} ({of})" if of else label,
        code=code,
        local=local,
        status=_status(battery.status, observations, incomplete=bool(pending) or provisional),
        observations=observations,
        pending=pending,
        specimens=specimens_of(battery, context),
        comments=said((*battery.comments, *_said_of_pending(results, context))),
        single=len(observations) == 1 and not pending,
        is_antibiogram=bool(results) and all(is_antibiotic(each) for each in results),
    )


def _said_of_pending(results: Sequence[values.Result], context: Context) -> Iterator[str]:
    """Yield what is said of exams that are still to come."""
    for each in results:
        if each.status == "I":
            label = exam_codes(each.local_code, each.loinc, context)[2]
            yield from (f"{label} : {comment}" for comment in said(each.comments))


def _told_apart(result: values.Result, battery: values.Battery, context: Context) -> Observation:
    """Return a result; the number that tells it from another of the same exam (OBX-4) is printed."""
    made = observation_of(result, battery, context)
    return replace(made, label=f"{made.label} ({result.sub_id})") if result.sub_id else made


def _status(obr_25: str, observations: tuple[Observation, ...], *, incomplete: bool) -> str:
    if obr_25 == "X" or (observations and not incomplete and all(each.aborted for each in observations)):
        return "aborted"
    return "active" if incomplete or obr_25 in _INCOMPLETE else "completed"


def _isolate(number: str, germ: Germ, battery: values.Battery, context: Context) -> Isolate:
    named = observation_of(germ.identification, battery, context)
    observations = (named, *(observation_of(each, battery, context) for each in germ.results))
    antibiograms = [_antibiogram(each, context) for each in germ.antibiograms]
    if germ.antibiotics:  # written among the results of the culture itself
        found = tuple(each.model_copy(update={"sub_id": ""}) for each in germ.antibiotics)
        own = battery.model_copy(
            update={"code": values.Code(code=""), "loinc": None, "specimens": (), "comments": (), "parent": None}
        )
        antibiograms.append(_antibiogram(own.model_copy(update={"results": found}), context))
    written = tuple(each for each in antibiograms if not each.is_empty)
    pending = tuple(each.label for each in antibiograms if each.is_empty and each.status == "active")
    active = bool(pending) or any(each.status == "active" for each in written)
    active = active or any(each.provisional for each in observations)
    order = battery.filler_number or battery.placer_number
    return Isolate(
        label=named.printed or named.label,
        organism=_code_of(named, SNOMED),
        taxon=_code_of(named, NCBI),
        id=context.local_id("isolate", f"{order}.{number}") if order else None,
        status="active" if active else "completed",
        observations=observations,
        antibiograms=written,
        pending=pending,
    )


def _antibiogram(battery: values.Battery, context: Context) -> Battery:
    """Return the battery of one germ's antibiotics: it needs no reminder of its germ, and stays a battery if alone."""
    made = _made(battery, battery.results, context)
    if not any(is_antibiotic(each) for each in battery.results):
        return replace(made, single=False)
    return replace(
        made,
        label=exam_codes(battery.code, battery.loinc, context)[2] or ANTIBIOGRAM.label,
        code=made.code or ANTIBIOGRAM,
        single=False,
        is_antibiogram=True,
    )


def _code_of(named: Observation, system: str) -> Coded | None:
    value = named.value
    if not isinstance(value, CodedText):
        return None
    return next((each for each in (value.code, *value.translations) if each and each.system == system), None)
