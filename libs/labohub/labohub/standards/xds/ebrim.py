"""A submission in ebRIM 3.0: the registry objects of ITI-41 and of an XDM METADATA.XML."""

from collections.abc import Sequence
from typing import Final

from lxml import etree

from labohub.standards.xds import names
from labohub.standards.xds.model import Author, DocumentEntry, SourcePatient, Submission, SubmissionSet
from labohub.standards.xds.values import Coded, escaped

NSMAP: Final = {"rim": names.RIM, "lcm": names.LCM, "xds": names.XDS, "rs": names.RS, "query": names.QUERY}
SUBMISSION_SET: Final = "SubmissionSet01"
_R: Final = f"{{{names.RIM}}}"
_LANG: Final = f"{{{names.XML}}}lang"


def registry_objects(submission: Submission, *, for_xdm: bool) -> etree._Element:
    """Return the `rim:RegistryObjectList` of a submission.

    For an XDM archive each entry carries its URI and the used name and birth place; for a registry none of these,
    but the associations of signature and replacement.
    """
    root = etree.Element(_R + "RegistryObjectList", nsmap=NSMAP)
    writer = Writer(root)
    writer.submission_set(submission.submission_set)
    members = [*submission.entries, *([submission.signature] if submission.signature else [])]
    for entry in members:
        writer.entry(entry, for_xdm=for_xdm)
    for entry in members:
        writer.association(names.HAS_MEMBER, SUBMISSION_SET, entry.entry_id, SubmissionSetStatus="Original")
    if submission.signature:
        writer.association(names.SIGNS, submission.signature.entry_id, SUBMISSION_SET)
    for each in () if for_xdm else submission.replacements:
        writer.association(names.REPLACES, each.entry_id, each.replaced_uuid)
    return root


class Writer:
    """Writes registry objects below a list; numbers their inner identifiers.

    The schema imposes the order inside an object: slots, name, description, classifications, identifiers.
    """

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._count = 0

    def submission_set(self, value: SubmissionSet) -> None:
        """Write the submission set."""
        package = self._object("RegistryPackage", id=SUBMISSION_SET, objectType=names.REGISTRY_PACKAGE)
        _slot(package, "submissionTime", value.submission_time)
        _label(package, "Name", value.title)
        _label(package, "Description", value.comments)
        node = self._classification(package, "classificationNode", names.SUBMISSION_SET_NODE)
        del node.attrib["nodeRepresentation"]
        self._author(package, names.SET_AUTHOR, value.author)
        self._coded(package, names.SET_CONTENT_TYPE, value.content_type)
        self._identifier(package, names.SET_PATIENT_ID, "XDSSubmissionSet.patientId", value.patient_id.text())
        self._identifier(package, names.SET_SOURCE_ID, "XDSSubmissionSet.sourceId", value.source_id)
        self._identifier(package, names.SET_UNIQUE_ID, "XDSSubmissionSet.uniqueId", value.unique_id)

    def entry(self, entry: DocumentEntry, *, for_xdm: bool) -> None:
        """Write one document entry."""
        extrinsic = self._object(
            "ExtrinsicObject", id=entry.entry_id, mimeType=entry.mime_type, objectType=names.STABLE_DOCUMENT
        )
        for name, *values in _slots(entry, for_xdm):
            _slot(extrinsic, name, *values)
        _label(extrinsic, "Name", entry.title)
        _label(extrinsic, "Description", entry.comments)
        for author in entry.authors:
            self._author(extrinsic, names.AUTHOR, author)
        for scheme, codes in _codes(entry):
            for coded in codes:
                self._coded(extrinsic, scheme, coded)
        if entry.patient_id:
            self._identifier(extrinsic, names.PATIENT_ID, "XDSDocumentEntry.patientId", entry.patient_id.text())
        self._identifier(extrinsic, names.UNIQUE_ID, "XDSDocumentEntry.uniqueId", entry.unique_id)

    def association(self, kind: str, source: str, target: str, **slots: str) -> None:
        """Write an association between two objects."""
        element = self._object(
            "Association",
            id=self._id("association"),
            objectType=names.ASSOCIATION,
            associationType=kind,
            sourceObject=source,
            targetObject=target,
        )
        for name, value in slots.items():
            _slot(element, name, value)

    def _object(self, tag: str, **attributes: str) -> etree._Element:
        return etree.SubElement(self._root, _R + tag, attributes)

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _classification(self, parent: etree._Element, by: str, scheme: str, code: str = "") -> etree._Element:
        return etree.SubElement(
            parent,
            _R + "Classification",
            {
                "id": self._id("classification"),
                "objectType": names.CLASSIFICATION,
                by: scheme,
                "classifiedObject": parent.get("id", ""),
                "nodeRepresentation": code,
            },
        )

    def _coded(self, parent: etree._Element, scheme: str, coded: Coded) -> None:
        element = self._classification(parent, "classificationScheme", scheme, coded.code)
        _slot(element, "codingScheme", coded.system)
        _label(element, "Name", coded.label)

    def _author(self, parent: etree._Element, scheme: str, author: Author) -> None:
        element = self._classification(parent, "classificationScheme", scheme)
        _slot(element, "authorInstitution", author.institution.text() if author.institution else "")
        _slot(element, "authorPerson", author.person.text() if author.person else "")
        _slot(element, "authorRole", escaped(author.role))
        _slot(element, "authorSpecialty", author.specialty.ce() if author.specialty else "")

    def _identifier(self, parent: etree._Element, scheme: str, name: str, value: str) -> None:
        element = etree.SubElement(
            parent,
            _R + "ExternalIdentifier",
            {
                "id": self._id("identifier"),
                "objectType": names.EXTERNAL_IDENTIFIER,
                "identificationScheme": scheme,
                "registryObject": parent.get("id", ""),
                "value": value,
            },
        )
        _label(element, "Name", name)


def _slots(entry: DocumentEntry, for_xdm: bool) -> Sequence[tuple[str, ...]]:
    """Return the slots of an entry in alphabetical order; one without value is not written."""
    return (
        ("URI", entry.uri if for_xdm else ""),
        ("creationTime", entry.creation_time),
        ("hash", entry.sha1),
        ("languageCode", entry.language),
        ("legalAuthenticator", entry.legal_authenticator.text() if entry.legal_authenticator else ""),
        ("serviceStartTime", entry.service_start),
        ("serviceStopTime", entry.service_stop),
        ("size", str(entry.size_bytes)),
        ("sourcePatientId", entry.source_patient_id.text() if entry.source_patient_id else ""),
        ("sourcePatientInfo", *_traits(entry.source_patient, for_xdm)),
    )


def _codes(entry: DocumentEntry) -> Sequence[tuple[str, Sequence[Coded]]]:
    def one(coded: Coded | None) -> Sequence[Coded]:
        return (coded,) if coded else ()

    return (
        (names.CLASS_CODE, one(entry.class_code)),
        (names.CONFIDENTIALITY_CODE, entry.confidentiality),
        (names.EVENT_CODE, entry.event_codes),
        (names.FORMAT_CODE, one(entry.format_code)),
        (names.FACILITY_CODE, one(entry.facility_code)),
        (names.PRACTICE_CODE, one(entry.practice_code)),
        (names.TYPE_CODE, one(entry.type_code)),
    )


def _traits(patient: SourcePatient, for_xdm: bool) -> list[str]:
    given = escaped(patient.given_name)
    lines = [f"PID-5|{escaped(patient.birth_name)}^{given}^^^^^L"] if patient.birth_name else []
    if for_xdm and patient.used_name:
        lines.append(f"PID-5|{escaped(patient.used_name)}^{given}^^^^^D")
    if patient.birth_date:
        lines.append(f"PID-7|{patient.birth_date}")
    if patient.sex:
        lines.append(f"PID-8|{patient.sex}")
    if for_xdm and patient.birth_place:
        lines.append(f"PID-11|^^^^^^BDL^^{escaped(patient.birth_place)}")
    return lines


def _slot(parent: etree._Element, name: str, *values: str) -> None:
    kept = [value for value in values if value]
    if not kept:
        return
    lines = etree.SubElement(etree.SubElement(parent, _R + "Slot", {"name": name}), _R + "ValueList")
    for value in kept:
        etree.SubElement(lines, _R + "Value").text = value


def _label(parent: etree._Element, tag: str, value: str) -> None:
    if value:
        text = etree.SubElement(parent, _R + tag)
        etree.SubElement(text, _R + "LocalizedString", {"charset": "UTF8", "value": value, _LANG: "FR"})
