"""The chapters of a report, and who validated them."""

from dataclasses import replace

from cda_builder.core.batteries import battery_of
from cda_builder.core.context import Context
from cda_builder.core.isolates import Culture, cultures_of
from cda_builder.core.observations import is_published
from cda_builder.core.people import professional
from cda_builder.core.sections import chapter_code, chapter_title
from cda_builder.core.times import instant
from labohub.contracts import laboratory as values
from labohub.standards.cda import Coded
from labohub.standards.cda.builder import Chapter, Professional, Validation


def chapters_of(results: values.LaboratoryReport, biologist: Professional, context: Context) -> tuple[Chapter, ...]:
    """Return the chapters in the order of the message; those without any result are left out.

    Raises:
        CdaAttachmentUnreadable: an embedded object is not what it is said to be.
    """
    grouped: dict[Coded, list[Culture]] = {}
    for culture in cultures_of(results.batteries, context):
        grouped.setdefault(chapter_code(culture.battery, context), []).append(culture)
    chapters = (_chapter(code, group, biologist, context) for code, group in grouped.items())
    return tuple(c for c in chapters if any(not battery.is_empty for battery in c.batteries))


def _chapter(code: Coded, group: list[Culture], biologist: Professional, context: Context) -> Chapter:
    made = (battery_of(each, context) for each in group)
    batteries = tuple(each for each in made if not each.is_empty or each.pending)
    states = {battery.status for battery in batteries}
    status = "active" if "active" in states else "aborted" if states == {"aborted"} else "completed"
    validations = _validations(group, biologist, context)
    waiting = any(each.is_empty for each in batteries)  # nothing but exams to come: no entry for a sub-chapter
    divided = context.profile.sub_chapters and not waiting
    return Chapter(code, chapter_title(code), batteries, status, validations, divided)


def _validations(group: list[Culture], biologist: Professional, context: Context) -> tuple[Validation, ...]:
    """Return who validated results of a chapter, each with the last time."""
    last: dict[str, Validation] = {}
    antibiograms = (each for culture in group for germ in culture.germs.values() for each in germ.antibiograms)
    for battery in (*(culture.battery for culture in group), *antibiograms):
        at = context.time(battery.reported_at)
        for result in battery.results:
            who = result.validated_by
            if who is None or not who.family_name or not is_published(result):
                continue
            known = last.get(who.identifier)
            when = at or context.time(result.analysed_at)
            if not when or (known is not None and instant(known.at) >= instant(when)):
                continue
            by = known.by if known else professional(who, context)
            if by.id is None:
                continue
            if by.id == biologist.id:
                by = replace(by, person=biologist.person)
            last[who.identifier] = Validation(by, when)
    return tuple(last.values())
