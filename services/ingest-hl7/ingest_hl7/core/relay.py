"""The relay path: a message that carries a CDA becomes a report on its way, or a refusal."""

from ingest_hl7.core import destinations, identity
from ingest_hl7.core.decision import Receipt, Refusal, Relayed
from ingest_hl7.core.senders import Role, Sender
from labohub.contracts.codec import derived_id
from labohub.contracts.values import (
    MailTexts,
    MessageId,
    Path,
    Report,
    ReportId,
    Request,
    Visibility,
)
from labohub.contracts.values import Sender as SenderName
from labohub.standards import xml
from labohub.standards.cda.facts import Header as CdaHeader
from labohub.standards.cda.header import CdaMalformed, read_header
from labohub.standards.er7 import Message
from labohub.standards.hl7 import cda_in_hl7
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.cda_in_hl7 import EmbeddedDocument, Transmission, UniqueId
from labohub.standards.hl7.findings import Finding, warning

_REQUESTS = {
    cda_in_hl7.INITIAL: Request.INITIAL,
    cda_in_hl7.REPLACEMENT: Request.REPLACEMENT,
    cda_in_hl7.DELETION: Request.DELETION,
}
CDA_MEDIA_TYPE = "text/xml"


def decide(message: Message, profile: str, receipt: Receipt, sender: Sender, environment: str) -> Relayed | Refusal:
    """Return the report a message of the volet asks to send, or why it is refused."""
    if sender.role is not Role.LABORATORY:
        text = (
            "Émetteur déclaré sous-traitant ou technique : le laboratoire demandeur transmet son propre compte rendu."
        )
        return _refusal((Finding("199", "MSH^1^4", "volet.not-of-record", text),))
    transmission, errors = cda_in_hl7.read_transmission(message, profile)
    if transmission is None:
        return _refusal(errors)
    flags_errors = destinations.check_flags(transmission.flags, transmission.request, sender.matrix)
    resolved, prt_errors = destinations.resolve(transmission)
    patient, ins_errors, ins_warnings = identity.to_patient(
        transmission.patient, environment=environment, policy=sender.ins_policy
    )
    errors = (*flags_errors, *prt_errors, *ins_errors)
    if errors:
        return _refusal(errors)
    document, header, cda_errors = _document(transmission)
    if document is None or header is None or cda_errors:
        return _refusal(cda_errors)
    if not resolved.recipients and not resolved.to_dmp:
        return _refusal((Finding("199", "PRT^1^15", resolved.refused[0].reason, "Aucun destinataire utilisable."),))
    request, target, target_errors = _target(transmission, header)
    if target_errors:
        return _refusal(target_errors)
    name = _sender_name(message)
    report = Report(
        report_id=report_id(name, target),
        message_id=MessageId(receipt.message_id),
        control_id=message.header.value(10),
        message_type=message.header.value(9),
        message_version=message.header.component(12, 1),
        sender=name,
        processing_id=message.header.component(11, 1),
        received_at=receipt.received_at,
        path=Path.RELAY,
        request=request,
        patient=patient,
        visibility=_visibility(transmission),
        to_dmp=resolved.to_dmp,
        recipients=resolved.recipients,
        wants_reception_ack=transmission.flags["ACK_RECEPTION"],
        wants_reading_ack=transmission.flags["ACK_LECTURE_MSS"],
        texts=MailTexts(
            professional=transmission.professional_text,
            patient=transmission.patient_text,
            patient_may_answer=transmission.patient_may_answer,
        ),
        reply_to=resolved.reply_to or sender.reply_to,
        requester=resolved.requester,
        encounter_class=transmission.patient.encounter_class,
        document_code=document.code or "11502-2",
        order_numbers=transmission.order_numbers,
    )
    return Relayed(
        report=report,
        content=document.content,
        media_type=CDA_MEDIA_TYPE,
        document_id=header.id.oid,
        target_id=target,
        refused_recipients=resolved.refused,
        warnings=(*transmission.warnings, *ins_warnings, *_refused_warnings(resolved)),
    )


def report_id(sender: SenderName, document_id: str) -> ReportId:
    """Return the report of a document never seen: the one its replacements will derive too."""
    return ReportId(derived_id("report", sender.application, sender.facility, document_id))


def _refusal(findings: tuple[Finding, ...]) -> Refusal:
    return Refusal("AE", findings, AnswerStyle.VOLET)


def _refused_warnings(resolved: destinations.Destinations) -> tuple[Finding, ...]:
    text = "Adresse du patient mal formée : ce destinataire n'est pas servi."
    return tuple(warning("PRT^1^15", each.reason, text) for each in resolved.refused)


def _sender_name(message: Message) -> SenderName:
    return SenderName(application=message.header.component(3, 1), facility=message.header.component(4, 1))


def _document(
    transmission: Transmission,
) -> tuple[EmbeddedDocument | None, CdaHeader | None, tuple[Finding, ...]]:
    """Return the document to send: the structured one when the message carries both levels."""
    read: list[tuple[EmbeddedDocument, CdaHeader]] = []
    errors: list[Finding] = []
    for document in transmission.documents:
        location = f"{document.location}^5"
        try:
            header = read_header(xml.parse(document.content))
        except (xml.XmlMalformed, CdaMalformed) as error:
            errors.append(Finding("102", location, error.code, "Le document n'est pas un CDA lisible."))
            continue
        if identity.contradicts(transmission.patient, header.patient):
            text = "PID et le document désignent des patients différents."
            errors.append(Finding("199", "PID^1^3", "patient.differs", text))
            errors.append(Finding("199", location, "patient.differs", text))
        read.append((document, header))
    if errors:
        return None, None, tuple(errors)
    structured = [pair for pair in read if pair[1].level == "N3"]
    document, header = (structured or read)[0]
    return document, header, _check_txa(transmission.document_id, header, transmission.profile)


def _check_txa(written: UniqueId | None, header: CdaHeader, profile: str) -> tuple[Finding, ...]:
    if written is None or _same_document(written, header.id.root, header.id.extension):
        return ()
    if profile in cda_in_hl7.FORMER and written.root == f"{header.id.root}.{header.id.extension}":
        return ()  # they wrote root and extension as one
    text = "TXA-12 ne désigne pas le document transmis."
    return (Finding("199", "TXA^1^12", "volet.document-id-differs", text),)


def _same_document(written: UniqueId, root: str, extension: str) -> bool:
    return written.root == root and written.extension == extension


def _target(transmission: Transmission, header: CdaHeader) -> tuple[Request, str, tuple[Finding, ...]]:
    """Return what is asked and the document it is about."""
    request = _REQUESTS[transmission.request]
    if request is not Request.REPLACEMENT:
        return request, header.id.oid, ()
    replaced = [each.id for each in header.related if each.type_code == "RPLC" and each.id is not None]
    if not replaced:
        text = "Remplacement sans relatedDocument RPLC dans le document."
        return request, "", (Finding("199", "OBX^1^5", "cda.replaces-nothing", text),)
    parent = transmission.parent_id
    if parent is not None and not _same_document(parent, replaced[0].root, replaced[0].extension):
        text = "TXA-13 et le document remplacé par le CDA diffèrent."
        return request, "", (Finding("199", "TXA^1^13", "volet.parent-id-differs", text),)
    return request, replaced[0].oid, ()


def _visibility(transmission: Transmission) -> Visibility:
    flags = transmission.flags
    return Visibility(
        masked_from_professionals=flags["MASQUE_PS"],
        invisible_to_patient=flags["INVISIBLE_PATIENT"],
        invisible_to_guardians=flags["INVISIBLE_REP_LEGAUX"],
        secret_connection=flags["CONNEXION_SECRETE"],
        changes_visibility=flags["MODIF_CONF_CODE"],
    )
