"""Specimens as entries.

Source: CI-SIS, volet CR-BIO 2024.01, FR-Prelevement.
"""

from lxml import etree

from labohub.standards.cda.builder.anchors import Anchors
from labohub.standards.cda.builder.model import Specimen
from labohub.standards.cda.builder.parties import add_professional
from labohub.standards.cda.builder.xml import add, add_code, add_comment, add_id, add_templates, loinc
from labohub.standards.cda.facts import Coded

_SPECIMEN_ACT = loinc("33882-2", "Prélèvement")
_RECEIVED = Coded(
    "SPRECEIVE", "1.3.5.1.4.1.19376.1.5.3.2", "Échantillon reçu", "IHEActCode"
)  # 1.3.5: as the rule wants


def add_specimen(parent: etree._Element, specimen: Specimen, anchors: Anchors) -> None:
    """Write a specimen into the relation or component that holds it."""
    procedure = add(parent, "procedure", classCode="PROC", moodCode="EVN")
    add_templates(procedure, "1.3.6.1.4.1.19376.1.3.1.2", "1.2.250.1.213.1.1.3.77")
    add_code(procedure, _SPECIMEN_ACT)
    _period(procedure, specimen)
    if specimen.site:
        _words_or_code(procedure, "targetSiteCode", specimen.site)
    if specimen.collector:
        add_professional(add(add(procedure, "performer", typeCode="PRF"), "assignedEntity"), specimen.collector, None)
    role = add(add(procedure, "participant", typeCode="PRD"), "participantRole", classCode="SPEC")
    add_id(role, specimen.id)
    _words_or_code(add(role, "playingEntity"), "code", specimen.nature)
    if specimen.received_at:
        act = add(add(procedure, "entryRelationship", typeCode="COMP"), "act", classCode="ACT", moodCode="EVN")
        add_templates(act, "1.3.6.1.4.1.19376.1.3.1.3", "1.2.250.1.213.1.1.3.107")
        add_code(act, _RECEIVED)
        add(act, "effectiveTime", value=specimen.received_at)
    if specimen.method or specimen.volume or specimen.remarks:
        comment = add(procedure, "entryRelationship", typeCode="SUBJ", inversionInd="true")
        add_comment(comment, anchors.specimen(specimen))


def _period(procedure: etree._Element, specimen: Specimen) -> None:
    if not specimen.collected_high:
        add(procedure, "effectiveTime", nullFlavor="UNK")
        return
    period = add(procedure, "effectiveTime")
    if specimen.collected_low:
        add(period, "low", value=specimen.collected_low)
    add(period, "high", value=specimen.collected_high)


def _words_or_code(parent: etree._Element, tag: str, what: Coded) -> None:
    if what.code:
        add_code(parent, what, tag)
    else:
        add(add(parent, tag), "originalText", what.label)
