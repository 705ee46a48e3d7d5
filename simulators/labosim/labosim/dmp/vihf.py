"""The VIHF as the DMP checks it: signature by another library, certificate, instant, attributes."""

import base64
import binascii
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature as InvalidCertificate
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from labosim.dmp.package import SAML
from labosim.dmp.rejections import Fault
from labosim.pki import Pki

WINDOW = timedelta(minutes=5)
REMEMBERED_ASSERTIONS = 20_000
_DS = "http://www.w3.org/2000/09/xmldsig#"
_HL7 = "urn:hl7-org:v3"
_ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
_PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
_RESOURCE = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
_NEEDED = (
    "VIHF_Version", "Identifiant_Structure", "Secteur_Activite", "urn:oasis:names:tc:xspa:1.0:subject:subject-id",
    _ROLE, _PURPOSE, _RESOURCE, "Ressource_URN", "LPS_Nom", "LPS_Version", "LPS_ID_HOMOLOGATION_DMP",
)  # fmt: skip
_PERSON = re.compile(r"8[0-9]{11}|0[0-9]{9}|[13456][0-9]{9,14}/[^\s/]+")
_TWO_ROLES = {"10": "1.2.250.1.71.4.2.5", "21": "1.2.250.1.71.4.2.6"}


@dataclass(frozen=True)
class Vouched:
    """What an accepted VIHF says."""

    structure: str
    patient: str  # CX
    person: str


class VihfChecker:
    """Checks assertions signed under the test authority; an assertion is accepted once."""

    def __init__(self, pki: Pki) -> None:
        self._pki = pki
        self._authority: x509.Certificate | None = None
        self._trusted: dict[bytes, tuple[x509.Certificate, str]] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def check(self, assertion: etree._Element, tls_subject: dict[str, str]) -> Vouched:
        """Return what the assertion vouches for. Raises: Fault."""
        certificate, pem = self._certificate(assertion.find(f"{{{_DS}}}Signature"))
        common_names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if tls_subject and [tls_subject.get("commonName")] == [each.value for each in common_names]:
            raise Fault("VIHF signé par le certificat d'authentification", subcode="DMPInvalidCertificate")
        verified = verify(etree.tostring(assertion), pem)
        if verified.get("ID") != assertion.get("ID"):
            raise Fault("la signature ne couvre pas l'assertion", subcode="DMPInvalidCertificate")
        issuer = assertion.findtext(f"{{{SAML}}}Issuer") or ""
        if issuer != certificate.subject.rfc4514_string():
            raise Fault("Issuer n'est pas le sujet du certificat (RFC 2253)")
        self._once(assertion)
        return _attributes(assertion)

    def trusted_pem(self, signature: etree._Element) -> str:
        """Return the certificate of a signature, when the authority vouches for it. Raises: Fault."""
        return self._certificate(signature)[1]

    def _certificate(self, signature: etree._Element | None) -> tuple[x509.Certificate, str]:
        place = f"{{{_DS}}}KeyInfo/{{{_DS}}}X509Data/{{{_DS}}}X509Certificate"
        text = None if signature is None else signature.findtext(place)
        if not text:
            raise Fault("VIHF non signé, ou sans certificat", subcode="DMPInvalidCertificate")
        try:
            der = base64.b64decode(text, validate=True)
            if der not in self._trusted:
                self._trusted[der] = self._trust(x509.load_der_x509_certificate(der))
        except (binascii.Error, ValueError, InvalidCertificate):
            raise Fault("certificat du cachet non reconnu", subcode="DMPInvalidCertificate") from None
        certificate, pem = self._trusted[der]
        if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
            raise Fault("certificat du cachet périmé", subcode="DMPInvalidCertificate")
        return certificate, pem

    def _trust(self, certificate: x509.Certificate) -> tuple[x509.Certificate, str]:
        if self._authority is None:
            self._authority = x509.load_pem_x509_certificate(self._pki.ca_pem.read_bytes())
        certificate.verify_directly_issued_by(self._authority)
        return certificate, certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _once(self, assertion: etree._Element) -> None:
        identifier = assertion.get("ID", "")
        try:
            issued = datetime.fromisoformat(assertion.get("IssueInstant", "").replace("Z", "+00:00"))
        except ValueError:
            raise Fault("IssueInstant illisible") from None
        if issued.tzinfo is None or abs(datetime.now(UTC) - issued) > WINDOW:
            raise Fault("VIHF hors de la fenêtre de validité")
        if identifier in self._seen:
            raise Fault("VIHF déjà présenté")
        self._seen[identifier] = None
        if len(self._seen) > REMEMBERED_ASSERTIONS:
            self._seen.popitem(last=False)


def verify(data: bytes, pem: str, *, id_attribute: str = "ID", references: int = 1) -> etree._Element:
    """Return the signed element of a document whose signature holds. Raises: Fault."""
    config = SignatureConfiguration(
        expect_references=references,
        signature_methods=frozenset({SignatureMethod.RSA_SHA1, SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA1, DigestAlgorithm.SHA256}),
        location="./",
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    try:
        results = XMLVerifier().verify(
            data, x509_cert=pem, id_attribute=id_attribute, expect_config=config, validate_schema=references == 1
        )
    except (SignXMLException, ValueError, etree.LxmlError):
        raise Fault("signature invalide", subcode="DMPInvalidCertificate") from None
    first = results if isinstance(results, VerifyResult) else results[0]
    if first.signed_xml is None:
        raise Fault("signature sans contenu", subcode="DMPInvalidCertificate")
    return first.signed_xml


def _attributes(assertion: etree._Element) -> Vouched:
    values: dict[str, list[etree._Element]] = {}
    for attribute in assertion.iterfind(f"{{{SAML}}}AttributeStatement/{{{SAML}}}Attribute"):
        values[attribute.get("Name", "")] = attribute.findall(f"{{{SAML}}}AttributeValue")
    for name in _NEEDED:
        if not values.get(name):
            raise Fault(f"attribut {name} absent du VIHF")

    def text(name: str) -> str:
        return (values[name][0].text or "").strip() if values.get(name) else ""

    if assertion.get("Version") != "2.0" or text("VIHF_Version") not in ("3.0", "4.0"):
        raise Fault("version du VIHF")
    if (text("Authentification_Mode") or text("Authentification_mode")) != "INDIRECTE":
        raise Fault("mode d'authentification")
    if text("Ressource_URN") != "urn:dmp":
        raise Fault("Ressource_URN")
    if assertion.find(f".//{{{SAML}}}AudienceRestriction") is not None:
        raise Fault("AudienceRestriction ne doit pas être renseigné")
    person = assertion.findtext(f"{{{SAML}}}Subject/{{{SAML}}}NameID") or ""
    if not _PERSON.fullmatch(person):
        raise Fault("identifiant du PS dans NameID")
    _check_roles([each.find(f"{{{_HL7}}}Role") for each in values[_ROLE]])
    purpose = values[_PURPOSE][0].find(f"{{{_HL7}}}PurposeOfUse")
    if purpose is None or purpose.get("code") != "normal" or purpose.get("codeSystem") != "1.2.250.1.213.1.1.4.248":
        raise Fault("mode d'accès")
    return Vouched(text("Identifiant_Structure"), text(_RESOURCE), person)


def _check_roles(roles: list[etree._Element | None]) -> None:
    codes = [(role.get("code", ""), role.get("codeSystem", "")) for role in roles if role is not None]
    if len(codes) != len(roles) or not 1 <= len(codes) <= 2:
        raise Fault("un ou deux rôles attendus dans le VIHF")
    second = _TWO_ROLES.get(codes[0][0])
    if second and (len(codes) != 2 or codes[1][1] != second):
        raise Fault("Aucune spécialité dans le VIHF : spécialité obligatoire pour les médecins et pharmaciens")
    if not second and codes[0][1] not in ("1.2.250.1.71.1.2.7", "1.2.250.1.213.1.1.4.6"):
        raise Fault("profession du VIHF")
