"""METADATA.XML of an XDM archive: a submission in ebRIM 3.0, as a mail carries it.

Source: IHE ITI TF-2 3.32; "Volet Échange de documents de santé" (ANS), with the action of a replacement or deletion.
"""

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


def read_action(metadata: etree._Element) -> Action:
    """Return the action that a received file asks for; an unknown one counts as an integration."""
    for slot in metadata.iter(f"{{{names.RIM}}}Slot"):
        if slot.get("name") == ACTION_SLOT:
            said = "".join(str(text) for text in slot.itertext()).strip()
            return Action(said) if said in ("C", "D") else Action.INTEGRATE
    return Action.INTEGRATE


def _slot(action: Action) -> etree._Element:
    slot = etree.Element(f"{{{names.RIM}}}Slot", name=ACTION_SLOT)
    values = etree.SubElement(slot, f"{{{names.RIM}}}ValueList")
    etree.SubElement(values, f"{{{names.RIM}}}Value").text = action.value
    return slot
