"""Own checks on the header: identifiers, patient, who answers for the document."""

import re
from collections.abc import Iterator

from labohub.standards.cda import Header
from labohub.standards.cda.names import CR_BIO, INS_OIDS

_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_TIME = re.compile(r"\d{14}[+-]\d{4}")
_MATRICULE = re.compile(r"[123478]\d{4}(\d{2}|2[AB])\d{8}")
_MAX_ID = 64  # of the DMP, for id/@root
_RELATIONS = frozenset({"RPLC", "XFRM"})

Problem = tuple[str, str, str]  # rule, place, message


def header_problems(header: Header) -> Iterator[Problem]:
    """Yield what is wrong with a header."""
    yield from _document(header)
    yield from _versions(header)
    yield from _patient(header)
    yield from _ins(header)
    yield from _people(header)


def _document(header: Header) -> Iterator[Problem]:
    if not _OID.fullmatch(header.id.root):
        yield "id-oid", "/ClinicalDocument/id", "the document's id must be an OID in @root"
    if header.id.extension:
        yield "id-extension", "/ClinicalDocument/id", "the document's id has an @extension: the DMP refuses it"
    if len(header.id.root) > _MAX_ID:
        yield "id-length", "/ClinicalDocument/id", f"the document's id is longer than {_MAX_ID} characters"
    if not header.code.code:
        yield "code", "/ClinicalDocument/code", "the document has no type"
    if not _TIME.fullmatch(header.effective_time):
        yield "effective-time", "/ClinicalDocument/effectiveTime", "the date must go to the second, with its offset"
    if header.language and header.language != "fr-FR":
        yield "language", "/ClinicalDocument/languageCode", "the language is not fr-FR"
    if not header.level:
        yield "body", "/ClinicalDocument/component", "the document has no body"
    if header.level == "N3" and any(each.root == CR_BIO and not each.extension for each in header.template_ids):
        yield "edition", "/ClinicalDocument/templateId", "the template of the CR-BIO volet has no version"


def _versions(header: Header) -> Iterator[Problem]:
    relation = "/ClinicalDocument/relatedDocument"
    if header.replaces and header.replaces.oid == header.id.oid:
        yield "replaces-itself", relation, "the document replaces itself"
    if header.replaces and header.version_number < 2:
        yield "version", "/ClinicalDocument/versionNumber", "a document that replaces another has a version above 1"
    if not header.replaces and header.version_number > 1:
        yield "version-alone", "/ClinicalDocument/versionNumber", "a version above 1 replaces no document"
    if any(each.type_code not in _RELATIONS for each in header.related):
        yield "relation", relation, "a relation that is neither a replacement nor a transformation"


def _patient(header: Header) -> Iterator[Problem]:
    place = "/ClinicalDocument/recordTarget/patientRole"
    patient = header.patient
    if not (patient.family_birth or patient.family_plain or patient.family_used):
        yield "patient-name", place, "the patient has no name"
    if not re.fullmatch(r"\d{8}.*", patient.birth_time):
        yield "patient-birth", place, "the patient has no full birth date"


def _ins(header: Header) -> Iterator[Problem]:
    """Yield what is wrong with the matricule. Source: référentiel INS, formats and control key."""
    role = "/ClinicalDocument/recordTarget/patientRole"
    place, patient = f"{role}/id", header.patient
    ins = patient.ins(INS_OIDS)
    if ins is None:
        yield "ins-absent", role, "no INS: the document cannot go to the DMP"
        return
    if len({(each.root, each.extension) for each in patient.ids if each.root in INS_OIDS}) > 1:
        yield "ins-several", place, "two matricules: whose report is it?"
    if not _MATRICULE.fullmatch(ins.extension):
        yield "ins-form", place, "a matricule has 15 characters, its key included"
    elif not _key_fits(ins.extension):
        yield "ins-key", place, "the key of the matricule is wrong"
    if not patient.family_birth:
        yield "ins-traits", f"{role}/patient/name", "a matricule goes with the birth name (family BR)"


def _key_fits(matricule: str) -> bool:
    body = matricule[:13].replace("2A", "19", 1).replace("2B", "18", 1) if matricule[6].isalpha() else matricule[:13]
    return int(matricule[13:]) == 97 - int(body) % 97


def _people(header: Header) -> Iterator[Problem]:
    if header.legal_authenticator is None or not header.legal_authenticator.ids:
        yield "signatory", "/ClinicalDocument/legalAuthenticator", "nobody answers for the document"
    if header.custodian is None or not header.custodian.ids:
        yield "custodian", "/ClinicalDocument/custodian", "no structure keeps the document"
    if not header.authors:
        yield "author", "/ClinicalDocument/author", "the document has no author"
    if _lone_subcontractor(header):
        place = "/ClinicalDocument/documentationOf/serviceEvent/performer"
        yield "lone-subcontractor", place, "the laboratory that performed is not the one that keeps the document"


def _lone_subcontractor(header: Header) -> bool:
    """Return whether the report looks like that of a subcontractor alone: it performed and signs, another one keeps.

    Nothing in a CDA tells it for certain: hence a warning, which an installation may make an error.
    """
    act = header.main_act
    performer = act.performer.organization if act and act.performer else None
    if performer is None or header.custodian is None or not performer.ids or not header.custodian.ids:
        return False
    return not {each.extension for each in performer.ids} & {each.extension for each in header.custodian.ids}
