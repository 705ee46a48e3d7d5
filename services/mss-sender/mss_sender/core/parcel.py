"""The attachments of a document, made once and shared by the mails to all its recipients; and the mail itself.

Everything is derived from the planned mail and the documents: writing it again gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import DocumentFacts, IdentityStatus
from labohub.errors import Refused
from labohub.standards import mail as mails
from labohub.standards.cda import Header
from labohub.standards.cda.header import read_header
from labohub.standards.cda.names import INS_OIDS
from labohub.standards.xdm import XdmDocument, XdmSource, document_name, pack_xdm
from labohub.standards.xdm_metadata import metadata_xml
from labohub.standards.xds import DocumentEntry, Submission, SubmissionSet, author_of, from_cda, xds_time
from labohub.standards.xds.codes import content_type
from labohub.standards.xds.model import Author
from labohub.standards.xml import parse
from mss_sender.core.laboratory import Laboratory
from mss_sender.core.texts import body
from mss_sender.core.values import ACTIONS, PlannedMail

MAIL_BYTES_WITHOUT_ATTACHMENTS = 16 * 1024  # head and text, with room


class IdentityMismatch(Refused):
    """The document names another patient than the identity it travels with."""

    code = "mss.identity-mismatch"


class MatriculeNotQualified(Refused):
    """The document holds a matricule, but the identity is not qualifiée: it must not leave."""

    code = "mss.identity-not-qualified"


class PatientUnidentified(Refused):
    """Neither a matricule nor a local identifier: the receiver could not file the document."""

    code = "mss.patient-unidentified"


@dataclass(frozen=True, slots=True)
class Parcel:
    """The encoded attachments, and what the head of the mail says of them."""

    parts: tuple[bytes, ...]
    document_codes: tuple[str, ...]
    has_ins: bool

    @property
    def size_bytes(self) -> int:
        """The size of all attachments, encoded."""
        return sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one document, and of its PDF copy."""

    document: bytes
    pdf: bytes | None


def build_parcel(source: DocumentBuilt, contents: Sequence[Content], laboratory: Laboratory, at: datetime) -> Parcel:
    """Return the attachments of a report: one IHE_XDM.zip, and the PDF copy of each document.

    Args:
        contents: in the order of `source.documents`.
    Raises:
        IdentityMismatch, MatriculeNotQualified, PatientUnidentified: rules on the patient.
        XmlMalformed, CdaMalformed, MetadataMalformed: the document cannot be described.
    """
    headers = [read_header(parse(each.document)) for each in contents]
    for header in headers:
        _check_patient(header, source)
    entries = tuple(
        _entry(source, header, each.document, rank)
        for rank, (header, each) in enumerate(zip(headers, contents, strict=True), start=1)
    )
    documents = [
        XdmDocument(document_name(rank), each.document, built.facts.title or built.facts.code_label)
        for rank, (each, built) in enumerate(zip(contents, source.documents, strict=True), start=1)
    ]
    author = author_of(headers[0].authors[0]) if headers[0].authors else Author()
    submission = Submission(_submission_set(source, entries[0], author, laboratory, at), entries)
    archive = pack_xdm(
        documents,
        metadata_xml(submission, ACTIONS[source.report.request]),
        XdmSource(laboratory.name, laboratory.contact, laboratory.application, laboratory.editor),
        at,
    )
    parts = [mails.encode_attachment(mails.ARCHIVE_NAME, "application/zip", archive)]
    for each, built in zip(contents, source.documents, strict=True):
        if each.pdf is not None:
            parts.append(mails.encode_attachment(_pdf_name(source, built.facts), "application/pdf", each.pdf))
    codes = tuple(built.facts.code for built in source.documents)
    has_ins = all(header.patient.ins(INS_OIDS) for header in headers) and _has_traits(source)
    return Parcel(tuple(parts), codes, has_ins)


def _check_patient(header: Header, source: DocumentBuilt) -> None:
    named = header.patient.ins(INS_OIDS)
    qualified = source.identity.ins if source.identity.status is IdentityStatus.QUALIFIEE else None
    if named and qualified is None:
        raise MatriculeNotQualified("a matricule in the document of an identity that is not qualified")
    if named and qualified and named.extension != qualified.matricule:
        raise IdentityMismatch("the document's matricule is not the identity's")


def _entry(source: DocumentBuilt, header: Header, document: bytes, rank: int) -> DocumentEntry:
    entry = from_cda(header, document, entry_id=f"Document{rank:02d}", masks=_masks(source), uri=document_name(rank))
    if entry.patient_id is None:
        raise PatientUnidentified("the document holds no identifier of its patient")
    return entry


def write_mail(mail: PlannedMail, parcel: Parcel, laboratory: Laboratory) -> bytes:
    """Return the mail as it goes to the operator (RFC 5322, CRLF, 7-bit)."""
    source, traits = mail.source, mail.source.identity.traits
    headers = mails.MailHeaders(
        sender_name=laboratory.name,
        sender_address=laboratory.bal_applicative,
        to=mail.to,
        reply_to=source.report.reply_to or laboratory.answers_box(source.report.sender),
        subject=mails.subject(_label(source), traits.birth_name, traits.first_given_name, traits.birth_date),
        sent_at=mail.planned_at,
        message_id=mail.message_identifier,
        product_reference=laboratory.product_reference,
        asks_reading=source.report.wants_reading_ack and not mail.to_patient,
        document_codes=parcel.document_codes,
        has_ins=parcel.has_ins,
        closes_exchange=mail.to_patient and not source.report.texts.patient_may_answer,
    )
    return mails.compose(headers, body(mail, laboratory), parcel.parts)


def _submission_set(
    source: DocumentBuilt, entry: DocumentEntry, author: Author, laboratory: Laboratory, at: datetime
) -> SubmissionSet:
    assert entry.patient_id is not None
    number = int(derived_id("xdm", *_unique_ids(source), source.report.request).replace("-", ""), 16)
    return SubmissionSet(
        unique_id=f"2.25.{number}",  # an OID made of a UUID (ITU-T X.667)
        source_id=laboratory.source_id,
        patient_id=entry.patient_id,
        author=author,
        content_type=content_type(source.report.encounter_class),
        submission_time=xds_time(at),
        title=entry.title,
    )


def _unique_ids(source: DocumentBuilt) -> tuple[str, ...]:
    return tuple(built.facts.unique_id for built in source.documents)


def _masks(source: DocumentBuilt) -> tuple[str, ...]:
    visibility = source.report.visibility
    flags = (
        (visibility.masked_from_professionals, "MASQUE_PS"),
        (visibility.invisible_to_patient, "INVISIBLE_PATIENT"),
        (visibility.invisible_to_guardians, "INVISIBLE_REPRESENTANTS_LEGAUX"),
    )
    return tuple(code for flag, code in flags if flag)


def _has_traits(source: DocumentBuilt) -> bool:
    traits = source.identity.traits
    return all((traits.birth_name, traits.first_given_name, traits.birth_date, traits.sex))


def _pdf_name(source: DocumentBuilt, facts: DocumentFacts) -> str:
    """Return the file's name; the copy of a second format says which one."""
    traits = source.identity.traits
    other = facts.level if facts is source.companion_facts else ""
    return mails.pdf_name(
        facts.act_started_at or facts.effective_time,
        facts.code_label or facts.title,
        traits.birth_name,
        traits.first_given_name,
        "_".join(part for part in (facts.order_number, other) if part),
    )


def _label(source: DocumentBuilt) -> str:
    """Return what the subject calls the content (ECO.2.1.3)."""
    count = len(source.documents)
    return f"{count} documents" if count > 1 else source.facts.code_label or source.facts.title
