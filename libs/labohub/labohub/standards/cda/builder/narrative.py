"""The narrative: the legal content, readable by itself. Everything coded is said here, with the same digits."""

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.model import Battery, Chapter, Observation, Specimen
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.xml import add, legal
from labohub.standards.cda.tables import labels

_COLUMNS = ("Examen", "Résultat", "Unité", "Interprétation", "Valeurs de référence")


def add_narrative(section: etree._Element, chapter: Chapter, anchors: Anchors) -> None:
    """Write the text of a chapter: one table per battery, what concerns all of it underneath."""
    text = add(section, "text")
    for battery in chapter.batteries:
        _battery(text, battery, anchors)
    for specimen in dict.fromkeys(s for b in chapter.batteries for s in b.specimens):
        add(text, "paragraph", specimen_line(specimen))
    for validation in chapter.validations:
        add(text, "paragraph", f"Validé par {validation.by.printed} le {french_time(validation.at)}.")


def specimen_line(specimen: Specimen) -> str:
    """Return the sentence about a specimen."""
    line = f"Prélèvement : {specimen.nature.label}"
    if specimen.id and specimen.id.extension:
        line += f" n° {specimen.id.extension}"
    if specimen.collected_low:
        line += f", recueilli du {french_time(specimen.collected_low)} au {french_time(specimen.collected_high)}"
    elif specimen.collected_high:
        line += f", prélevé le {french_time(specimen.collected_high)}"
    if specimen.received_at:
        line += f", reçu le {french_time(specimen.received_at)}"
    return line + "."


def interpretation_text(observation: Observation) -> str:
    """Return what the flags of a result mean, in words."""
    return ", ".join(labels("interpretation")[code] for code in observation.interpretations)


def state_text(observation: Observation) -> str:
    """Return the state of a result when it is not an ordinary one."""
    if observation.aborted:
        return "non réalisé"
    if observation.provisional:
        return "résultat provisoire"
    return "résultat corrigé" if observation.corrected else ""


def _battery(text: etree._Element, battery: Battery, anchors: Anchors) -> None:
    if not battery.single:
        name = add(add(text, "paragraph"), "content", battery.label, ID=anchors.battery(battery))
        name.set("styleCode", "Bold")
    table = add(text, "table", border="0")
    header = add(add(table, "thead"), "tr")
    for column in _COLUMNS:
        add(header, "th", column)
    body = add(table, "tbody")
    for observation in battery.observations:
        _result(body, observation, anchors)
    for label in battery.pending:
        row = add(body, "tr")
        add(row, "td", label)
        add(row, "td", "en cours", colspan="4")
    for comment in battery.comments:
        cell = add(add(body, "tr"), "td", colspan="5")
        add_lines(add(cell, "content", ID=anchors.comment(battery, comment)), comment)


def _result(body: etree._Element, observation: Observation, anchors: Anchors) -> None:
    row = add(body, "tr")
    exam = add(row, "td")
    add(exam, "content", observation.label, ID=anchors.exam(observation))
    if observation.method:
        add(exam, "br")
        add(exam, "content", observation.method, ID=anchors.method(observation), styleCode="Italics")
    if observation.subcontractor:
        add(exam, "br").tail = legal(f"Réalisé par {observation.subcontractor.name}")
    value = add(add(row, "td"), "content", ID=anchors.value(observation))
    if observation.interpretations and observation.interpretations[0] != "N":
        value.set("styleCode", "Bold")
    add_lines(value, state_text(observation) if observation.aborted else observation.printed)
    add(row, "td", observation.printed_unit)
    add(row, "td", interpretation_text(observation))
    limits = add(row, "td")
    if observation.range:
        add(limits, "content", observation.range.printed, ID=anchors.range(observation))
    state = "" if observation.aborted else state_text(observation)
    for content, anchor in [
        *([(state.capitalize(), "")] if state else []),
        *((comment, anchors.comment(observation, comment)) for comment in observation.comments),
    ]:
        cell = add(add(body, "tr"), "td", colspan="5")
        line = add(cell, "content")
        if anchor:
            line.set("ID", anchor)
        add_lines(line, content)


def add_lines(parent: etree._Element, text: str) -> None:
    """Write a text with `br` between its lines."""
    first, *rest = legal(text).split("\n")
    parent.text = first
    for line in rest:
        add(parent, "br").tail = line
