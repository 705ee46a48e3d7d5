"""Small hands to write HL7 V3 elements."""

import re
from typing import Final

from lxml import etree

from labohub.standards.cda.facts import Coded, Id
from labohub.standards.cda.names import HL7, LAB, LOINC, XSI

_C: Final = f"{{{HL7}}}"
XSI_TYPE: Final = f"{{{XSI}}}type"
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NSMAP: Final = {None: HL7, "lab": LAB, "xsi": XSI}


def add(parent: etree._Element, tag: str, content: str | None = None, /, **attributes: str) -> etree._Element:
    """Return a new last child. `xsi_type` becomes xsi:type; characters that XML cannot hold are left out."""
    if "xsi_type" in attributes:
        attributes = {XSI_TYPE: attributes.pop("xsi_type"), **attributes}
    try:
        element = etree.SubElement(parent, _C + tag, attributes)
    except ValueError:  # from an escape of the sender's
        element = etree.SubElement(parent, _C + tag, {name: legal(value) for name, value in attributes.items()})
    if content is not None:
        try:
            element.text = content
        except ValueError:
            element.text = legal(content)
    return element


def legal(text: str) -> str:
    """Return a text without the characters that XML 1.0 cannot hold; tabs and feeds of printers part words still."""
    return _ILLEGAL.sub(lambda found: " " if found[0] in "\v\f" else "", text)


def add_id(parent: etree._Element, identifier: Id | None, tag: str = "id") -> None:
    """Write an instance identifier; unknown without one."""
    if identifier is None:
        add(parent, tag, nullFlavor="UNK")
        return
    attributes = {"extension": identifier.extension, "assigningAuthorityName": identifier.authority}
    add(parent, tag, root=identifier.root, **{name: value for name, value in attributes.items() if value})


def add_templates(parent: etree._Element, *roots: str) -> None:
    """Write templateIds, in order."""
    for root in roots:
        add(parent, "templateId", root=root)


def add_code(parent: etree._Element, code: Coded, tag: str = "code") -> etree._Element:
    """Return a new coded element. A code holds no space in CDA: an underscore stands for it."""
    attributes = {"code": "_".join(code.code.split()), "displayName": code.label, "codeSystem": code.system}
    if code.system_name:
        attributes["codeSystemName"] = code.system_name
    return add(parent, tag, **{name: value for name, value in attributes.items() if value})


def loinc(code: str, label: str) -> Coded:
    """Return a LOINC code."""
    return Coded(code, LOINC, label, "LOINC")


def add_reference(parent: etree._Element, anchor: str) -> None:
    """Write a pointer into the narrative."""
    add(parent, "reference", value=f"#{anchor}")


def add_comment(parent: etree._Element, anchor: str) -> None:
    """Write a comment (FR-Commentaire-ER) whose words are in the narrative."""
    act = add(parent, "act", classCode="ACT", moodCode="EVN")
    add_templates(act, "2.16.840.1.113883.10.20.1.40", "1.3.6.1.4.1.19376.1.5.3.1.4.2", "1.2.250.1.213.1.1.3.32")
    add_code(act, _COMMENT)
    add_reference(add(act, "text"), anchor)
    add(act, "statusCode", code="completed")


_COMMENT: Final = loinc("48767-8", "Commentaire")
