"""From a document to what is put on the wire: the lot, its signature, its VIHF, the package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from lxml import etree

from dmp_feeder.core.errors import MetadataIncomplete, PatientMismatch, StructureMismatch
from dmp_feeder.core.filing import DELETE, FiledDocument, Filing
from dmp_feeder.core.subject import sender_of, structure_of, subject_of
from labohub.contracts.codec import derived_id
from labohub.contracts.values import Ins
from labohub.standards.cda import Header, read_header
from labohub.standards.dsg import SignedDocument, build_dsg
from labohub.standards.mtom import Package, Part, build_package, read_package, xop_media_type
from labohub.standards.vihf import Dialect, Software, Subject, build_vihf, sign_vihf
from labohub.standards.xds import (
    Coded,
    Cx,
    DocumentEntry,
    Replacement,
    Submission,
    SubmissionSet,
    Xon,
    codes,
    from_cda,
    names,
    xds_time,
)
from labohub.standards.xds.messages import body_of, delete_document, get_documents, provide_and_register, soap_message
from labohub.standards.xds.signature import signature_entry
from labohub.standards.xml import parse
from labohub.standards.xmldsig import Signer

SIGNATURE: Final = "Signature01"


@dataclass(frozen=True, slots=True)
class Installation:
    """Who files: the laboratory's structure, the software as approved, the roots of its identifiers."""

    source_oid: str
    identifier_root: str
    structure_id: str  # empty: whatever structure the document's author has (the certificate is the legal entity's)
    sector: Coded
    software: Software
    dialect: Dialect
    authentication_class: str
    vihf_signer: Signer
    lot_signer: Signer


@dataclass(frozen=True, slots=True)
class Paper:
    """A document read once."""

    filed: FiledDocument
    header: Header
    root: etree._Element
    content: bytes
    entry: DocumentEntry


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is filed, read once, with the structure that files and the subject that its VIHF vouches for."""

    filing: Filing
    papers: tuple[Paper, ...]
    structure: Xon
    subject: Subject


@dataclass(frozen=True, slots=True)
class Lot:
    """What is sent again, byte for byte, at each attempt: the SOAP body and the signature's document."""

    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is new at each attempt: the address, the MessageID (also the VIHF's), the instant."""

    to: str
    message_id: UUID
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the DMP. `evidence` is what is kept of it: all but the document, which is kept already."""

    endpoint: str  # repository or registry
    action: str
    package: Package
    evidence: Package


def open_dossier(filing: Filing, contents: Sequence[bytes], installation: Installation) -> Dossier:
    """Return documents ready to be filed, checked against what was decided about them.

    Args:
        contents: in the order of `filing.documents`.
    Raises:
        FilingRefused: another patient, another structure, or metadata that the DMP requires is absent.
        CdaMalformed, XmlMalformed, MetadataMalformed: not a document.
    """
    papers = tuple(
        _paper(filing, filed, content, rank)
        for rank, (filed, content) in enumerate(zip(filing.documents, contents, strict=True), start=1)
    )
    structure, *others = (structure_of(paper.header, installation.structure_id) for paper in papers)
    if any(other.value != structure.value for other in others):
        raise StructureMismatch("the documents of one lot have different structures")
    subject = subject_of(
        papers[0].header,
        filing.requester,
        filing.ins,
        structure,
        sector=installation.sector,
        authentication_class=installation.authentication_class,
        software_name=installation.software.name,
    )
    return Dossier(filing, papers, structure, subject)


def _paper(filing: Filing, filed: FiledDocument, content: bytes, rank: int) -> Paper:
    root = parse(content)
    header = read_header(root)
    entry = from_cda(header, content, entry_id=f"Document{rank:02d}", masks=filing.masks)
    if entry.patient_id != _cx(filing.ins) or header.id.oid != filed.document_id:
        raise PatientMismatch("the document's patient or id is not what was announced")
    if entry.missing():
        raise MetadataIncomplete("no " + ", ".join(entry.missing()))
    return Paper(filed, header, root, content, entry)


def build_lot(dossier: Dossier, installation: Installation, replaced: Mapping[str, str]) -> Lot:
    """Return the lot of a filing.

    Args:
        replaced: entryUUID of the registered document that takes its leave, by the identifier of the one that comes.
    """
    filing = dossier.filing
    lot = submission_set(dossier, installation, filing.operation)
    signature = build_dsg(
        lot.unique_id,
        [SignedDocument(paper.filed.document_id, paper.root) for paper in dossier.papers],
        signature_id=f"S-{filing.filing_id}",
        signed_at=datetime.fromisoformat(filing.planned_at),
        signer=installation.lot_signer,
    )
    entries = tuple(paper.entry for paper in dossier.papers)
    signature_id = _oid(installation, "signature", filing)
    submission = Submission(
        lot,
        entries,
        signature_entry(entries[0], lot, signature, unique_id=signature_id, entry_id=SIGNATURE),
        tuple(
            Replacement(entry.entry_id, replaced[entry.unique_id]) for entry in entries if entry.unique_id in replaced
        ),
    )
    request = provide_and_register(submission, _content_ids(dossier))
    return Lot(etree.tostring(request, encoding="UTF-8", xml_declaration=False), signature)


def submission_set(dossier: Dossier, installation: Installation, what: str) -> SubmissionSet:
    """Return the submission set of what is done; its identifier and time are the same at each attempt."""
    filing, first = dossier.filing, dossier.papers[0]
    return SubmissionSet(
        unique_id=_oid(installation, what, filing),
        source_id=installation.source_oid,
        patient_id=_cx(filing.ins),
        author=sender_of(first.header, filing.requester, dossier.structure, first.entry.authors[0]),
        content_type=codes.content_type(filing.encounter_class),
        submission_time=xds_time(datetime.fromisoformat(filing.planned_at)),
        title=first.entry.title,
    )


def provide_call(dossier: Dossier, lot: Lot, installation: Installation, stamp: Stamp) -> Call:
    """Return the ITI-41 request: the lot's own bytes under a new VIHF and a new MessageID."""
    action = names.PROVIDE_AND_REGISTER
    ids = _content_ids(dossier)
    message = _message(dossier.subject, installation, action, stamp, lot.body)
    root = Part(f"root@{dossier.filing.filing_id}", xop_media_type(action), message)
    documents = [Part(ids[paper.entry.entry_id], paper.entry.mime_type, paper.content) for paper in dossier.papers]
    signature = Part(ids[SIGNATURE], "text/xml", lot.signature)
    boundary = f"MIMEBoundary_{stamp.message_id.hex}"
    return Call(
        "repository",
        action,
        build_package(root, (*documents, signature), boundary=boundary, action=action),
        build_package(root, (signature,), boundary=boundary, action=action),
    )


def lot_of(evidence: Package) -> Lot:
    """Return the lot of an earlier attempt from what was kept of it."""
    root, signature = read_package(evidence.content_type, evidence.body)
    return Lot(body_of(root.data), signature.data)


def find_call(dossier: Dossier, document_id: str, installation: Installation, stamp: Stamp) -> Call:
    """Return the ITI-18 request for a document's entryUUID (TD3.1b)."""
    return _registry_call(dossier, installation, names.STORED_QUERY, stamp, get_documents(document_id))


def delete_call(dossier: Dossier, document_id: str, entry_uuid: str, installation: Installation, stamp: Stamp) -> Call:
    """Return the ITI-57 request that deletes a document (TD3.3c): each has a lot of its own."""
    others = [] if document_id == dossier.filing.document_id else [document_id]
    lot = submission_set(dossier, installation, " ".join([DELETE, *others]))
    request = delete_document(lot, entry_uuid)
    return _registry_call(dossier, installation, names.UPDATE_DOCUMENT_SET, stamp, request)


def _registry_call(
    dossier: Dossier, installation: Installation, action: str, stamp: Stamp, request: etree._Element
) -> Call:
    body = etree.tostring(request, encoding="UTF-8", xml_declaration=False)
    message = _message(dossier.subject, installation, action, stamp, body)
    package = Package(f'application/soap+xml; charset=UTF-8; action="{action}"', message)
    return Call("registry", action, package, package)


def _message(subject: Subject, installation: Installation, action: str, stamp: Stamp, body: bytes) -> bytes:
    signer = installation.vihf_signer
    assertion = build_vihf(
        subject,
        installation.software,
        issuer=signer.subject,
        issued_at=stamp.issued_at,
        assertion_id=f"_{stamp.message_id}",
        dialect=installation.dialect,
    )
    return soap_message(
        action=action,
        message_id=f"urn:uuid:{stamp.message_id}",
        to=stamp.to,
        assertion=sign_vihf(assertion, signer),
        body=body,
    )


def _cx(ins: Ins) -> Cx:
    return Cx(ins.matricule, ins.oid, "NH")


def _oid(installation: Installation, what: str, filing: Filing) -> str:
    return f"{installation.identifier_root}.{UUID(derived_id('dmp', what, filing.filing_id)).int}"


def _content_ids(dossier: Dossier) -> dict[str, str]:
    return {
        entry_id: f"{entry_id.lower()}@{dossier.filing.filing_id}" for entry_id in (*_entry_ids(dossier), SIGNATURE)
    }


def _entry_ids(dossier: Dossier) -> list[str]:
    return [paper.entry.entry_id for paper in dossier.papers]
