"""The relay path: a message that carries a CDA becomes a report on its way, or a refusal."""

from ingest_hl7.core import destinations, identity, matrix
from ingest_hl7.core.decision import Receipt, Refusal, Relayed, RelayedDocument
from ingest_hl7.core.senders import Role, Sender
from labohub.contracts.codec import derived_id
from labohub.contracts.values import (
    MailTexts,
    MessageId,
    Path,
    Report,
    ReportId,
    Request,
    Requester,
    Visibility,
)
from labohub.contracts.values import Sender as SenderName
from labohub.standards import xml
from labohub.standards.cda.facts import Header as CdaHeader
from labohub.standards.cda.header import CdaMalformed, read_header
from labohub.standards.er7 import Message
from labohub.standards.hl7 import cda_in_hl7
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.cda_in_hl7 import EmbeddedDocument, Transmission
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.reading import FORMER, LENIENT

_REQUESTS = {
    cda_in_hl7.INITIAL: Request.INITIAL,
    cda_in_hl7.REPLACEMENT: Request.REPLACEMENT,
    cda_in_hl7.DELETION: Request.DELETION,
}
_STRUCTURED_FIRST = {"N3": 0, "N1": 1}


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
    flags_errors, flags_warnings = matrix.check(transmission.flags, transmission.request, sender.matrix)
    requester = sender.requester if profile in LENIENT else Requester()
    patient, ins_errors, ins_warnings = identity.to_patient(
        transmission.patient, environment=environment, policy=sender.ins_policy
    )
    resolved, prt_errors, prt_warnings = destinations.resolve(transmission, requester, ins_is_wrong=bool(ins_errors))
    errors = (*flags_errors, *prt_errors, *ins_errors)
    if errors:
        return _refusal(errors)
    documents, cda_errors = _documents(transmission)
    if cda_errors:
        return _refusal(cda_errors)
    if not resolved.recipients and not resolved.to_dmp:
        return _refusal((Finding("199", "PRT^1^15", resolved.refused[0].reason, "Aucun destinataire utilisable."),))
    name = _sender_name(message)
    report = Report(
        report_id=report_id(name, documents[0].target_id),
        message_id=MessageId(receipt.message_id),
        control_id=message.header.value(10),
        message_type=message.header.value(9),
        message_version=message.header.component(12, 1),
        sender=name,
        processing_id=message.header.component(11, 1),
        received_at=receipt.received_at,
        path=Path.RELAY,
        request=_REQUESTS[transmission.request],
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
        document_code=transmission.documents[0].code,
        order_numbers=transmission.order_numbers,
    )
    return Relayed(
        report=report,
        documents=documents,
        refused_recipients=resolved.refused,
        warnings=(
            *transmission.warnings,
            *flags_warnings,
            *prt_warnings,
            *ins_warnings,
            *_refused_warnings(resolved),
        ),
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


def _documents(transmission: Transmission) -> tuple[tuple[RelayedDocument, ...], tuple[Finding, ...]]:
    """Return the documents to send, the structured one first, or what is wrong with them."""
    read: list[tuple[EmbeddedDocument, CdaHeader]] = []
    errors: list[Finding] = []
    for embedded in transmission.documents:
        try:
            header = read_header(xml.parse(embedded.content))
        except (xml.XmlMalformed, CdaMalformed) as error:
            errors.append(_wrong(embedded, "102", error.code, "Le document n'est pas un CDA lisible."))
            continue
        if identity.contradicts(transmission.patient, header.patient):
            text = "PID et le document désignent des patients différents."
            errors.append(Finding("199", "PID^1^3", "patient.differs", text))
            errors.append(_wrong(embedded, "199", "patient.differs", text))
        read.append((embedded, header))
    if not errors:
        errors += _pair_errors(read)
        errors += _numbers_errors(transmission, read)
    if errors:
        return (), tuple(errors)
    read.sort(key=lambda pair: _STRUCTURED_FIRST.get(pair[1].level, len(_STRUCTURED_FIRST)))
    return tuple(_relayed(transmission.request, embedded, header) for embedded, header in read), ()


def _pair_errors(read: list[tuple[EmbeddedDocument, CdaHeader]]) -> list[Finding]:
    """Return why two documents are not one report as N3 and N1, each with its own identifier."""
    if len(read) < 2:
        return []
    (_, first), (embedded, second) = read
    if first.id.oid == second.id.oid:
        return [_wrong(embedded, "199", "volet.one-id-for-two", "Les deux documents ont le même identifiant.")]
    if {first.level, second.level} != set(_STRUCTURED_FIRST):
        text = "Deux documents sont admis s'ils sont le même compte rendu en N1 et en N3."
        return [_wrong(embedded, "199", "volet.same-level", text)]
    return []


def _numbers_errors(transmission: Transmission, read: list[tuple[EmbeddedDocument, CdaHeader]]) -> list[Finding]:
    """Return where TXA and the documents disagree, and replacements that name nothing to replace."""
    errors: list[Finding] = []
    loosely = transmission.profile in FORMER
    for embedded, header in read:
        written = transmission.document_id
        if written is not None and not written.names(header.id.root, header.id.extension, loosely=loosely):
            text = "TXA-12 ne désigne pas le document transmis."
            errors.append(Finding("199", "TXA^1^12", "volet.document-id-differs", text))
        if transmission.request != cda_in_hl7.REPLACEMENT:
            continue
        if header.replaces is None:
            text = "Remplacement sans relatedDocument RPLC dans le document."
            errors.append(_wrong(embedded, "199", "cda.replaces-nothing", text))
            continue
        if header.replaces.oid == header.id.oid:
            text = "Le document se remplace lui-même."
            errors.append(_wrong(embedded, "199", "cda.replaces-itself", text))
        parent = transmission.parent_id
        if parent is not None and not parent.names(header.replaces.root, header.replaces.extension, loosely=loosely):
            text = "TXA-13 et le document remplacé par le CDA diffèrent."
            errors.append(Finding("199", "TXA^1^13", "volet.parent-id-differs", text))
    return errors


def _relayed(request: str, embedded: EmbeddedDocument, header: CdaHeader) -> RelayedDocument:
    replaced = header.replaces if request == cda_in_hl7.REPLACEMENT else None
    target = replaced.oid if replaced else header.id.oid
    return RelayedDocument(embedded.content, header.id.oid, target, f"{embedded.location}^5")


def _wrong(embedded: EmbeddedDocument, condition: str, reason: str, text: str) -> Finding:
    return Finding(condition, f"{embedded.location}^5", reason, text)


def _visibility(transmission: Transmission) -> Visibility:
    flags = transmission.flags
    return Visibility(
        masked_from_professionals=flags["MASQUE_PS"],
        invisible_to_patient=flags["INVISIBLE_PATIENT"],
        invisible_to_guardians=flags["INVISIBLE_REP_LEGAUX"],
        secret_connection=flags["CONNEXION_SECRETE"],
        changes_visibility=flags["MODIF_CONF_CODE"],
    )
