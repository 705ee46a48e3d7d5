"""One result (OBX) to one observation.

A result is published when its status is final, corrected, preliminary, or "cannot be obtained" (OBX-11 F, C, P, S, X).
What is pending (I) is only named. All else (O, N, R, D, W) is not in the report.
"""

from collections.abc import Iterable
from typing import Final

from cda_builder.core.attachments import Shown, shown
from cda_builder.core.context import Context
from cda_builder.core.people import subcontractor
from cda_builder.core.readings import CODED, Read, read_code, read_value
from cda_builder.core.results import (
    SUSCEPTIBILITIES,
    exam_codes,
    interpretation_words,
    interpretations_of,
    previous_of,
    printed_unit,
    range_of,
)
from labohub.contracts.laboratory import Attachment, Battery, Result
from labohub.standards.cda import builder

PUBLISHED: Final = frozenset("FCPSX")
OBJECTS: Final = frozenset({"ED", "RP"})


def is_published(result: Result) -> bool:
    """Return whether a result is in the report."""
    return result.status in PUBLISHED


def observation_of(result: Result, battery: Battery, context: Context) -> builder.Observation:
    """Return one result as it is published.

    Raises:
        CdaAttachmentUnreadable: an embedded object is not what it is said to be.
    """
    loinc, local, label = exam_codes(result.local_code, result.loinc, context)
    exam = context.exam(result.local_code)
    aborted = result.status == "X"
    seen = None if aborted else _object(result)
    value, printed = (seen.value, seen.printed) if seen else (None, "") if aborted else _value(result, context)
    flags = () if aborted else _flags(result)
    if _is_category(result, flags):
        value = None  # the category is the interpretation; the words stay in the narrative
    method = result.method or (exam.method if exam else "")
    observed = next(
        (t for t in map(context.time, (result.observed_at, *_collected(battery), battery.reported_at)) if t), ""
    )
    return builder.Observation(
        label=label,
        code=loinc,
        local=local,
        aborted=aborted,
        effective_time=observed,
        value=value,
        printed=printed,
        printed_unit="" if aborted else printed_unit(result.unit_text or result.unit),
        interpretations=interpretations_of(flags),
        interpretation_words=interpretation_words(flags, method, context),
        method=method,
        range=None if aborted else range_of(result),
        subcontractor=subcontractor(result.performer, context, context.time(result.analysed_at)),
        comments=said(result.comments),
        corrected=result.status == "C",
        provisional=result.status in ("P", "S"),
        previous=() if aborted else previous_of(result, context),
        image=seen.image if seen else None,
        accredited=exam.accredited if exam else True,
        automatic=bool(context.profile.automatic_validation) and result.validated_by is None and not aborted,
    )


def attached_of(batteries: Iterable[Battery], context: Context) -> tuple[builder.Attached, ...]:
    """Return the PDFs that came as results: of one exam, or of the laboratory that performed it."""
    found = []
    for battery in batteries:
        for result in battery.results:
            seen = _object(result) if is_published(result) and result.status != "X" else None
            if seen is None or not seen.pdf:
                continue
            title = exam_codes(result.local_code, result.loinc, context)[2]
            elsewhere = subcontractor(result.performer, context, "")
            found.append(
                builder.Attached(f"{title} - {elsewhere.name}" if elsewhere else title, "application/pdf", seen.pdf)
            )
    return tuple(found)


def said(comments: Iterable[str]) -> tuple[str, ...]:
    """Return comments without empty ones, each once."""
    return tuple(dict.fromkeys(each for each in comments if each.strip() and each != '""'))


def _collected(battery: Battery) -> tuple[str, ...]:
    """Return when the specimens were taken: the time they all share (SPM-17), then the order's (OBR-7)."""
    told = {each.collected_at for each in battery.specimens}
    return (*(told if len(told) == 1 else ()), battery.collected_at)


def _value(result: Result, context: Context) -> Read:
    if result.value_type in CODED and result.value_code is not None:
        return read_code(result.value_code, result.value_translations, context.code_system, result.value)
    return read_value(result.value_type, result.value, result.unit, context.zone)


def _object(result: Result) -> Shown | None:
    if result.attachment is None and result.value_type not in OBJECTS:
        return None
    pointer = Attachment(pointer=result.value.partition("^")[0]) if result.value_type == "RP" else None
    return shown(result.attachment or pointer)


def _flags(result: Result) -> tuple[str, ...]:
    """Return the flags; a category that is the very value of a result (S, I, R in table 0078) is one of them."""
    code = result.value_code
    if (
        code is not None
        and code.system == "HL70078"
        and code.code in SUSCEPTIBILITIES
        and code.code not in result.flags
    ):
        return (code.code, *result.flags)
    return result.flags


def _is_category(result: Result, flags: tuple[str, ...]) -> bool:
    code = result.value_code
    return code is not None and code.code in SUSCEPTIBILITIES and code.code in flags
