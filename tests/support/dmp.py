"""Builders for the tests of the DMP: a small PKI, a document, a submission, and independent verifiers."""

import datetime as dt
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from labohub.standards import xds
from labohub.standards.cda import read_header
from labohub.standards.xds import codes
from labohub.standards.xml import parse
from labohub.standards.xmldsig import ALGORITHMS, CertificateFacts, Signer

NOW = dt.datetime(2026, 7, 14, 7, 31, 5, tzinfo=dt.UTC)
INS = "285039999900196"
TEST_OID = "1.2.250.1.213.1.4.10"
XDS_SCHEMAS = Path(__file__).parents[2].parent / "shared" / "xds"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "dmp" / "sample"
SAML_ID = "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"
XADES_ID = "--id-attr:Id", "http://uri.etsi.org/01903/v1.1.1#:SignedProperties"


@dataclass(frozen=True)
class Identity:
    """A key with its certificate, issued by the test CA."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    ca: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def ca_pem(self) -> bytes:
        return self.ca.public_bytes(serialization.Encoding.PEM)

    def signer(self, algorithm: str = "sha256") -> Signer:
        """Return a signer that uses this key."""
        digest = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}[algorithm]()
        return Signer(
            sign=lambda data: self.key.sign(data, padding.PKCS1v15(), digest),
            algorithm=ALGORITHMS[algorithm],
            subject=self.certificate.subject.rfc4514_string(),
            chain=tuple(
                CertificateFacts(
                    each.public_bytes(serialization.Encoding.DER), each.issuer.rfc4514_string(), each.serial_number
                )
                for each in (self.certificate, self.ca)
            ),
        )


@cache
def identity(common_name: str = "cachet.lbm-grand-chene.example", *, expired: bool = False) -> Identity:
    """Return a key and certificate for a fictional laboratory."""
    ca_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    ca_name = _name("AC FICTIVE ORGANISATIONS", "0002 000000000", "ORGANISME FICTIF")
    now = dt.datetime.now(dt.UTC)
    start = now - dt.timedelta(days=400)
    end = now - dt.timedelta(days=1) if expired else now + dt.timedelta(days=400)
    ca = (
        x509.CertificateBuilder()
        .subject_name(ca_name)
        .issuer_name(ca_name)
        .public_key(ca_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(now + dt.timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name, "1999900017", "LBM DU GRAND CHENE"))
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Identity(key, certificate, ca)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=not certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, unit: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Fictif (99)"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def cda(
    *,
    unique_id: str = "2.25.300000000000000000000000000000000001",
    replaces: str = "",
    version: int = 1,
    effective_time: str = "20260714093012+0200",
    extension: str = "",
    structure_id: str = "1999900017",
    ins: str = INS,
    text: str = "Potassium (plasma) : 4,6 mmol/L",
    set_id: str = "2.25.300000000000000000000000000000000000",
) -> bytes:
    """Return the CDA of a small report, its header complete, with a comment and a processing instruction."""
    parent = f'<parentDocument><id root="{replaces}"/></parentDocument>'
    related = f'<relatedDocument typeCode="RPLC">{parent}</relatedDocument>'
    person = """<id root="1.2.250.1.71.4.2.1" extension="899900054321"/>
      <code code="G15_10/SM03" displayName="Médecin - Biologie médicale (SM)" codeSystem="1.2.250.1.213.1.1.4.5"/>
      <addr nullFlavor="NASK"/><telecom nullFlavor="NASK"/>
      <assignedPerson><name><family>ESSAI &amp; FILS</family><given>Paule</given></name></assignedPerson>"""
    structure = f"""<representedOrganization><id root="1.2.250.1.71.4.2.2" extension="{structure_id}"/>
      <name>LBM DU GRAND CHENE</name>"""
    version_id = f'id root="{unique_id}"' + (f' extension="{extension}"' if extension else "")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?made-by tests?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- composed for the tests -->
  <realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="1.3.6.1.4.1.19376.1.3.3"/><templateId root="1.2.250.1.213.1.1.1.55" extension="2024.01"/>
  <{version_id}/>
  <code code="11502-2" displayName="CR d'examens biologiques" codeSystem="2.16.840.1.113883.6.1"/>
  <title>Compte rendu d'examens biologiques</title>
  <effectiveTime value="{effective_time}"/>
  <confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="{set_id}"/><versionNumber value="{version}"/>
  <recordTarget><patientRole><id root="{TEST_OID}" extension="{ins}"/>
    <id root="1.2.250.1.999.1.9001.2" extension="IPP-77"/>
    <patient><name><family qualifier="BR">TESTEUSE</family><family qualifier="CL">EPOUSEE</family>
      <given>ANNE LOU</given><given qualifier="BR">ANNE</given></name>
      <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19850317"/>
      <birthplace><place><addr><county>99999</county></addr></place></birthplace></patient></patientRole></recordTarget>
  <author><time value="{effective_time}"/><assignedAuthor>{person}{structure}
    </representedOrganization></assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.250.1.71.4.2.2" extension="{structure_id}"/>
    </representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator><time value="{effective_time}"/><signatureCode code="S"/>
    <assignedEntity>{person}</assignedEntity></legalAuthenticator>
  <documentationOf><serviceEvent><effectiveTime><low value="202607140735+0200"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity>{person}{structure}
      <standardIndustryClassCode code="AMBULATOIRE" displayName="Ambulatoire" codeSystem="1.2.250.1.213.1.1.4.9"/>
      </representedOrganization></assignedEntity></performer></serviceEvent></documentationOf>
  {related if replaces else ""}
  <componentOf><encompassingEncounter><effectiveTime><low value="202607140735+0200"/></effectiveTime>
    <location><healthCareFacility><code code="SA25" displayName="Laboratoire de biologie médicale"
      codeSystem="1.2.250.1.71.4.2.4"/></healthCareFacility></location></encompassingEncounter></componentOf>
  <component><structuredBody><component><section><title>Biochimie</title><text>{text}</text></section>
    </component></structuredBody></component>
</ClinicalDocument>
""".encode()


def submission(content: bytes, *masks: str) -> xds.Submission:
    """Return a submission of one document, without signature."""
    entry = xds.from_cda(read_header(parse(content)), content, masks=masks)
    assert entry.patient_id is not None
    lot = xds.SubmissionSet(
        unique_id="1.2.250.1.999.1.9001.1.42",
        source_id="1.2.250.1.999.1.9001",
        patient_id=entry.patient_id,
        author=entry.authors[0],
        content_type=codes.content_type("I"),
        submission_time=xds.xds_time(NOW),
        title="Compte rendu de biologie",
    )
    return xds.Submission(lot, (entry,))


def schema(name: str) -> etree.XMLSchema:
    """Return one of the official schemas. Only for tests that are collected when the schemas are there."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Offline())
    return etree.XMLSchema(etree.parse(str(XDS_SCHEMAS / name), parser))


class _Offline(etree.Resolver):
    """Answers what the schemas would fetch with the copies beside them."""

    def resolve(self, url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        if url.startswith("http:"):
            name = url.rpartition("/")[2]
            folder = "sig" if name == "xmldsig-core-schema.xsd" else "soap"
            return self.resolve_filename(str(XDS_SCHEMAS / folder / name), context)  # type: ignore[attr-defined]
        return None


def xmlsec1(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `xmlsec1 --verify` and return its outcome."""
    command = ["xmlsec1", "--verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
