"""Small hands to write HL7 V3 elements."""

from typing import Final

from lxml import etree

from labohub.standards.cda.facts import Coded, Id
from labohub.standards.cda.names import HL7, LAB, LOINC, XSI

_C: Final = f"{{{HL7}}}"
XSI_TYPE: Final = f"{{{XSI}}}type"
NSMAP: Final = {None: HL7, "lab": LAB, "xsi": XSI}


def add(parent: etree._Element, tag: str, content: str | None = None, /, **attributes: str) -> etree._Element:
    """Return a new last child. `xsi_type` becomes xsi:type."""
    kind = attributes.pop("xsi_type", None)
    element = etree.SubElement(parent, _C + tag)
    if kind is not None:
        element.set(XSI_TYPE, kind)
    for name, value in attributes.items():
        element.set(name, value)
    if content is not None:
        element.text = content
    return element


def add_id(parent: etree._Element, identifier: Id | None, tag: str = "id") -> None:
    """Write an instance identifier; unknown without one."""
    if identifier is None:
        add(parent, tag, nullFlavor="UNK")
        return
    element = add(parent, tag, root=identifier.root)
    if identifier.extension:
        element.set("extension", identifier.extension)
    if identifier.authority:
        element.set("assigningAuthorityName", identifier.authority)


def add_templates(parent: etree._Element, *roots: str) -> None:
    """Write templateIds, in order."""
    for root in roots:
        add(parent, "templateId", root=root)


def add_code(parent: etree._Element, code: Coded, tag: str = "code") -> etree._Element:
    """Return a new coded element."""
    element = add(parent, tag, code=code.code)
    if code.label:
        element.set("displayName", code.label)
    element.set("codeSystem", code.system)
    if code.system_name:
        element.set("codeSystemName", code.system_name)
    return element


def loinc(code: str, label: str) -> Coded:
    """Return a LOINC code."""
    return Coded(code, LOINC, label, "LOINC")
