"""Metadata of a submission as values, before any wire form."""

from dataclasses import dataclass, field

from labohub.standards.xds.values import Coded, Cx, Xcn, Xon


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote, and for which structure. `specialty` is a code of JDV_J01, `role` a plain label."""

    person: Xcn | None = None
    institution: Xon | None = None
    specialty: Coded | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class SourcePatient:
    """The traits that travel with an entry (sourcePatientInfo). Date: YYYYMMDD."""

    birth_name: str = ""
    given_name: str = ""
    used_name: str = ""
    birth_date: str = ""
    sex: str = ""
    birth_place: str = ""  # COG code


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One document's metadata. Times are in UTC, as XDS writes them; `entry_id` is symbolic."""

    entry_id: str
    unique_id: str
    patient_id: Cx | None
    mime_type: str
    creation_time: str
    language: str
    title: str
    sha1: str  # 40 lower-case hexadecimal digits, over the exact bytes
    size_bytes: int
    authors: tuple[Author, ...]
    class_code: Coded | None
    type_code: Coded | None
    format_code: Coded | None
    facility_code: Coded | None
    practice_code: Coded | None
    confidentiality: tuple[Coded, ...]
    source_patient_id: Cx | None = None
    source_patient: SourcePatient = field(default_factory=SourcePatient)
    legal_authenticator: Xcn | None = None
    service_start: str = ""
    service_stop: str = ""
    event_codes: tuple[Coded, ...] = ()
    comments: str = ""
    uri: str = ""  # the file's name in an XDM archive; never sent to a registry

    def missing(self) -> tuple[str, ...]:
        """Return the names of the required attributes that have no value."""
        required: dict[str, object] = {
            "patientId": self.patient_id,
            "sourcePatientId": self.source_patient_id,
            "uniqueId": self.unique_id,
            "creationTime": self.creation_time,
            "languageCode": self.language,
            "title": self.title,
            "legalAuthenticator": self.legal_authenticator,
            "serviceStartTime": self.service_start,
            "author": self.authors,
            "classCode": self.class_code,
            "typeCode": self.type_code,
            "formatCode": self.format_code,
            "confidentialityCode": self.confidentiality,
            "healthcareFacilityTypeCode": self.facility_code,
            "practiceSettingCode": self.practice_code,
        }
        return tuple(name for name, value in required.items() if not value)


@dataclass(frozen=True, slots=True)
class SubmissionSet:
    """The lot: who sends, for whom, when. `source_id` is the OID of the installation."""

    unique_id: str
    source_id: str
    patient_id: Cx
    author: Author
    content_type: Coded
    submission_time: str
    title: str = ""
    comments: str = ""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A new entry takes the place of a registered one."""

    entry_id: str
    replaced_uuid: str  # the entryUUID the registry gave, with its urn:uuid: prefix


@dataclass(frozen=True, slots=True)
class Submission:
    """A lot and what is in it. `signature` is the entry of the lot's signature, one of the members."""

    submission_set: SubmissionSet
    entries: tuple[DocumentEntry, ...]
    signature: DocumentEntry | None = None
    replacements: tuple[Replacement, ...] = ()
