"""The documents of a lot as the DMP checks them: the CDA against its metadata, the signature against the CDA."""

import base64
import hashlib

from lxml import etree

from labosim.dmp.metadata import HL7, Entry, Lot, bad
from labosim.dmp.rejections import Fault, RegistryError
from labosim.dmp.vihf import VihfChecker, verify

_DS = "http://www.w3.org/2000/09/xmldsig#"
_XADES = "http://uri.etsi.org/01903/v1.1.1#"
_DIGESTS = {_DS + "sha1": "sha1", "http://www.w3.org/2001/04/xmlenc#sha256": "sha256"}
_PURPOSE = "1.2.840.10065.1.12.1.14"


def check_documents(lot: Lot, structure: str, certificates: VihfChecker) -> None:
    """Check every document of a lot. Raises: RegistryError, Fault."""
    roots = {entry.unique_id: _parse(entry) for entry in lot.entries if not entry.is_signature}
    for entry in lot.entries:
        if entry.is_signature:
            _check_signature(entry, lot, roots, certificates)
        else:
            _check_cda(entry, roots[entry.unique_id], structure)


def _parse(entry: Entry) -> etree._Element:
    try:
        return etree.fromstring(entry.content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError:
        raise bad("document qui n'est pas du XML") from None


def _check_cda(entry: Entry, file: etree._Element, structure: str) -> None:
    """Check a document, by itself or inside its stylesheet (auto-présentable)."""
    c = f"{{{HL7}}}"
    root = next(file.iter(f"{c}ClinicalDocument"), file)
    if entry.mime_type != ("text/xml" if root is file else "application/xslt+xml"):
        raise bad("mimeType différent de la forme du document")
    identifier = root.find(f"{c}id")
    if identifier is None or identifier.get("root") != entry.unique_id or identifier.get("extension"):
        raise bad("uniqueId différent de l'id du CDA", "XDSDocumentUniqueIdError")
    matricule, _, authority = entry.patient.partition("^^^&")
    patient = {
        (each.get("root", ""), each.get("extension", ""))
        for each in root.iterfind(f"{c}recordTarget/{c}patientRole/{c}id")
    }
    if (authority.partition("&")[0], matricule) not in patient:
        raise bad("patient du CDA différent de celui du lot", "XDSPatientIdDoesNotMatch")
    if structure not in entry.structures:
        raise Fault("Aucun AuthorInstitution ne correspond à l'utilisateur du VIHF")
    written = {
        each.get("extension", "")
        for each in root.iterfind(f"{c}author/{c}assignedAuthor/{c}representedOrganization/{c}id")
    }
    if structure not in written:
        raise bad("structure des métadonnées absente du CDA")


def _check_signature(entry: Entry, lot: Lot, roots: dict[str, etree._Element], certificates: VihfChecker) -> None:
    root = _parse(entry)
    if root.tag != f"{{{_DS}}}Signature" or entry.mime_type != "text/xml":
        raise bad("le document de signature n'en est pas une")
    try:
        pem = certificates.trusted_pem(root)
        verify(entry.content, pem, id_attribute="Id", references=2)
    except Fault:
        raise bad("signature du lot invalide") from None
    kinds = [each.get("Type", "") for each in root.iterfind(f"{{{_DS}}}SignedInfo/{{{_DS}}}Reference")]
    if kinds != [_DS + "Manifest", _XADES + "SignedProperties"]:
        raise bad("références de la signature du lot")
    if root.find(f".//{{{_XADES}}}SigningTime") is None or root.find(f".//{{{_XADES}}}SigningCertificate") is None:
        raise bad("propriétés signées absentes")
    purpose = root.findtext(f".//{{{_DS}}}SignatureProperty")
    if purpose != _PURPOSE:
        raise bad("motif de la signature du lot")
    signed = {each.get("URI", ""): each for each in root.iterfind(f".//{{{_DS}}}Manifest/{{{_DS}}}Reference")}
    if set(signed) != {f"urn:oid:{lot.unique_id}", *(f"urn:oid:{each}" for each in roots)}:
        raise bad("manifeste de la signature du lot")
    if signed[f"urn:oid:{lot.unique_id}"].findtext(f"{{{_DS}}}DigestValue") != "AA==":
        raise bad("condensat conventionnel du lot")
    for unique_id, document in roots.items():
        _check_digest(signed[f"urn:oid:{unique_id}"], document)


def _check_digest(reference: etree._Element, document: etree._Element) -> None:
    method = reference.find(f"{{{_DS}}}DigestMethod")
    name = _DIGESTS.get("" if method is None else method.get("Algorithm", ""))
    if name is None:
        raise bad("algorithme de condensat")
    canonical = etree.tostring(document.getroottree(), method="c14n", with_comments=True)
    digest = base64.b64encode(hashlib.new(name, canonical, usedforsecurity=False).digest()).decode()
    if reference.findtext(f"{{{_DS}}}DigestValue") != digest:
        raise RegistryError("XDSRepositoryMetadataError", "le document signé n'est pas celui du lot")
