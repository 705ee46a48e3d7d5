"""The attachments of a document, made once and shared by the mails to all its recipients; and the mail itself.

Everything is derived from the planned mail and the documents: writing it again gives the same bytes.
"""

from dataclasses import dataclass
from datetime import datetime

from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentBuilt
from labohub.contracts.values import IdentityStatus
from labohub.errors import Refused
from labohub.standards import mail as mails
from labohub.standards.cda.header import read_header
from labohub.standards.cda.names import INS_OIDS
from labohub.standards.xdm import XdmDocument, XdmSource, document_name, pack_xdm
from labohub.standards.xdm_metadata import metadata_xml
from labohub.standards.xds import Cx, DocumentEntry, Submission, SubmissionSet, author_of, from_cda, xds_time
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


def build_parcel(
    source: DocumentBuilt, document: bytes, pdf: bytes | None, laboratory: Laboratory, at: datetime
) -> Parcel:
    """Return the attachments of a document: IHE_XDM.zip and its PDF copy.

    Raises:
        IdentityMismatch, MatriculeNotQualified, PatientUnidentified: rules on the patient.
        XmlMalformed, CdaMalformed, MetadataMalformed: the document cannot be described.
    """
    header = read_header(parse(document))
    named = header.patient.ins(INS_OIDS)
    qualified = source.identity.ins if source.identity.status is IdentityStatus.QUALIFIEE else None
    if named and qualified is None:
        raise MatriculeNotQualified("a matricule in the document of an identity that is not qualified")
    if named and qualified and named.extension != qualified.matricule:
        raise IdentityMismatch("the document's matricule is not the identity's")
    entry = from_cda(header, document, masks=_masks(source), uri=document_name(1))
    if entry.patient_id is None:
        raise PatientUnidentified("the document holds no identifier of its patient")
    author = author_of(header.authors[0]) if header.authors else Author()
    submission = _submission(source, entry, patient=entry.patient_id, author=author, laboratory=laboratory, at=at)
    metadata = metadata_xml(submission, ACTIONS[source.report.request])
    title = source.facts.title or source.facts.code_label
    archive = pack_xdm(
        [XdmDocument(document_name(1), document, title)],
        metadata,
        XdmSource(laboratory.name, laboratory.contact, laboratory.application, laboratory.editor),
        at,
    )
    parts = [mails.encode_attachment(mails.ARCHIVE_NAME, "application/zip", archive)]
    if pdf is not None:
        parts.append(mails.encode_attachment(_pdf_name(source), "application/pdf", pdf))
    return Parcel(tuple(parts), (source.facts.code,), bool(named) and _has_traits(source))


def write_mail(mail: PlannedMail, parcel: Parcel, laboratory: Laboratory) -> bytes:
    """Return the mail as it goes to the operator (RFC 5322, CRLF, 7-bit)."""
    source, traits = mail.source, mail.source.identity.traits
    headers = mails.MailHeaders(
        sender_name=laboratory.name,
        sender_address=laboratory.bal_applicative,
        to=mail.to,
        reply_to=source.report.reply_to or laboratory.bal_organisationnelle,
        subject=mails.subject(
            source.facts.code_label or source.facts.title,
            traits.birth_name,
            traits.first_given_name,
            traits.birth_date,
        ),
        sent_at=mail.planned_at,
        message_id=mail.message_identifier,
        product_reference=laboratory.product_reference,
        asks_reading=source.report.wants_reading_ack and not mail.to_patient,
        document_codes=parcel.document_codes,
        has_ins=parcel.has_ins,
        closes_exchange=mail.to_patient and not source.report.texts.patient_may_answer,
    )
    return mails.compose(headers, body(mail, laboratory), parcel.parts)


def _submission(
    source: DocumentBuilt, entry: DocumentEntry, *, patient: Cx, author: Author, laboratory: Laboratory, at: datetime
) -> Submission:
    number = int(derived_id("xdm", source.facts.unique_id, source.report.request).replace("-", ""), 16)
    return Submission(
        SubmissionSet(
            unique_id=f"2.25.{number}",  # an OID made of a UUID (ITU-T X.667)
            source_id=laboratory.source_id,
            patient_id=patient,
            author=author,
            content_type=content_type(source.report.encounter_class),
            submission_time=xds_time(at),
            title=entry.title,
        ),
        (entry,),
    )


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


def _pdf_name(source: DocumentBuilt) -> str:
    facts, traits = source.facts, source.identity.traits
    return mails.pdf_name(
        facts.act_started_at or facts.effective_time,
        facts.code_label or facts.title,
        traits.birth_name,
        traits.first_given_name,
        facts.order_number,
    )
