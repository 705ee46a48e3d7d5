"""The signature of a submission set (DSG): a XAdES document over a manifest of the lot's documents.

Source: IHE ITI DSG supplement; DMP sample messages 02.05.00 and sample code 2.06.01 (see docs/standards.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from labohub.standards.xmldsig import (
    DS,
    WITH_COMMENTS,
    Algorithm,
    CertificateFacts,
    Signer,
    document_with_comments,
    element_with_comments,
    reference,
    signature,
    signed_info,
)

XADES: Final = "http://uri.etsi.org/01903/v1.1.1#"
SOURCE_PURPOSE: Final = "1.2.840.10065.1.12.1.14"
LOT_DIGEST: Final = "AA=="  # one zero byte: the lot itself has no bytes to digest, by convention
_D: Final = f"{{{DS}}}"
_X: Final = f"{{{XADES}}}"
_MANIFEST: Final = "IHEManifest"
_PROPERTIES: Final = "S0-SignedProperties"


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document of the lot: its uniqueId and its parsed content."""

    unique_id: str
    root: etree._Element


def build_dsg(
    submission_set_id: str,
    documents: Sequence[SignedDocument],
    *,
    signature_id: str,
    signed_at: datetime,
    signer: Signer,
) -> bytes:
    """Return the signature document of a lot, with its XML declaration.

    RSA PKCS#1 v1.5 has no random part: the same arguments give the same bytes.

    Args:
        submission_set_id: uniqueId of the lot.
        signature_id: an xs:ID.
    """
    algorithm = signer.algorithm
    manifest = _manifest(submission_set_id, documents, algorithm)
    properties = _signed_properties(signed_at, signer.chain, algorithm)
    info = signed_info(
        WITH_COMMENTS,
        algorithm,
        reference(f"#{_MANIFEST}", algorithm.digest(element_with_comments(manifest)), algorithm, kind=DS + "Manifest"),
        reference(
            f"#{_PROPERTIES}",
            algorithm.digest(element_with_comments(properties)),
            algorithm,
            kind=XADES + "SignedProperties",
        ),
    )
    value = signer.sign(element_with_comments(info))
    root = signature(info, value, signer.chain[0].der, signature_id)
    etree.SubElement(root, _D + "Object").append(manifest)
    holder = etree.SubElement(etree.SubElement(root, _D + "Object"), _D + "SignatureProperties")
    purpose = etree.SubElement(
        holder, _D + "SignatureProperty", {"Id": "purposeOfSignature", "Target": f"#{signature_id}"}
    )
    purpose.text = SOURCE_PURPOSE
    qualifying = etree.SubElement(
        etree.SubElement(root, _D + "Object"),
        _X + "QualifyingProperties",
        {"Target": f"#{signature_id}"},
        nsmap={"xa": XADES},
    )
    qualifying.append(properties)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _manifest(submission_set_id: str, documents: Sequence[SignedDocument], algorithm: Algorithm) -> etree._Element:
    element = etree.Element(_D + "Manifest", {"Id": _MANIFEST}, nsmap={"ds": DS})
    element.append(reference(f"urn:oid:{submission_set_id}", LOT_DIGEST, algorithm))
    for document in documents:
        digest = algorithm.digest(document_with_comments(document.root))
        element.append(reference(f"urn:oid:{document.unique_id}", digest, algorithm, transforms=(WITH_COMMENTS,)))
    return element


def _signed_properties(signed_at: datetime, chain: Sequence[CertificateFacts], algorithm: Algorithm) -> etree._Element:
    # both prefixes are in scope where this element will stand: its inclusive canonical form declares both
    element = etree.Element(_X + "SignedProperties", {"Id": _PROPERTIES}, nsmap={"ds": DS, "xa": XADES})
    signed = etree.SubElement(element, _X + "SignedSignatureProperties")
    time = signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    etree.SubElement(signed, _X + "SigningTime").text = time
    certificates = etree.SubElement(signed, _X + "SigningCertificate")
    for facts in chain:
        certificate = etree.SubElement(certificates, _X + "Cert")
        digest = etree.SubElement(certificate, _X + "CertDigest")
        etree.SubElement(digest, _X + "DigestMethod", {"Algorithm": algorithm.digest_uri})
        etree.SubElement(digest, _X + "DigestValue").text = algorithm.digest(facts.der)
        issuer = etree.SubElement(certificate, _X + "IssuerSerial")
        etree.SubElement(issuer, _D + "X509IssuerName").text = facts.issuer
        etree.SubElement(issuer, _D + "X509SerialNumber").text = str(facts.serial)
    policy = etree.SubElement(signed, _X + "SignaturePolicyIdentifier")
    etree.SubElement(policy, _X + "SignaturePolicyImplied")
    etree.SubElement(element, _X + "SignedDataObjectProperties")
    return element
