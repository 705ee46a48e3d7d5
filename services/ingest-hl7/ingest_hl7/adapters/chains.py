"""What is known of the documents of a message: their chain, their other format, where they already arrived."""

from collections.abc import Iterator
from dataclasses import replace

from ingest_hl7.adapters.knowledge import Batch, Entry, KnownDocument
from ingest_hl7.core.decision import Archived, Decision, Refusal, Relayed, RelayedDocument
from ingest_hl7.core.settlement import DMP
from labohub.contracts.values import BlobRef, ReportId, Request
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.findings import Finding, warning


def follow(batch: Batch, entry: Entry, decision: Relayed) -> Decision:
    """Return the decision once the documents' chain and their former sendings are known.

    What arrived is not sent again. What is still under way, was stopped or failed goes on: the later stages know each
    document and destination, never do the same twice, and tell whoever asks again.
    """
    report, documents = decision.report, decision.documents
    if report.request is not Request.DELETION:
        for document, ref in zip(documents, entry.contents, strict=True):
            finding = _unfit(batch, document, ref, _other(documents, document))
            if finding is not None:
                return Refusal("AE", (finding,), AnswerStyle.VOLET)
    if report.request is not Request.INITIAL:
        decision = replace(decision, warnings=(*decision.warnings, *_remarks(batch, decision)))
        for document in documents:
            batch.superseded.add(document.target_id)
            batch.add("superseded", {"document_id": document.target_id, "message_id": report.message_id})
    report_id = _report_id(batch, decision)
    recipients = tuple(each for each in report.recipients if not _arrived(batch, decision, each.address.lower()))
    to_dmp = report.to_dmp and not _arrived(batch, decision, DMP)
    if not recipients and not to_dmp:
        return Archived("relay.already-sent", report_id, warnings=decision.warnings)
    names = [each.address.lower() for each in recipients] + ([DMP] if to_dmp else [])
    for document, ref in zip(documents, entry.contents, strict=True):
        _remember(batch, decision, document, KnownDocument(report_id, ref.sha256, _other(documents, document)), names)
    changed = {
        "report_id": report_id,
        "recipients": recipients,
        "to_dmp": to_dmp,
        "document": entry.contents[0],
        "companion": entry.contents[1] if len(entry.contents) > 1 else None,
    }
    return replace(decision, report=report.model_copy(update=changed))


def _unfit(batch: Batch, document: RelayedDocument, ref: BlobRef, other: str) -> Finding | None:
    """Return why a document may not be sent: known with other bytes, with another format, or ended."""
    known = batch.documents.get(document.document_id)
    if known is not None and known.sha256 != ref.sha256:
        text = "Identifiant de document déjà employé pour un autre contenu."
        return Finding("205", document.location, "document.id-reused", text)
    if document.document_id in batch.superseded:
        text = "Document déjà remplacé ou supprimé : il n'est plus transmis."
        return Finding("199", document.location, "document.superseded", text)
    if known is not None and known.companion_id != other:
        text = "Document déjà transmis seul ou avec un autre : ses deux formats voyagent ensemble."
        return Finding("199", document.location, "document.paired-otherwise", text)
    return None


def _remarks(batch: Batch, decision: Relayed) -> Iterator[Finding]:
    """Yield what is noteworthy about the documents that are replaced or deleted; nothing of it stops the request."""
    targets = {document.target_id for document in decision.documents}
    known = {each: batch.documents[each] for each in targets if each in batch.documents}
    if targets - known.keys():
        yield warning("OBX^1^5", "relay.target-unknown", "Le document visé n'a pas été transmis par ce serveur.")
    if targets & batch.superseded:
        yield warning("OBX^1^5", "relay.target-ended", "Le document visé a déjà été remplacé ou supprimé.")
    left = {each.companion_id for each in known.values()} - {""} - targets - batch.superseded
    if left:
        yield warning("OBX^1^5", "relay.other-format-left", "L'autre format du document visé reste en place.")
    if len({each.report_id for each in known.values()}) > 1:
        yield warning("OBX^1^5", "relay.chains-joined", "Les documents visés avaient été transmis séparément.")


def _report_id(batch: Batch, decision: Relayed) -> ReportId:
    """Return the report whose chain the message joins: that of a document it is about, the structured one first."""
    for document in decision.documents:
        known = batch.documents.get(document.target_id)
        if known is not None:
            return ReportId(known.report_id)
    return decision.report.report_id


def _arrived(batch: Batch, decision: Relayed, name: str) -> bool:
    request = str(decision.report.request)
    return all((document.document_id, request, name) in batch.sent for document in decision.documents)


def _remember(
    batch: Batch, decision: Relayed, document: RelayedDocument, known: KnownDocument, names: list[str]
) -> None:
    row = {"document_id": document.document_id, "report_id": known.report_id, "sha256": known.sha256}
    batch.documents.setdefault(document.document_id, known)
    batch.add("documents", {**row, "companion_id": known.companion_id})
    for name in names:
        key = {"document_id": document.document_id, "request": str(decision.report.request), "target": name}
        batch.add("sendings", {**key, "message_id": decision.report.message_id})


def _other(documents: tuple[RelayedDocument, ...], document: RelayedDocument) -> str:
    """Return the identifier of the other format of a document; "" when it travels alone."""
    return next((each.document_id for each in documents if each is not document), "")
