"""Reading of a CDA header, tolerant of what others write."""

from collections.abc import Iterator

from lxml import etree

from labohub.errors import Refused
from labohub.standards.cda.facts import (
    Author,
    Coded,
    Encounter,
    Header,
    Id,
    Organization,
    Participant,
    Patient,
    Person,
    RelatedDocument,
    ServiceEvent,
)
from labohub.standards.cda.names import CDA_TYPE, HL7, LAB, SELF_PRESENTING_TYPE

_C = f"{{{HL7}}}"
_DOCUMENT = f"{_C}ClinicalDocument"
_STYLESHEET = "{http://www.w3.org/1999/XSL/Transform}stylesheet"


class CdaMalformed(Refused):
    """XML that is not a CDA document, or one without identifier."""

    code = "cda.malformed"


def document_element(root: etree._Element) -> etree._Element:
    """Return the ClinicalDocument of a parsed file: its root, or the one inside a self-presenting wrapper.

    Raises:
        CdaMalformed: there is none.
    """
    if root.tag == _DOCUMENT:
        return root
    inner = next(root.iter(_DOCUMENT), None)
    if inner is None:
        raise CdaMalformed("no ClinicalDocument element")
    return inner


def read_header(root: etree._Element) -> Header:
    """Return the facts of the header of a parsed CDA.

    What is absent is empty: only the document's own id is required.

    Raises:
        CdaMalformed: no ClinicalDocument, or no id.
    """
    doc = document_element(root)
    ids = _ids(doc)
    if not ids:
        raise CdaMalformed("the document has no id")
    set_ids = _ids(doc, "setId")
    return Header(
        id=ids[0],
        code=_coded(doc, "code") or Coded(""),
        title=_text(doc, "title"),
        effective_time=_attribute(doc, "effectiveTime", "value"),
        confidentiality=_coded(doc, "confidentialityCode") or Coded(""),
        language=_attribute(doc, "languageCode", "code"),
        level=_level(doc),
        set_id=set_ids[0] if set_ids else None,
        media_type=SELF_PRESENTING_TYPE if root.tag == _STYLESHEET else CDA_TYPE,
        version_number=_version(doc),
        template_ids=_ids(doc, "templateId"),
        related=tuple(_related(each) for each in _all(doc, "relatedDocument")),
        patient=_patient(_find(doc, "recordTarget/patientRole")),
        authors=tuple(_author(each) for each in _all(doc, "author")),
        custodian=_organization(_find(doc, "custodian/assignedCustodian/representedCustodianOrganization")),
        legal_authenticator=next((_participant(each) for each in _all(doc, "legalAuthenticator")), None),
        authenticators=tuple(_participant(each) for each in _all(doc, "authenticator")),
        participants=tuple(_participant(each) for each in _all(doc, "participant")),
        recipients=tuple(_participant(each) for each in _all(doc, "informationRecipient")),
        order_ids=tuple(i for order in _all(doc, "inFulfillmentOf/order") for i in _ids(order)),
        service_events=tuple(_service_event(each) for each in _all(doc, "documentationOf/serviceEvent")),
        encounter=_encounter(_find(doc, "componentOf/encompassingEncounter")),
    )


def _path(path: str) -> str:
    return "/".join(_C + step for step in path.split("/"))


def _find(element: etree._Element | None, path: str) -> etree._Element | None:
    return None if element is None else element.find(_path(path))


def _all(element: etree._Element | None, path: str) -> Iterator[etree._Element]:
    return iter(()) if element is None else element.iterfind(_path(path))


def _text(element: etree._Element | None, path: str) -> str:
    found = _find(element, path)
    return "" if found is None else " ".join("".join(str(part) for part in found.itertext()).split())


def _attribute(element: etree._Element | None, path: str, name: str) -> str:
    found = _find(element, path)
    return "" if found is None else found.get(name, "")


def _ids(element: etree._Element | None, tag: str = "id") -> tuple[Id, ...]:
    return tuple(
        Id(each.get("root", ""), each.get("extension", ""), each.get("assigningAuthorityName", ""))
        for each in _all(element, tag)
        if each.get("root")
    )


def _coded(element: etree._Element | None, path: str) -> Coded | None:
    found = _find(element, path)
    if found is None or not found.get("code"):
        return None
    return Coded(
        found.get("code", ""),
        found.get("codeSystem", ""),
        found.get("displayName", ""),
        found.get("codeSystemName", ""),
    )


def _time(element: etree._Element | None, path: str) -> str:
    found = _find(element, path)
    if found is None:
        return ""
    return found.get("value") or _attribute(found, "high", "value") or _attribute(found, "low", "value")


def _level(doc: etree._Element) -> str:
    if _find(doc, "component/structuredBody") is not None:
        return "N3"
    return "N1" if _find(doc, "component/nonXMLBody") is not None else ""


def _version(doc: etree._Element) -> int:
    written = _attribute(doc, "versionNumber", "value")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 1


def _related(element: etree._Element) -> RelatedDocument:
    ids = _ids(_find(element, "parentDocument"))
    return RelatedDocument(element.get("typeCode", ""), ids[0] if ids else None)


def _patient(role: etree._Element | None) -> Patient:
    if role is None:
        return Patient()
    person = _find(role, "patient")
    families = _qualified(person, "name/family")
    givens = _qualified(person, "name/given")
    return Patient(
        ids=_ids(role),
        family_birth=families.get("BR", ""),
        family_used=families.get("CL", "") or families.get("SP", ""),
        family_plain=families.get("", ""),
        given_list=givens.get("", ""),
        given_birth=givens.get("BR", ""),
        given_used=givens.get("CL", ""),
        gender=_attribute(person, "administrativeGenderCode", "code"),
        birth_time=_attribute(person, "birthTime", "value"),
        birth_place=_text(person, "birthplace/place/addr/county"),
        telecoms=_telecoms(role),
    )


def _qualified(person: etree._Element | None, path: str) -> dict[str, str]:
    """Return the parts of a name by qualifier; several of one kind are joined by a space."""
    parts: dict[str, str] = {}
    for each in _all(person, path):
        text = " ".join("".join(str(part) for part in each.itertext()).split())
        for qualifier in (each.get("qualifier") or "").split() or [""]:
            parts[qualifier] = f"{parts[qualifier]} {text}" if parts.get(qualifier) else text
    return parts


def _telecoms(element: etree._Element | None) -> tuple[str, ...]:
    return tuple(each.get("value", "") for each in _all(element, "telecom") if each.get("value"))


def _person(element: etree._Element | None) -> Person | None:
    name = _find(element, "name")
    if name is None:
        return None
    return Person(_text(name, "family"), _text(name, "given"), _text(name, "prefix"), _text(name, "suffix"))


def _organization(element: etree._Element | None) -> Organization | None:
    if element is None:
        return None
    return Organization(_ids(element), _text(element, "name"), _coded(element, "standardIndustryClassCode"))


_ROLES = ("assignedEntity", "associatedEntity", "intendedRecipient", "assignedAuthor")
_PERSONS = ("assignedPerson", "associatedPerson", "informationRecipient")
_STRUCTURES = ("representedOrganization", "scopingOrganization", "receivedOrganization")


def _first(element: etree._Element | None, tags: tuple[str, ...]) -> etree._Element | None:
    return next((found for tag in tags if (found := _find(element, tag)) is not None), None)


def _participant(element: etree._Element) -> Participant:
    role = _first(element, _ROLES)
    return Participant(
        ids=_ids(role),
        time=_time(element, "time"),
        code=_coded(role, "code"),
        person=_person(_first(role, _PERSONS)),
        organization=_organization(_first(role, _STRUCTURES)),
        telecoms=_telecoms(role),
        type_code=element.get("typeCode", ""),
        function=_coded(element, "functionCode"),
    )


def _author(element: etree._Element) -> Author:
    base = _participant(element)
    device = _find(element, "assignedAuthor/assignedAuthoringDevice")
    return Author(
        ids=base.ids,
        time=base.time,
        code=base.code,
        person=base.person,
        organization=base.organization,
        telecoms=base.telecoms,
        type_code=base.type_code,
        function=base.function,
        device=_text(device, "softwareName"),
        device_model=_text(device, "manufacturerModelName"),
    )


def _service_event(element: etree._Element) -> ServiceEvent:
    status = element.find(f"{{{LAB}}}statusCode")
    performer = _find(element, "performer")
    return ServiceEvent(
        ids=_ids(element),
        code=_coded(element, "code"),
        status="" if status is None else status.get("code", ""),
        low=_attribute(element, "effectiveTime/low", "value") or _attribute(element, "effectiveTime", "value"),
        high=_attribute(element, "effectiveTime/high", "value"),
        performer=None if performer is None else _participant(performer),
    )


def _encounter(element: etree._Element | None) -> Encounter | None:
    if element is None:
        return None
    responsible = _find(element, "responsibleParty")
    return Encounter(
        ids=_ids(element),
        code=_coded(element, "code"),
        low=_attribute(element, "effectiveTime/low", "value") or _attribute(element, "effectiveTime", "value"),
        high=_attribute(element, "effectiveTime/high", "value"),
        facility=_coded(element, "location/healthCareFacility/code"),
        responsible=None if responsible is None else _participant(responsible),
    )
