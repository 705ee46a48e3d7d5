"""Which version of the CR-BIO volet a document declares."""

from lxml import etree

from labohub.standards.cda.names import CR_BIO, HL7, IHE_LAB_REPORT, PDF_COPY_SECTION

_C = f"{{{HL7}}}"
_SAME_RULES = {"2022.01": "2021.01"}  # 2022.01 was a change of terminologies, without rules of its own


def is_level_3(document: etree._Element) -> bool:
    """Return whether the body is structured."""
    return document.find(f"{_C}component/{_C}structuredBody") is not None


def volet_of(document: etree._Element) -> str:
    """Return the edition whose rules apply; "" for a document that is no CR-BIO.

    A CR-BIO without version is read as 2024.01 when it holds a PDF copy, which that edition brought, else as 2021.01.
    """
    extensions = {each.get("root", ""): each.get("extension", "") for each in document.iterfind(f"{_C}templateId")}
    declared = extensions.get(CR_BIO) or extensions.get(IHE_LAB_REPORT)
    if declared:
        return _SAME_RULES.get(declared, declared)
    if CR_BIO not in extensions and IHE_LAB_REPORT not in extensions:
        return ""
    sections = document.iterfind(f"{_C}component/{_C}structuredBody/{_C}component/{_C}section/{_C}templateId")
    return "2024.01" if any(each.get("root") == PDF_COPY_SECTION for each in sections) else "2021.01"
