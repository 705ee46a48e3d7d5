"""The narrative: the legal content, readable by itself. Everything coded is said here, with the same digits."""

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.model import Battery, Chapter, Observation
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.words import interpretation_text, previous_text, specimen_line, state_text
from labohub.standards.cda.builder.xml import add, legal

_EXAMS = ("Examen", "Résultat", "Unité", "Interprétation", "Valeurs de référence")
_ANTIBIOTICS = ("Antibiotique", "CMI ou diamètre", "Unité", "Catégorie", "Valeurs critiques")


def add_narrative(section: etree._Element, chapter: Chapter, anchors: Anchors) -> None:
    """Write the text of a chapter: one table per battery, what concerns all of it underneath."""
    text = add(section, "text")
    for battery in chapter.batteries:
        _battery(text, battery, anchors)
    for specimen in anchors.specimens:
        paragraph = add(text, "paragraph")
        add(paragraph, "content", specimen_line(specimen), ID=anchors.specimen(specimen))
    for validation in chapter.validations:
        add(text, "paragraph", f"Validé par {validation.by.printed} le {french_time(validation.at)}.")


def _battery(text: etree._Element, battery: Battery, anchors: Anchors) -> None:
    if not battery.single:
        _heading(text, battery.label, anchors.battery(battery))
    if battery.observations or battery.pending or (battery.comments and not battery.isolates):
        _table(text, battery, battery.observations, anchors)
    for isolate in battery.isolates:
        _heading(text, f"Germe isolé : {isolate.label}", anchors.isolate(isolate), said=isolate.label)
        _table(text, battery, isolate.observations, anchors, whole=False)
        for antibiogram in isolate.antibiograms:
            _battery(text, antibiogram, anchors)
        for label in isolate.pending:
            add(text, "paragraph", f"{label} : en cours")
    if battery.isolates and not battery.observations and not battery.pending:
        for comment in battery.comments:
            content = add(add(text, "paragraph"), "content", ID=anchors.comment(battery, comment))
            add_lines(content, comment)


def _heading(text: etree._Element, words: str, anchor: str, said: str = "") -> None:
    """Write a bold line; `said` is the part of it that the anchor holds."""
    paragraph = add(text, "paragraph")
    before = words.removesuffix(said) if said else ""
    if before:
        add(paragraph, "content", before, styleCode="Bold")
    add(paragraph, "content", said or words, ID=anchor, styleCode="Bold")


def _table(
    text: etree._Element,
    battery: Battery,
    observations: tuple[Observation, ...],
    anchors: Anchors,
    *,
    whole: bool = True,
) -> None:
    """Write results as rows; `whole`: what is pending and said of the battery too."""
    columns = list(_ANTIBIOTICS if battery.is_antibiogram else _EXAMS)
    if any(observation.previous for observation in observations):
        columns.append("Antériorités")
    table = add(text, "table", border="0")
    header = add(add(table, "thead"), "tr")
    for column in columns:
        add(header, "th", column)
    body = add(table, "tbody")
    width = str(len(columns))
    for observation in observations:
        _result(body, observation, anchors, len(columns))
    if not whole:
        return
    for label in battery.pending:
        row = add(body, "tr")
        add(row, "td", label)
        add(row, "td", "en cours", colspan=str(len(columns) - 1))
    for comment in battery.comments:
        cell = add(add(body, "tr"), "td", colspan=width)
        add_lines(add(cell, "content", ID=anchors.comment(battery, comment)), comment)


def _result(body: etree._Element, observation: Observation, anchors: Anchors, columns: int) -> None:
    row = add(body, "tr")
    _exam(add(row, "td"), observation, anchors)
    cell = add(row, "td")
    value = add(cell, "content", ID=anchors.value(observation))
    if observation.interpretations and observation.interpretations[0] not in ("N", "S", "NEG", "ND"):
        value.set("styleCode", "Bold")
    add_lines(value, state_text(observation) if observation.aborted else observation.printed)
    if observation.image is not None:
        add(cell, "br")
        add(cell, "renderMultiMedia", referencedObject=anchors.image(observation))
    add(row, "td", observation.printed_unit)
    add(row, "td", interpretation_text(observation))
    limits = add(row, "td")
    if observation.range:
        add(limits, "content", observation.range.printed, ID=anchors.range(observation))
    if columns > len(_EXAMS):
        _previous(add(row, "td"), observation, anchors)
    state = "" if observation.aborted else state_text(observation)
    for content, anchor in [
        *([(state.capitalize(), "")] if state else []),
        *((comment, anchors.comment(observation, comment)) for comment in observation.comments),
    ]:
        line = add(add(add(body, "tr"), "td", colspan=str(columns)), "content")
        if anchor:
            line.set("ID", anchor)
        add_lines(line, content)


def _exam(cell: etree._Element, observation: Observation, anchors: Anchors) -> None:
    add(cell, "content", observation.label, ID=anchors.exam(observation))
    if observation.method:
        add(cell, "br")
        add(cell, "content", observation.method, ID=anchors.method(observation), styleCode="Italics")
    if observation.subcontractor:
        add(cell, "br").tail = legal(f"Réalisé par {observation.subcontractor.name}")
    if not observation.accredited:
        add(cell, "br").tail = "Hors accréditation"
    if observation.automatic:
        add(cell, "br").tail = "Validation automatique"


def _previous(cell: etree._Element, observation: Observation, anchors: Anchors) -> None:
    for rank, previous in enumerate(observation.previous, 1):
        if rank > 1:
            add(cell, "br")
        content = add(cell, "content", previous.printed, ID=anchors.previous(observation, rank))
        content.tail = legal(previous_text(previous, observation).removeprefix(previous.printed))


def add_lines(parent: etree._Element, text: str) -> None:
    """Write a text with `br` between its lines."""
    first, *rest = legal(text).split("\n")
    parent.text = first
    for line in rest:
        add(parent, "br").tail = line
