"""From the header of a CDA to the metadata of its entry."""

import hashlib
from collections.abc import Sequence
from typing import Final

from labohub.standards.cda import facts as cda
from labohub.standards.cda.names import CR_BIO, IHE_LAB_REPORT, INS_OIDS, PROFESSIONALS, STRUCTURES
from labohub.standards.xds import codes
from labohub.standards.xds.model import Author, DocumentEntry, SourcePatient
from labohub.standards.xds.values import Coded, Cx, Xcn, Xon, to_utc

_MAX_TITLE_CHARACTERS: Final = 128  # what registries accept without loss


def from_cda(
    header: cda.Header,
    content: bytes,
    *,
    entry_id: str = "Document01",
    masks: Sequence[str] = (),
    uri: str = "",
    practice_code: Coded | None = None,
    facility_code: Coded | None = None,
) -> DocumentEntry:
    """Return the entry of a document; `DocumentEntry.missing` names what its header did not say.

    Args:
        content: the exact bytes that will be sent: hash and size are theirs.
        masks: visibility codes to add (MASQUE_PS, INVISIBLE_PATIENT, INVISIBLE_REPRESENTANTS_LEGAUX).
        practice_code, facility_code: taken when the header has none.
    Raises:
        MetadataMalformed: a time is not an HL7 time.
    Source: CI-SIS, Structuration minimale 1.16, and the header-to-XDS table of its transmission guides.
    """
    act, encounter = header.main_act, header.encounter
    performer = act.performer.organization if act and act.performer else None
    patient_id = _ins(header.patient)
    local_id = _local(header.patient)
    return DocumentEntry(
        entry_id=entry_id,
        unique_id=header.id.oid,
        patient_id=patient_id or local_id,
        mime_type=header.media_type,
        creation_time=to_utc(header.effective_time),
        language=header.language,
        title=header.title[:_MAX_TITLE_CHARACTERS],
        sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        size_bytes=len(content),
        authors=tuple(author_of(each) for each in header.authors),
        class_code=codes.find("classCode", header.code.code),
        type_code=_coded(header.code, "typeCode"),
        format_code=_format(header),
        facility_code=_coded(encounter.facility if encounter else None, "facility") or facility_code,
        practice_code=_coded(performer.industry if performer else None, "practice") or practice_code,
        confidentiality=_confidentiality(header, masks),
        source_patient_id=local_id or patient_id,
        source_patient=_traits(header.patient),
        legal_authenticator=person_of(header.legal_authenticator) if header.legal_authenticator else None,
        service_start=to_utc(act.low if act else "") or to_utc(encounter.low if encounter else ""),
        service_stop=to_utc(act.high if act else ""),
        uri=uri,
    )


def author_of(author: cda.Author) -> Author:
    """Return an author of the document as the metadata names it."""
    return Author(
        person=person_of(author),
        institution=_structure(author.organization),
        specialty=_coded(author.code, "specialty"),
        role=author.function.label if author.function else "",
    )


def person_of(participant: cda.Participant) -> Xcn | None:
    """Return a person, or the system that wrote, as an XCN; None without identifier."""
    if not participant.ids:
        return None
    chosen = next((each for each in participant.ids if each.root == PROFESSIONALS), participant.ids[0])
    value, authority = chosen.extension or chosen.root, chosen.root
    if isinstance(participant, cda.Author) and participant.person is None and participant.device:
        return Xcn(value, participant.device, participant.device_model, authority, "RI")
    person = participant.person or cda.Person()
    national = chosen.root == PROFESSIONALS and "/" not in value
    return Xcn(value, person.family, person.given, authority, "IDNPS" if national else "EI")


def _structure(organization: cda.Organization | None) -> Xon | None:
    if organization is None:
        return None
    national = next((each for each in organization.ids if each.root == STRUCTURES), None)
    if national:
        return Xon(organization.name, national.extension)
    return Xon(organization.name) if organization.name else None


def _ins(patient: cda.Patient) -> Cx | None:
    found = patient.ins(INS_OIDS)
    return Cx(found.extension, found.root, "NH") if found else None


def _local(patient: cda.Patient) -> Cx | None:
    found = next((each for each in patient.ids if each.root not in INS_OIDS and each.extension), None)
    return Cx(found.extension, found.root, "PI") if found else None


def _traits(patient: cda.Patient) -> SourcePatient:
    return SourcePatient(
        birth_name=patient.family_birth or patient.family_plain,
        given_name=patient.given_birth or patient.given_list,
        used_name=patient.family_used,
        birth_date=patient.birth_time[:8],
        sex=patient.gender if patient.gender in ("F", "M") else ("U" if patient.gender else ""),
        birth_place=patient.birth_place,
    )


def _coded(value: cda.Coded | None, attribute: str) -> Coded | None:
    if value is None or not value.code:
        return None
    known = codes.find(attribute, value.code)
    label = value.label or (known.label if known else value.code)
    return Coded(value.code, value.system or (known.system if known else ""), label)


def _confidentiality(header: cda.Header, masks: Sequence[str]) -> tuple[Coded, ...]:
    level = _coded(header.confidentiality, "confidentialityCode")
    return (*((level,) if level else ()), *(codes.get("confidentialityCode", mask) for mask in masks))


def _format(header: cda.Header) -> Coded | None:
    if header.level == "N1":
        return codes.get("formatCode", "N1")
    if any(each.root in (CR_BIO, IHE_LAB_REPORT) for each in header.template_ids):
        return codes.get("formatCode", "N3")
    return None
