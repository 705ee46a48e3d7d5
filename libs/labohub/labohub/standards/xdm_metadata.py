"""METADATA.XML of an XDM archive: a submission in ebRIM 3.0, as a mail carries it.

Source: IHE ITI TF-2 3.32; "Volet Échange de documents de santé" (ANS), with the action of a replacement or deletion.
"""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from labohub.standards.xds import names
from labohub.standards.xds.ebrim import NSMAP, registry_objects
from labohub.standards.xds.model import Submission

ACTION_SLOT = "urn:action:extraMetadataSlot"


class Action(StrEnum):
    """What the receiver does with the documents (HL7 table 0085 for the last two)."""

    INTEGRATE = ""
    REPLACE = "C"
    DELETE = "D"


def metadata_xml(submission: Submission, action: Action = Action.INTEGRATE) -> bytes:
    """Return the file's bytes, UTF-8 without byte order mark; the same submission always gives the same bytes."""
    root = etree.Element(f"{{{names.LCM}}}SubmitObjectsRequest", nsmap={k: NSMAP[k] for k in ("lcm", "rim")})
    objects = registry_objects(submission, for_xdm=True)
    if action:
        for entry in objects.iterfind(f"{{{names.RIM}}}ExtrinsicObject"):
            entry.insert(0, _slot(action))
    root.append(objects)
    etree.cleanup_namespaces(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


@dataclass(frozen=True, slots=True)
class ReceivedEntry:
    """What a received file says of one document. What is absent is empty."""

    uri: str
    sha1: str  # lower case
    size_bytes: str
    unique_id: str
    patient_id: str  # CX, as written
    masks: frozenset[str]  # confidentiality codes
    action: Action


def read_entries(metadata: etree._Element) -> tuple[ReceivedEntry, ...]:
    """Return what a received file says of its documents, found by name whatever the order: senders often break it."""
    return tuple(_received(each) for each in metadata.iter(f"{{{names.RIM}}}ExtrinsicObject"))


def read_action(metadata: etree._Element) -> Action:
    """Return the action that a received file, or one entry of it, asks for; an unknown one counts as an integration."""
    said = _slot_value(metadata, ACTION_SLOT)
    return Action(said) if said in ("C", "D") else Action.INTEGRATE


def _received(entry: etree._Element) -> ReceivedEntry:
    masks = (
        each.get("nodeRepresentation", "")
        for each in entry.iter(f"{{{names.RIM}}}Classification")
        if each.get("classificationScheme") == names.CONFIDENTIALITY_CODE
    )
    return ReceivedEntry(
        uri=_slot_value(entry, "URI"),
        sha1=_slot_value(entry, "hash").lower(),
        size_bytes=_slot_value(entry, "size"),
        unique_id=_identifier(entry, names.UNIQUE_ID),
        patient_id=_identifier(entry, names.PATIENT_ID),
        masks=frozenset(masks),
        action=read_action(entry),
    )


def _slot_value(element: etree._Element, name: str) -> str:
    for slot in element.iter(f"{{{names.RIM}}}Slot"):
        if slot.get("name") == name:
            return "".join(str(text) for text in slot.itertext()).strip()
    return ""


def _identifier(entry: etree._Element, scheme: str) -> str:
    for each in entry.iter(f"{{{names.RIM}}}ExternalIdentifier"):
        if each.get("identificationScheme") == scheme:
            return each.get("value", "").strip()
    return ""


def _slot(action: Action) -> etree._Element:
    slot = etree.Element(f"{{{names.RIM}}}Slot", name=ACTION_SLOT)
    values = etree.SubElement(slot, f"{{{names.RIM}}}ValueList")
    etree.SubElement(values, f"{{{names.RIM}}}Value").text = action.value
    return slot
