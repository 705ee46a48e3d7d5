"""Entries: what machines read. Each result points into the narrative by the anchors given.

Source: CI-SIS, volet CR-BIO 2024.01, FR-Resultats-examens-de-biologie-medicale (edition in docs/standards.md).
"""

from collections.abc import Sequence

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.model import (
    Battery,
    Bound,
    Chapter,
    CodedText,
    Interval,
    Laboratory,
    Moment,
    Number,
    Observation,
    Plain,
    Quantity,
    Range,
    Specimen,
    Subcontractor,
    Validation,
)
from labohub.standards.cda.builder.parties import add_address, add_name, add_telecoms
from labohub.standards.cda.builder.xml import XSI_TYPE, add, add_code, add_id, add_templates, loinc
from labohub.standards.cda.facts import Coded
from labohub.standards.cda.tables import labels

_INTERPRETATION = "2.16.840.1.113883.5.83"
_SPECIMEN_ACT = loinc("33882-2", "Prélèvement")
_COMMENT = loinc("48767-8", "Commentaire")
_RECEIVED = Coded(
    "SPRECEIVE", "1.3.5.1.4.1.19376.1.5.3.2", "Échantillon reçu", "IHEActCode"
)  # 1.3.5: as the rule wants
_AMBULATORY = Coded("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire")


def add_entry(section: etree._Element, chapter: Chapter, laboratory: Laboratory, anchors: Anchors) -> None:
    """Write the one entry of a chapter."""
    entry = add(section, "entry", typeCode="DRIV")
    add_templates(entry, "1.3.6.1.4.1.19376.1.3.1", "1.2.250.1.213.1.1.3.21")
    act = add(entry, "act", classCode="ACT", moodCode="EVN")
    add_code(act, chapter.code)
    add(act, "statusCode", code=chapter.status)
    for validation in chapter.validations:
        _validation(act, validation, laboratory)
    shared = shared_specimens(chapter)
    for specimen in shared:
        _specimen(_component(act), specimen)
    for battery in chapter.batteries:
        if not battery.observations:
            continue
        specimens = () if shared else battery.specimens
        if battery.single:
            only = battery.observations[0]
            _observation(_component(act), only, anchors, specimens, (*only.comments, *battery.comments))
        else:
            _battery(_component(act), battery, anchors, specimens)


def shared_specimens(chapter: Chapter) -> tuple[Specimen, ...]:
    """Return the specimens when every battery of the chapter has the same: they are then said once."""
    kinds = {battery.specimens for battery in chapter.batteries if battery.observations}
    return kinds.pop() if len(kinds) == 1 else ()


def _component(parent: etree._Element) -> etree._Element:
    return add(parent, "entryRelationship", typeCode="COMP")


def _battery(parent: etree._Element, battery: Battery, anchors: Anchors, specimens: Sequence[Specimen]) -> None:
    organizer = add(parent, "organizer", classCode="BATTERY", moodCode="EVN")
    add_templates(organizer, "1.3.6.1.4.1.19376.1.3.1.4", "1.2.250.1.213.1.1.3.78")
    _exam_code(organizer, battery.code, battery.local, anchors.battery(battery))
    add(organizer, "statusCode", code=battery.status)
    if battery.effective_time:
        add(organizer, "effectiveTime", value=battery.effective_time)
    for specimen in specimens:
        _specimen(add(organizer, "component"), specimen)
    for observation in battery.observations:
        _observation(add(organizer, "component"), observation, anchors, observation.specimens, observation.comments)
    for comment in battery.comments:
        _comment(add(organizer, "component"), anchors.comment(battery, comment))


def _observation(
    parent: etree._Element,
    observation: Observation,
    anchors: Anchors,
    specimens: Sequence[Specimen],
    comments: Sequence[str],
) -> None:
    element = add(parent, "observation", classCode="OBS", moodCode="EVN")
    add_templates(element, "1.3.6.1.4.1.19376.1.3.1.6", "1.2.250.1.213.1.1.3.80")
    _exam_code(element, observation.code, observation.local, anchors.exam(observation))
    add(element, "statusCode", code="aborted" if observation.aborted else "completed")
    if observation.effective_time:
        add(element, "effectiveTime", value=observation.effective_time)
    _value(element, observation, anchors)
    for code in observation.interpretations[:1]:  # one at most; the narrative says them all
        add_code(element, Coded(code, _INTERPRETATION, labels("interpretation")[code]), "interpretationCode")
    if observation.method:
        method = add(element, "methodCode")
        _reference(add(method, "originalText"), anchors.method(observation))
    if observation.subcontractor:
        _performer(element, observation.subcontractor, observation.effective_time)
    for specimen in specimens:
        _specimen(_component(element), specimen)
    for comment in comments:
        relation = add(element, "entryRelationship", typeCode="SUBJ", inversionInd="true")
        _comment(relation, anchors.comment(observation, comment))
    if observation.range:
        _range(element, observation.range, anchors.range(observation))


def _exam_code(parent: etree._Element, code: Coded | None, local: Coded | None, anchor: str) -> None:
    """Write LOINC when there is one, else the empty code of a non-LOINC exam, with the laboratory's own."""
    element = add_code(parent, code) if code else add(parent, "code")
    _reference(add(element, "originalText"), anchor)
    if local and local.code and local.label:
        add_code(element, local, "translation")


def _reference(parent: etree._Element, anchor: str) -> None:
    add(parent, "reference", value=f"#{anchor}")


def _value(parent: etree._Element, observation: Observation, anchors: Anchors) -> None:
    match observation.value:
        case Quantity(value, unit):
            add(parent, "value", xsi_type="PQ", value=value, unit=unit)
        case Number(value):
            add(parent, "value", xsi_type="REAL", value=value)
        case Bound(value, unit, upper, inclusive):
            interval = add(parent, "value", xsi_type="IVL_PQ")
            _bound(interval, "high" if upper else "low", value, unit, inclusive)
        case Interval(low, high, unit):
            interval = add(parent, "value", xsi_type="IVL_PQ")
            _bound(interval, "low", low, unit, True)
            _bound(interval, "high", high, unit, True)
        case Plain(text):
            add(parent, "value", text, xsi_type="ST")
        case Moment(value):
            add(parent, "value", xsi_type="TS", value=value)
        case CodedText(_, code):
            element = add_code(parent, code, "value") if code else add(parent, "value")
            element.set(XSI_TYPE, "CD")
            _reference(add(element, "originalText"), anchors.value(observation))
        case None:
            pass


def _bound(parent: etree._Element, side: str, value: str, unit: str, inclusive: bool) -> None:
    bound = add(parent, side, value=value)
    if unit:
        bound.set("unit", unit)
    if not inclusive:
        bound.set("inclusive", "false")


def _range(parent: etree._Element, limits: Range, anchor: str) -> None:
    observation_range = add(add(parent, "referenceRange", typeCode="REFV"), "observationRange")
    if limits.low or limits.high:
        interval = add(observation_range, "value", xsi_type="IVL_PQ")
        if limits.low:
            _bound(interval, "low", limits.low, limits.unit, limits.low_inclusive)
        if limits.high:
            _bound(interval, "high", limits.high, limits.unit, limits.high_inclusive)
    else:
        _reference(add(observation_range, "text"), anchor)
    add_code(observation_range, Coded("N", _INTERPRETATION, labels("interpretation")["N"]), "interpretationCode")


def _comment(parent: etree._Element, anchor: str) -> None:
    act = add(parent, "act", classCode="ACT", moodCode="EVN")
    add_templates(act, "2.16.840.1.113883.10.20.1.40", "1.3.6.1.4.1.19376.1.5.3.1.4.2", "1.2.250.1.213.1.1.3.32")
    add_code(act, _COMMENT)
    _reference(add(act, "text"), anchor)
    add(act, "statusCode", code="completed")


def _specimen(parent: etree._Element, specimen: Specimen) -> None:
    procedure = add(parent, "procedure", classCode="PROC", moodCode="EVN")
    add_templates(procedure, "1.3.6.1.4.1.19376.1.3.1.2", "1.2.250.1.213.1.1.3.77")
    add_code(procedure, _SPECIMEN_ACT)
    if specimen.collected_high:
        period = add(procedure, "effectiveTime")
        if specimen.collected_low:
            add(period, "low", value=specimen.collected_low)
        add(period, "high", value=specimen.collected_high)
    else:
        add(procedure, "effectiveTime", nullFlavor="UNK")
    role = add(add(procedure, "participant", typeCode="PRD"), "participantRole", classCode="SPEC")
    add_id(role, specimen.id)
    _nature(add(role, "playingEntity"), specimen.nature)
    if specimen.received_at:
        act = add(_component(procedure), "act", classCode="ACT", moodCode="EVN")
        add_templates(act, "1.3.6.1.4.1.19376.1.3.1.3", "1.2.250.1.213.1.1.3.107")
        add_code(act, _RECEIVED)
        add(act, "effectiveTime", value=specimen.received_at)


def _nature(parent: etree._Element, nature: Coded) -> None:
    if nature.code:
        add_code(parent, nature)
    else:
        add(add(parent, "code"), "originalText", nature.label)


def _performer(parent: etree._Element, laboratory: Subcontractor, time: str) -> None:
    performer = add(parent, "performer", typeCode="PRF")
    add_templates(performer, "1.3.6.1.4.1.19376.1.3.3.1.7", "1.2.250.1.213.1.1.3.23")
    at = laboratory.time or time
    if at:
        add(add(performer, "time"), "high", value=at)
    else:
        add(performer, "time", nullFlavor="NA")
    entity = add(performer, "assignedEntity")
    add_id(entity, None)
    organization = add(entity, "representedOrganization")
    add_id(organization, laboratory.id)
    add(organization, "name", laboratory.name)
    add(organization, "telecom", nullFlavor="MSK")
    add(organization, "addr", nullFlavor="MSK")
    add_code(organization, laboratory.industry or _AMBULATORY, "standardIndustryClassCode")


def _validation(parent: etree._Element, validation: Validation, laboratory: Laboratory) -> None:
    participant = add(parent, "participant", typeCode="AUTHEN")
    add_templates(participant, "1.3.6.1.4.1.19376.1.3.3.1.5", "1.2.250.1.213.1.1.3.109")
    add(add(participant, "time"), "high", value=validation.at)
    role = add(participant, "participantRole")
    add_id(role, validation.by.id)
    add_address(role, laboratory.address)
    add_telecoms(role, validation.by.telecoms or laboratory.telecoms)
    add_name(add(role, "playingEntity"), validation.by.person)
