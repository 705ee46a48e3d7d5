"""The metadata of a lot as the DMP checks them, read straight from the ebRIM."""

import hashlib
import re
from dataclasses import dataclass

from lxml import etree

from labosim.dmp.rejections import RegistryError

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
XDS = "urn:ihe:iti:xds-b:2007"
XOP = "http://www.w3.org/2004/08/xop/include"
HL7 = "urn:hl7-org:v3"
R = f"{{{RIM}}}"
_PATIENT = re.compile(
    r"([1-8][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6})([0-9]{2})\^\^\^&(1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11))&ISO\^NH"
)
_PERSON = re.compile(r"[^^]+\^[^^]*\^[^^]*\^{6}&[0-9.]+&ISO\^[DU]\^\^\^(IDNPS|EI|RI)")
_STRUCTURE = re.compile(r"[^^]*\^{5}&1\.2\.250\.1\.71\.4\.2\.2&ISO\^IDNST\^\^\^([0-9A-Z]+)")
_TIME = re.compile(r"[0-9]{8}([0-9]{4}([0-9]{2})?)?")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
SUBMISSION_SET = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
SET_PATIENT, SET_SOURCE, SET_UNIQUE = (
    "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446",
    "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832",
    "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8",
)
SET_AUTHOR = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
SET_CONTENT = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
PATIENT, UNIQUE = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
AUTHOR = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
FORMAT = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
CONFIDENTIALITY = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
CODES = {
    "classCode": "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a",
    "typeCode": "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983",
    "formatCode": FORMAT,
    "healthcareFacilityTypeCode": "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "practiceSettingCode": "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead",
}
SLOTS = ("creationTime", "languageCode", "legalAuthenticator", "serviceStartTime", "sourcePatientId", "hash", "size")
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS = "urn:ihe:iti:2007:AssociationType:signs"
RPLC = "urn:ihe:iti:2007:AssociationType:RPLC"
UPDATE_STATUS = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
DSG_FORMAT = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True)
class Entry:
    """An entry of a lot with its document."""

    local_id: str
    unique_id: str
    patient: str
    format_code: str
    structures: frozenset[str]
    content: bytes
    sha1: str
    mime_type: str

    @property
    def is_signature(self) -> bool:
        return self.format_code == DSG_FORMAT


@dataclass(frozen=True)
class Lot:
    """A lot as it was sent."""

    unique_id: str
    patient: str
    entries: tuple[Entry, ...]
    associations: tuple[tuple[str, str, str], ...]  # type, source, target


def bad(text: str, code: str = "XDSRepositoryMetadataError") -> RegistryError:
    """Return the error for wrong metadata."""
    return RegistryError(code, text)


def read_lot(request: etree._Element, attachments: dict[str, bytes]) -> Lot:
    """Return the lot of an ITI-41 request, each of its values checked. Raises: RegistryError."""
    objects = request.find(f".//{R}RegistryObjectList")
    if request.tag != f"{{{XDS}}}ProvideAndRegisterDocumentSetRequest" or objects is None:
        raise bad("ProvideAndRegisterDocumentSetRequest attendu")
    _unique_ids(objects)
    unique_id, patient, set_id = read_set(objects)
    contents = _documents(request, attachments)
    entries = tuple(_entry(each, contents, patient) for each in objects.iterfind(f"{R}ExtrinsicObject"))
    if {entry.local_id for entry in entries} != set(contents):
        raise bad("document sans métadonnées", "XDSMissingDocumentMetadata")
    uniques = [entry.unique_id for entry in entries] + [unique_id]
    if len(set(uniques)) != len(uniques):
        raise bad("uniqueId répété", "XDSRepositoryDuplicateUniqueIdInMessage")
    associations = tuple(
        (each.get("associationType", ""), each.get("sourceObject", ""), each.get("targetObject", ""))
        for each in objects.iterfind(f"{R}Association")
    )
    members = {target for kind, source, target in associations if (kind, source) == (HAS_MEMBER, set_id)}
    if members != {entry.local_id for entry in entries}:
        raise bad("HasMember attendu pour chaque document")
    signatures = [entry for entry in entries if entry.is_signature]
    if len(signatures) != 1 or (SIGNS, signatures[0].local_id, set_id) not in associations:
        raise bad("un lot TD2.1 porte une et une seule signature")
    return Lot(unique_id, patient, entries, associations)


def read_set(objects: etree._Element) -> tuple[str, str, str]:
    """Return uniqueId, patient and local id of the submission set, checked. Raises: RegistryError."""
    packages = objects.findall(f"{R}RegistryPackage")
    if len(packages) != 1:
        raise bad("un lot de soumission attendu")
    package = packages[0]
    if not any(each.get("classificationNode") == SUBMISSION_SET for each in package.iter(f"{R}Classification")):
        raise bad("le paquet n'est pas un lot de soumission")
    if len(slot(package, "submissionTime")[0]) != 14:
        raise bad("submissionTime")
    if not slot(_classification(package, SET_AUTHOR)[0], "authorPerson")[0]:
        raise bad("auteur du lot")
    _coded(package, SET_CONTENT, "contentTypeCode")
    if not _OID.fullmatch(identifier(package, SET_SOURCE)):
        raise bad("sourceId")
    patient = identifier(package, SET_PATIENT)
    _check_patient(patient)
    return _oid(identifier(package, SET_UNIQUE)), patient, package.get("id", "")


def _entry(extrinsic: etree._Element, contents: dict[str, bytes], patient: str) -> Entry:
    local_id = extrinsic.get("id", "")
    content = contents.get(local_id)
    if content is None:
        raise bad("métadonnées sans document", "XDSMissingDocument")
    _check_slots(extrinsic)
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not _SHA1.fullmatch(slot(extrinsic, "hash")[0]) or slot(extrinsic, "hash")[0] != sha1:
        raise bad("hash différent du document", "XDSNonIdenticalHash")
    if slot(extrinsic, "size")[0] != str(len(content)):
        raise bad("size différent du document", "XDSNonIdenticalSize")
    if identifier(extrinsic, PATIENT) != patient:
        raise bad("patientId différent de celui du lot", "XDSPatientIdDoesNotMatch")
    for name, scheme in CODES.items():
        _coded(extrinsic, scheme, name)
    _visibility(extrinsic)
    structures = set()
    for author in _classification(extrinsic, AUTHOR):
        for value in slot(author, "authorInstitution"):
            found = _STRUCTURE.fullmatch(value)
            if found:
                structures.add(found[1])
    format_code = _classification(extrinsic, FORMAT)[0].get("nodeRepresentation", "")
    unique_id = _oid(identifier(extrinsic, UNIQUE))
    if extrinsic.find(f"{R}Name/{R}LocalizedString") is None:
        raise bad("titre absent")
    mime_type = extrinsic.get("mimeType", "")
    return Entry(local_id, unique_id, patient, format_code, frozenset(structures), content, sha1, mime_type)


def _check_slots(extrinsic: etree._Element) -> None:
    for name in SLOTS:
        if not slot(extrinsic, name)[0]:
            raise bad(f"{name} absent")
    for name in ("creationTime", "serviceStartTime"):
        if not _TIME.fullmatch(slot(extrinsic, name)[0]):
            raise bad(f"{name} : heure UTC sans décalage attendue")
    if not _PERSON.fullmatch(slot(extrinsic, "legalAuthenticator")[0]):
        raise bad("legalAuthenticator")


def _visibility(extrinsic: etree._Element) -> None:
    codes = [each.get("nodeRepresentation") for each in _classification(extrinsic, CONFIDENTIALITY)]
    signature = _classification(extrinsic, FORMAT)[0].get("nodeRepresentation") == DSG_FORMAT
    if codes[0] not in ("N", "R", "V"):
        raise bad("premier confidentialityCode")
    if signature and set(codes) != {"N", "MASQUE_PS", "INVISIBLE_PATIENT"}:
        raise bad("confidentialité de la signature")
    if not signature and {"MASQUE_PS", "INVISIBLE_PATIENT"} <= set(codes):
        raise bad("MASQUE_PS et INVISIBLE_PATIENT ne se cumulent pas")


def _documents(request: etree._Element, attachments: dict[str, bytes]) -> dict[str, bytes]:
    contents = {}
    for document in request.iterfind(f"{{{XDS}}}Document"):
        include = document.find(f"{{{XOP}}}Include")
        href = "" if include is None else include.get("href", "")
        if not href.startswith("cid:") or href[4:] not in attachments:
            raise bad("partie MTOM introuvable", "XDSMissingDocument")
        contents[document.get("id", "")] = attachments[href[4:]]
    return contents


def _unique_ids(objects: etree._Element) -> None:
    ids = [each.get("id") for each in objects.iter() if each.get("id")]
    if len(set(ids)) != len(ids):
        raise bad("id répété dans la liste d'objets")


def slot(element: etree._Element, name: str) -> list[str]:
    """Return the values of a slot; one empty text without it."""
    for each in element.iterfind(f"{R}Slot"):
        if each.get("name") == name:
            return [value.text or "" for value in each.iterfind(f"{R}ValueList/{R}Value")] or [""]
    return [""]


def identifier(element: etree._Element, scheme: str) -> str:
    """Return the value of an external identifier. Raises: RegistryError when there is not exactly one."""
    found = [
        each.get("value", "")
        for each in element.iterfind(f"{R}ExternalIdentifier")
        if each.get("identificationScheme") == scheme
    ]
    if len(found) != 1:
        raise bad("identifiant externe absent ou répété")
    return found[0]


def _classification(element: etree._Element, scheme: str) -> list[etree._Element]:
    found = [each for each in element.iterfind(f"{R}Classification") if each.get("classificationScheme") == scheme]
    if not found:
        raise bad("classification absente")
    return found


def _coded(element: etree._Element, scheme: str, name: str) -> None:
    found = _classification(element, scheme)
    system = slot(found[0], "codingScheme")[0]
    label = found[0].find(f"{R}Name/{R}LocalizedString")
    if len(found) != 1 or not found[0].get("nodeRepresentation") or not system or system.startswith("urn:oid:"):
        raise bad(f"{name} : un code et un système attendus")
    if label is None or not label.get("value"):
        raise bad(f"{name} : libellé attendu")


def _check_patient(patient: str) -> None:
    found = _PATIENT.fullmatch(patient)
    if found is None:
        raise bad("patientId n'est pas un INS en CX", "XDSUnknownPatientId")
    corsica = {"2A": "19", "2B": "18"}
    number = found[1][:5] + corsica.get(found[1][5:7], found[1][5:7]) + found[1][7:]
    if 97 - int(number) % 97 != int(found[2]):
        raise bad("clé de l'INS", "XDSUnknownPatientId")


def _oid(text: str) -> str:
    if len(text) > 64 or not _OID.fullmatch(text):
        raise bad("uniqueId : OID de 64 caractères au plus, sans extension", "XDSDocumentUniqueIdError")
    return text
