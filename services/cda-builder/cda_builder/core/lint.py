"""The hub's own checks, which always run: what no official rule looks at, and must not leave wrong.

Errors are few and certain: they stop a document even where the official rules are not installed.
"""

import re
from collections.abc import Callable, Iterator

from lxml import etree

from cda_builder.core.verdict import ERROR, WARNING, Finding
from labohub.standards.cda import Header, document_element, embedded_pdf
from labohub.standards.cda.names import HL7, INS_OIDS, PDF_COPY_SECTION

_C = f"{{{HL7}}}"
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_TIME = re.compile(r"\d{14}[+-]\d{4}")
_MATRICULE = re.compile(r"[12348]\d{4}(\d{2}|2[AB])\d{8}")
_MAX_ID = 64  # of the DMP, for id/@root
_LINKS = frozenset({f"{_C}linkHtml", f"{_C}script"})
_SCHEMES = ("javascript:", "data:", "vbscript:")

Problem = tuple[str, str, str, str]  # rule, level, location, message


def lint(root: etree._Element, header: Header) -> tuple[Finding, ...]:
    """Return the findings of all own checks on a document."""
    document = document_element(root)
    checks: tuple[Callable[[etree._Element, Header], Iterator[Problem]], ...] = (
        _identity,
        _patient,
        _signature,
        _active_content,
        _anchors,
        _copy,
    )
    return tuple(Finding("lint", *problem) for check in checks for problem in check(document, header))


def _identity(_: etree._Element, header: Header) -> Iterator[Problem]:
    if not _OID.fullmatch(header.id.root):
        yield "id-oid", ERROR, "/ClinicalDocument/id", "the document's id must be an OID in @root"
    if header.id.extension:
        yield "id-extension", ERROR, "/ClinicalDocument/id", "the document's id has an @extension: the DMP refuses it"
    if len(header.id.root) > _MAX_ID:
        yield "id-length", ERROR, "/ClinicalDocument/id", f"the document's id is longer than {_MAX_ID} characters"
    if not header.code.code:
        yield "code", ERROR, "/ClinicalDocument/code", "the document has no type"
    if not _TIME.fullmatch(header.effective_time):
        place = "/ClinicalDocument/effectiveTime"
        yield "effective-time", ERROR, place, "the date must go to the second, with its offset"
    if not header.level:
        yield "body", ERROR, "/ClinicalDocument/component", "the document has no body"
    if header.replaces and header.replaces.oid == header.id.oid:
        yield "replaces-itself", ERROR, "/ClinicalDocument/relatedDocument", "the document replaces itself"
    if header.replaces and header.version_number < 2:
        place = "/ClinicalDocument/versionNumber"
        yield "version", WARNING, place, "a document that replaces another has a version above 1"


def _patient(_: etree._Element, header: Header) -> Iterator[Problem]:
    place = "/ClinicalDocument/recordTarget/patientRole"
    patient = header.patient
    if not (patient.family_birth or patient.family_plain or patient.family_used):
        yield "patient-name", ERROR, place, "the patient has no name"
    if not re.fullmatch(r"\d{8}.*", patient.birth_time):
        yield "patient-birth", ERROR, place, "the patient has no full birth date"
    ins = patient.ins(INS_OIDS)
    if ins is None:
        yield "ins-absent", WARNING, place, "no INS: the document cannot go to the DMP"
    elif not _MATRICULE.fullmatch(ins.extension):
        yield "ins-form", ERROR, f"{place}/id", "a matricule has 15 characters, its key included"
    elif not _key_fits(ins.extension):
        yield "ins-key", ERROR, f"{place}/id", "the key of the matricule is wrong"


def _key_fits(matricule: str) -> bool:
    body = matricule[:13].replace("2A", "19", 1).replace("2B", "18", 1) if matricule[6].isalpha() else matricule[:13]
    return int(matricule[13:]) == 97 - int(body) % 97


def _signature(_: etree._Element, header: Header) -> Iterator[Problem]:
    if header.legal_authenticator is None or not header.legal_authenticator.ids:
        yield "signatory", ERROR, "/ClinicalDocument/legalAuthenticator", "nobody answers for the document"
    if header.custodian is None or not header.custodian.ids:
        yield "custodian", ERROR, "/ClinicalDocument/custodian", "no structure keeps the document"
    if not header.authors:
        yield "author", ERROR, "/ClinicalDocument/author", "the document has no author"


def _active_content(document: etree._Element, _: Header) -> Iterator[Problem]:
    for element in document.iter(etree.Element):
        if element.tag in _LINKS:
            yield "link", ERROR, _place(element), "the narrative holds a link or a script"
        for value in element.attrib.values():
            if str(value).strip().lower().startswith(_SCHEMES):
                yield "active-content", ERROR, _place(element), "an attribute holds active content"


def _anchors(document: etree._Element, _: Header) -> Iterator[Problem]:
    anchors = {element.get("ID") for element in document.iter(etree.Element) if element.get("ID")}
    for reference in document.iter(f"{_C}reference"):
        value = reference.get("value", "")
        if value.startswith("#") and value[1:] not in anchors:
            yield "reference", WARNING, _place(reference), "a reference points to nothing in the narrative"


def _copy(document: etree._Element, header: Header) -> Iterator[Problem]:
    if header.level == "N1":
        if embedded_pdf(document) is None:
            body = document.find(f"{_C}component/{_C}nonXMLBody/{_C}text")
            if body is None or body.get("mediaType") == "application/pdf":
                yield "pdf", ERROR, "/ClinicalDocument/component/nonXMLBody", "the body is not a readable PDF"
    elif (
        any(each.get("root") == PDF_COPY_SECTION for each in document.iter(f"{_C}templateId"))
        and embedded_pdf(document) is None
    ):
        yield "pdf", ERROR, "/ClinicalDocument/component", "the PDF copy is not a readable PDF"


def _place(element: etree._Element) -> str:
    """Return the path of an element by its names and ranks."""
    steps = []
    current: etree._Element | None = element
    while current is not None:
        name = etree.QName(current).localname
        parent = current.getparent()
        same = [each for each in parent if each.tag == current.tag] if parent is not None else []
        steps.append(f"{name}[{same.index(current) + 1}]" if len(same) > 1 else name)
        current = parent
    return "/" + "/".join(reversed(steps))
