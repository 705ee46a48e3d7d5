"""Documents that come by mail: unpacked in memory, checked, ready for the software of the laboratory or the hospital.

The patient is who METADATA.XML and the document name, never who the subject names. One defect, and nothing of the mail
is integrated: a person decides of all of it.

Source: ECO.2.1.2; ANS volet "Transmission au LPS de documents CDA provenant d'un courriel MSSanté" 1.1.
"""

import hashlib
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr

from labohub.errors import Refused
from labohub.standards.cda import CdaMalformed, Header, read_header
from labohub.standards.cda.names import INS_OIDS
from labohub.standards.hl7.tables import APPLICATION_ERROR
from labohub.standards.mail import ARCHIVE_NAME, same_address
from labohub.standards.mail_reading import addresses, body_text, content, file_name, header, message_ids, parts
from labohub.standards.xdm import XdmContent, read_submissions
from labohub.standards.xdm_metadata import Action, ReceivedEntry, read_entries
from labohub.standards.xml import XmlMalformed, parse

MASKS = {
    "MASQUE_PS": "MASQUE_PS",
    "INVISIBLE_PATIENT": "INVISIBLE_PATIENT",
    "INVISIBLE_REPRESENTANTS_LEGAUX": "INVISIBLE_REP_LEGAUX",
}
NOT_PRODUCTION = frozenset(("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"))
UNKNOWN_PATIENT, NO_INS, OTHER_INS, INCOMPLETE_INS, OTHER = "902", "903", "904", "905", "906"
MAX_TEXT_CHARACTERS = 50_000  # of the mail's own words, carried in the MDM


class NotIntegrated(Refused):
    """A mail whose documents are not for a machine to integrate. `error` is of table 0533; `detail` is our code."""

    code = "mss.not-integrated"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(f"not integrated: {error} {detail}")
        self.error = error
        self.detail = detail

    @property
    def label(self) -> str:
        """The label of the error."""
        return APPLICATION_ERROR.get(self.error, APPLICATION_ERROR[OTHER])


@dataclass(frozen=True, slots=True)
class IncomingDocument:
    """One document of the mail, byte for byte."""

    content: bytes
    header: Header
    action: Action
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Letter:
    """What the head of the mail says, for the MDM and for the notice."""

    message_id: str
    subject: str
    text: str
    sender: str
    asks_notice_at: str  # Disposition-Notification-To; empty when no notice is asked for
    may_be_answered: bool  # by a machine


def read_letter(message: Message) -> Letter:
    """Return the head of a mail. A machine answers neither a machine nor a mail that has no way back.

    Source: RFC 8098 2.1, RFC 3834.
    """
    return_path = parseaddr(header(message, "Return-Path"))[1]
    asked = next(iter(addresses(message, "Disposition-Notification-To")), "")
    submitted = header(message, "Auto-Submitted").split(";")[0].strip().lower()
    return Letter(
        message_id=next(iter(message_ids(header(message, "Message-ID"))), ""),
        subject=header(message, "Subject"),
        text=body_text(message)[:MAX_TEXT_CHARACTERS],
        sender=next(iter(addresses(message, "From")), ""),
        asks_notice_at=asked if asked and same_address(asked, return_path) else "",
        may_be_answered=bool(return_path) and submitted in ("", "no") and "List-Id" not in message,
    )


def read_documents(message: Message, *, production: bool) -> tuple[IncomingDocument, ...]:
    """Return the documents of a mail, in the order of METADATA.XML.

    Raises:
        NotIntegrated: no sound archive, a document that is not what is said of it, or a patient who is not certain.
    """
    archives = [content(part) for part in parts(message) if file_name(part).lower().endswith(".zip")]
    named = [content(part) for part in parts(message) if file_name(part).lower() == ARCHIVE_NAME.lower()]
    chosen = named or archives
    if len(chosen) != 1:
        raise NotIntegrated(OTHER, "mss.not-one-archive")
    try:
        documents = [each for found in read_submissions(chosen[0]) for each in _submission(found)]
    except (XmlMalformed, CdaMalformed) as error:
        raise NotIntegrated(OTHER, error.code) from None
    except NotIntegrated:
        raise
    except Refused as error:
        raise NotIntegrated(OTHER, error.code) from None
    if not documents:
        raise NotIntegrated(OTHER, "mss.no-document")
    _one_patient(documents, production=production)
    return tuple(documents)


def document_ids(documents: tuple[IncomingDocument, ...]) -> frozenset[str]:
    """Return the identifiers of documents."""
    return frozenset(each.header.id.oid for each in documents)


def _submission(found: XdmContent) -> list[IncomingDocument]:
    return [_document(entry, found) for entry in read_entries(parse(found.metadata))]


def _document(entry: ReceivedEntry, found: XdmContent) -> IncomingDocument:
    by_name = {name.lower(): body for name, body in found.documents.items()}
    body = by_name.get(entry.uri.lower()) if entry.uri else None
    if body is None:
        raise NotIntegrated(OTHER, "mss.document-absent")
    if entry.sha1 and entry.sha1 != hashlib.sha1(body, usedforsecurity=False).hexdigest():
        raise NotIntegrated(OTHER, "mss.document-altered")
    if entry.size_bytes and entry.size_bytes != str(len(body)):
        raise NotIntegrated(OTHER, "mss.document-altered")
    cda = read_header(parse(body))
    if entry.unique_id and entry.unique_id != cda.id.oid:
        raise NotIntegrated(OTHER, "mss.document-identifier")
    flags = frozenset(MASKS[mask] for mask in entry.masks if mask in MASKS)
    if "MASQUE_PS" in flags:  # 13.1: the software must not get it by this way
        raise NotIntegrated(OTHER, "mss.masked-from-professionals")
    _patient_of(cda, entry)
    return IncomingDocument(body, cda, entry.action, flags)


def _patient_of(cda: Header, entry: ReceivedEntry) -> None:
    """Return when the document and its metadata name one patient, by a complete INS."""
    ins = cda.patient.ins(INS_OIDS)
    if ins is None or not ins.extension:
        raise NotIntegrated(NO_INS, "mss.no-ins")
    said = entry.patient_id.replace("&amp;", "&").split("^")
    if said[0] and ins.extension != said[0]:
        raise NotIntegrated(OTHER_INS, "mss.identity-mismatch")
    patient = cda.patient
    names = (patient.family_birth or patient.family_plain, patient.given_birth or patient.given_list)
    if not all((*names, patient.birth_time, patient.gender)):
        raise NotIntegrated(INCOMPLETE_INS, "mss.traits-incomplete")


def _one_patient(documents: list[IncomingDocument], *, production: bool) -> None:
    identities = {each.header.patient.ins(INS_OIDS) for each in documents}
    if len({ins.extension for ins in identities if ins}) != 1:
        raise NotIntegrated(OTHER, "mss.several-patients")
    if production and any(ins.root in NOT_PRODUCTION for ins in identities if ins):
        raise NotIntegrated(OTHER, "mss.test-identity")
