"""Entries: what machines read. Each result points into the narrative by the anchors given.

Source: CI-SIS, volet CR-BIO 2024.01, FR-Resultats-examens-de-biologie-medicale (edition in docs/standards.md).
"""

from collections.abc import Callable, Sequence
from typing import Final

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.model import Battery, Chapter, Isolate, Laboratory, Observation, Specimen, Validation
from labohub.standards.cda.builder.observations import add_exam_code, add_observation
from labohub.standards.cda.builder.parties import add_address, add_name, add_telecoms
from labohub.standards.cda.builder.specimens import add_specimen
from labohub.standards.cda.builder.xml import add, add_code, add_comment, add_id, add_reference, add_templates, loinc

_Wrap = Callable[[etree._Element], etree._Element]  # gives the relation or component that will hold an entry

ANTIBIOGRAM: Final = loinc("18769-0", "Antibiogramme")


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
        add_specimen(_relation(act), specimen, anchors)
    for battery in chapter.batteries:
        specimens = () if shared else battery.specimens
        if battery.single:
            only = battery.observations[0]
            comments = (*only.comments, *battery.comments)
            add_observation(_relation(act), only, anchors, (*specimens, *only.specimens), comments)
            _image(_relation, act, only, anchors)
        elif battery.observations:
            _battery(_relation(act), battery, anchors, specimens)
        elif battery.comments and battery.isolates:  # nothing but isolates: what is said of the culture is said here
            for comment in battery.comments:
                relation = add(act, "entryRelationship", typeCode="SUBJ", inversionInd="true")
                add_comment(relation, anchors.comment(battery, comment))
        for isolate in battery.isolates:
            _isolate(_relation(act), isolate, anchors, specimens)


def shared_specimens(chapter: Chapter) -> tuple[Specimen, ...]:
    """Return the specimens when every battery of the chapter has the same: they are then said once."""
    kinds = {battery.specimens for battery in chapter.batteries if not battery.is_empty}
    return kinds.pop() if len(kinds) == 1 else ()


def _relation(parent: etree._Element) -> etree._Element:
    return add(parent, "entryRelationship", typeCode="COMP")


def _component(parent: etree._Element) -> etree._Element:
    return add(parent, "component")


def _battery(parent: etree._Element, battery: Battery, anchors: Anchors, specimens: Sequence[Specimen]) -> None:
    organizer = add(parent, "organizer", classCode="BATTERY", moodCode="EVN")
    add_templates(organizer, "1.3.6.1.4.1.19376.1.3.1.4", "1.2.250.1.213.1.1.3.78")
    add_exam_code(organizer, battery.code, battery.local, anchors.battery(battery))
    add(organizer, "statusCode", code=battery.status)
    if battery.effective_time:
        add(organizer, "effectiveTime", value=battery.effective_time)
    for specimen in specimens:
        add_specimen(_component(organizer), specimen, anchors)
    for observation in battery.observations:
        add_observation(_component(organizer), observation, anchors, observation.specimens, observation.comments)
        _image(_component, organizer, observation, anchors)
    for comment in battery.comments:
        add_comment(_component(organizer), anchors.comment(battery, comment))


def _isolate(parent: etree._Element, isolate: Isolate, anchors: Anchors, specimens: Sequence[Specimen]) -> None:
    """Write a germ; the specimen that it was found in, when the chapter has several, is that of what names it."""
    organizer = add(parent, "organizer", classCode="CLUSTER", moodCode="EVN")
    add_templates(organizer, "1.3.6.1.4.1.19376.1.3.1.5", "1.2.250.1.213.1.1.3.79")
    add(organizer, "statusCode", code=isolate.status)
    role = add(add(organizer, "specimen", typeCode="SPC"), "specimenRole", classCode="SPEC")
    if isolate.id:
        add_id(role, isolate.id)
    germ = add(role, "specimenPlayingEntity", classCode="MIC")
    code = add_code(germ, isolate.organism) if isolate.organism else add(germ, "code")
    add_reference(add(code, "originalText"), anchors.isolate(isolate))
    if isolate.taxon:
        add_code(code, isolate.taxon, "translation")
    for rank, observation in enumerate(isolate.observations):
        own = observation.specimens if rank else (*specimens, *observation.specimens)
        add_observation(_component(organizer), observation, anchors, own, observation.comments)
        _image(_component, organizer, observation, anchors)
    for antibiogram in isolate.antibiograms:
        _battery(_component(organizer), antibiogram, anchors, antibiogram.specimens)


def _image(wrap: _Wrap, parent: etree._Element, observation: Observation, anchors: Anchors) -> None:
    """Write the picture of a result beside it."""
    if observation.image is None:
        return
    media = add(wrap(parent), "observationMedia", classCode="OBS", moodCode="EVN", ID=anchors.image(observation))
    add_templates(media, "2.16.840.1.113883.10.12.304", "1.2.250.1.213.1.1.3.103")
    add(media, "value", observation.image.data, mediaType=observation.image.media_type, representation="B64")


def _validation(act: etree._Element, validation: Validation, laboratory: Laboratory) -> None:
    participant = add(act, "participant", typeCode="AUTHEN")
    add_templates(participant, "1.3.6.1.4.1.19376.1.3.3.1.5", "1.2.250.1.213.1.1.3.109")
    add(add(participant, "time"), "high", value=validation.at)
    role = add(participant, "participantRole")
    add_id(role, validation.by.id)
    add_address(role, laboratory.address)
    add_telecoms(role, validation.by.telecoms or laboratory.telecoms)
    add_name(add(role, "playingEntity"), validation.by.person)
