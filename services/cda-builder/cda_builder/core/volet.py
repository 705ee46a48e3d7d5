"""Which version of the CR-BIO volet a document declares."""

import re

from lxml import etree

from labohub.standards.cda.names import CR_BIO, HL7, IHE_LAB_REPORT, PDF_COPY_SECTION

_C = f"{{{HL7}}}"
_HINT = re.compile(r"CI-SIS_BIO-CR-BIO_(2021\.01|2022\.01|2023\.01|2024\.01)\.sch")
_SAME_RULES = {"2022.01": "2021.01"}  # 2022.01 was a change of terminologies, without rules of its own


def is_level_3(document: etree._Element) -> bool:
    """Return whether the body is structured."""
    return document.find(f"{_C}component/{_C}structuredBody") is not None


def volet_of(document: etree._Element) -> str:
    """Return the edition whose rules apply; "" for a document that is no CR-BIO.

    A CR-BIO without version has that of the rules that its author's editor names (official samples do so), else it is
    read as 2024.01 when it holds a PDF copy, which that edition brought, else as 2021.01.
    """
    extensions: dict[str, str] = {}
    for each in document.iterfind(f"{_C}templateId"):
        extensions.setdefault(each.get("root", ""), each.get("extension", ""))  # the first that is declared counts
    declared = extensions.get(CR_BIO) or extensions.get(IHE_LAB_REPORT)
    if declared:
        return _SAME_RULES.get(declared, declared)
    if CR_BIO not in extensions and IHE_LAB_REPORT not in extensions:
        return ""
    hinted = _hinted(document)
    if hinted:
        return _SAME_RULES.get(hinted, hinted)
    sections = document.iterfind(f"{_C}component/{_C}structuredBody/{_C}component/{_C}section/{_C}templateId")
    return "2024.01" if any(each.get("root") == PDF_COPY_SECTION for each in sections) else "2021.01"


def _hinted(document: etree._Element) -> str:
    """Return the edition in an instruction `oxygen SCHSchema="…CI-SIS_BIO-CR-BIO_2024.01.sch"`; "" without one."""
    for node in document.itersiblings(preceding=True):
        match = _HINT.search(node.text or "") if isinstance(node, etree._ProcessingInstruction) else None
        if match:
            return match[1]
    return ""
