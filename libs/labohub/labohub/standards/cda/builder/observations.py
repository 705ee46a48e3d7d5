"""One result as its entry: code, value, interpretation, earlier results, comments, range.

Source: CI-SIS, volet CR-BIO 2024.01, FR-Resultat-examens-de-biologie-element-clinique-pertinent.
"""

from collections.abc import Sequence

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.model import Observation, Specimen
from labohub.standards.cda.builder.parties import add_performer
from labohub.standards.cda.builder.specimens import add_specimen
from labohub.standards.cda.builder.values import (
    Bound,
    CodedText,
    Interval,
    Moment,
    Number,
    Plain,
    Previous,
    Quantity,
    Range,
    Ratio,
    Value,
)
from labohub.standards.cda.builder.xml import XSI_TYPE, add, add_code, add_comment, add_reference, add_templates
from labohub.standards.cda.facts import Coded
from labohub.standards.cda.tables import labels

_INTERPRETATION = "2.16.840.1.113883.5.83"


def add_observation(
    parent: etree._Element,
    observation: Observation,
    anchors: Anchors,
    specimens: Sequence[Specimen],
    comments: Sequence[str],
) -> None:
    """Write a result into the relation or component that holds it."""
    element = add(parent, "observation", classCode="OBS", moodCode="EVN")
    add_templates(element, "1.3.6.1.4.1.19376.1.3.1.6", "1.2.250.1.213.1.1.3.80")
    add_exam_code(element, observation.code, observation.local, anchors.exam(observation))
    add(element, "statusCode", code="aborted" if observation.aborted else "completed")
    time = {"value": observation.effective_time} if observation.effective_time else {"nullFlavor": "UNK"}
    add(element, "effectiveTime", **time)
    _value(element, observation.value, anchors.value(observation))
    for code in observation.interpretations[:1]:  # one at most; the narrative says them all
        _interpretation(element, code)
    if observation.method:
        method = add(element, "methodCode")
        add_reference(add(method, "originalText"), anchors.method(observation))
    if observation.subcontractor:
        add_performer(element, observation.subcontractor, observation.effective_time)
    for specimen in specimens:
        add_specimen(add(element, "entryRelationship", typeCode="COMP"), specimen, anchors)
    for rank, previous in enumerate(observation.previous, 1):
        if previous.comparable:
            _previous(element, observation, previous, anchors.previous(observation, rank))
    for comment in comments:
        relation = add(element, "entryRelationship", typeCode="SUBJ", inversionInd="true")
        add_comment(relation, anchors.comment(observation, comment))
    if observation.range:
        _range(element, observation.range, anchors.range(observation))


def add_exam_code(parent: etree._Element, code: Coded | None, local: Coded | None, anchor: str = "") -> None:
    """Write LOINC when there is one, else the empty code of a non-LOINC exam, with the laboratory's own."""
    element = add_code(parent, code) if code else add(parent, "code")
    if anchor:
        add_reference(add(element, "originalText"), anchor)
    if local and local.code and local.label:
        add_code(element, local, "translation")


def _interpretation(parent: etree._Element, code: str) -> None:
    add_code(parent, Coded(code, _INTERPRETATION, labels("interpretation")[code]), "interpretationCode")


def _value(parent: etree._Element, written: Value | None, anchor: str) -> None:
    match written:
        case Quantity(value, unit):
            add(parent, "value", xsi_type="PQ", value=value, unit=unit)
        case Number(value):
            add(parent, "value", xsi_type="REAL", value=value)
        case Bound(value, unit, upper, inclusive):
            interval = add(parent, "value", xsi_type="IVL_PQ")
            _quantity(interval, "high" if upper else "low", value, unit, inclusive=inclusive)
        case Interval(low, high, unit):
            interval = add(parent, "value", xsi_type="IVL_PQ")
            _quantity(interval, "low", low, unit)
            _quantity(interval, "high", high, unit)
        case Ratio(numerator, denominator, unit):
            ratio = add(parent, "value", xsi_type="RTO_PQ_PQ")
            _quantity(ratio, "numerator", numerator, unit)
            _quantity(ratio, "denominator", denominator, unit)
        case Plain(text):
            add(parent, "value", text, xsi_type="ST")
        case Moment(value):
            add(parent, "value", xsi_type="TS", value=value)
        case CodedText(_, code, translations):
            element = add_code(parent, code, "value") if code else add(parent, "value")
            element.set(XSI_TYPE, "CD")
            add_reference(add(element, "originalText"), anchor)
            for translation in translations:
                add_code(element, translation, "translation")
        case None:
            pass


def _quantity(parent: etree._Element, tag: str, value: str, unit: str, *, inclusive: bool = True) -> None:
    element = add(parent, tag, value=value)
    if unit:
        element.set("unit", unit)
    if not inclusive:
        element.set("inclusive", "false")


def _previous(parent: etree._Element, current: Observation, previous: Previous, anchor: str) -> None:
    """Write an earlier result: the same exam, without templateId, as readers compare it."""
    relation = add(parent, "entryRelationship", typeCode="REFR")
    element = add(relation, "observation", classCode="OBS", moodCode="EVN")
    add_exam_code(element, current.code, current.local)
    add(element, "statusCode", code="completed")
    add(element, "effectiveTime", value=previous.effective_time)
    _value(element, previous.value, anchor)
    if previous.interpretation:
        _interpretation(element, previous.interpretation)


def _range(parent: etree._Element, limits: Range, anchor: str) -> None:
    observation_range = add(add(parent, "referenceRange", typeCode="REFV"), "observationRange")
    if limits.low or limits.high:
        interval = add(observation_range, "value", xsi_type="IVL_PQ")
        if limits.low:
            _quantity(interval, "low", limits.low, limits.unit, inclusive=limits.low_inclusive)
        if limits.high:
            _quantity(interval, "high", limits.high, limits.unit, inclusive=limits.high_inclusive)
    else:
        add_reference(add(observation_range, "text"), anchor)
    _interpretation(observation_range, "N")
