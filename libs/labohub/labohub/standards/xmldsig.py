"""XML signatures: canonical forms, digests and the elements that hold them. The private key stays with the caller.

Source: XML Signature 1.1, Canonical XML 1.0, Exclusive XML Canonicalization 1.0 (W3C).
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lxml import etree

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
WITH_COMMENTS: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
ENVELOPED: Final = DS + "enveloped-signature"
_D: Final = f"{{{DS}}}"

Sign = Callable[[bytes], bytes]  # RSA PKCS#1 v1.5 with the algorithm's digest


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A digest and the RSA signature that goes with it."""

    name: str  # as hashlib names it
    digest_uri: str
    signature_uri: str

    def digest(self, data: bytes) -> str:
        """Return the base64 digest."""
        return base64.b64encode(hashlib.new(self.name, data, usedforsecurity=False).digest()).decode()


SHA1: Final = Algorithm("sha1", DS + "sha1", DS + "rsa-sha1")
SHA256: Final = Algorithm(
    "sha256", "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
)
ALGORITHMS: Final = {each.name: each for each in (SHA1, SHA256)}


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a signature says of a certificate."""

    der: bytes
    issuer: str  # RFC 2253, without space after commas
    serial: int


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the key's use, its algorithm, and the certificate with its chain, own one first."""

    sign: Sign
    algorithm: Algorithm
    subject: str  # DN of the certificate, RFC 2253
    chain: tuple[CertificateFacts, ...]


def exclusive(element: etree._Element) -> bytes:
    """Return the exclusive canonical form of an element, without comments."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def document_with_comments(root: etree._Element) -> bytes:
    """Return the inclusive canonical form of a whole document, with its comments."""
    return etree.tostring(root.getroottree(), method="c14n", exclusive=False, with_comments=True)


def element_with_comments(element: etree._Element) -> bytes:
    """Return the inclusive canonical form of an element that is its own root: declare on it all that is in scope."""
    return etree.tostring(element, method="c14n", exclusive=False, with_comments=True)


def reference(
    uri: str, digest: str, algorithm: Algorithm, *, transforms: tuple[str, ...] = (), kind: str = ""
) -> etree._Element:
    """Return a Reference element."""
    element = etree.Element(_D + "Reference", nsmap={"ds": DS})
    if kind:
        element.set("Type", kind)
    element.set("URI", uri)
    if transforms:
        holder = etree.SubElement(element, _D + "Transforms")
        for transform in transforms:
            etree.SubElement(holder, _D + "Transform", {"Algorithm": transform})
    etree.SubElement(element, _D + "DigestMethod", {"Algorithm": algorithm.digest_uri})
    etree.SubElement(element, _D + "DigestValue").text = digest
    return element


def signed_info(canonicalization: str, algorithm: Algorithm, *references: etree._Element) -> etree._Element:
    """Return a SignedInfo element, its own root."""
    element = etree.Element(_D + "SignedInfo", nsmap={"ds": DS})
    etree.SubElement(element, _D + "CanonicalizationMethod", {"Algorithm": canonicalization})
    etree.SubElement(element, _D + "SignatureMethod", {"Algorithm": algorithm.signature_uri})
    element.extend(references)
    return element


def signature(info: etree._Element, value: bytes, certificate: bytes, signature_id: str = "") -> etree._Element:
    """Return a Signature element around a SignedInfo, with the certificate in one block."""
    element = etree.Element(_D + "Signature", {"Id": signature_id} if signature_id else {}, nsmap={"ds": DS})
    element.append(info)
    etree.SubElement(element, _D + "SignatureValue").text = base64.b64encode(value).decode()
    data = etree.SubElement(etree.SubElement(element, _D + "KeyInfo"), _D + "X509Data")
    etree.SubElement(data, _D + "X509Certificate").text = base64.b64encode(certificate).decode()
    return element


def enveloped_signature(root: etree._Element, root_id: str, signer: Signer) -> etree._Element:
    """Return the signature of an element, to be inserted into it. Nothing else may change afterwards."""
    algorithm = signer.algorithm
    info = signed_info(
        EXCLUSIVE,
        algorithm,
        reference(f"#{root_id}", algorithm.digest(exclusive(root)), algorithm, transforms=(ENVELOPED, EXCLUSIVE)),
    )
    return signature(info, signer.sign(exclusive(info)), signer.chain[0].der)
