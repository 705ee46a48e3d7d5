"""The VIHF, read and verified by others: xmlsec1 and signxml."""

from pathlib import Path

import pytest
from lxml import etree
from signxml.exceptions import InvalidSignature
from signxml.verifier import VerifyResult, XMLVerifier

from labohub.standards.soap import read_envelope
from labohub.standards.vihf import WSSE, Dialect, Software, Subject, build_vihf, sign_vihf
from labohub.standards.xds import Coded, Cx
from labohub.standards.xds.messages import body_of, soap_message
from tests.support.dmp import INS, NOW, SAML_ID, TEST_OID, XDS_SCHEMAS, identity, schema, xmlsec1

ROLES = (
    Coded("21", "1.2.250.1.71.1.2.7", "Pharmacien"),
    Coded("G", "1.2.250.1.71.4.2.6", "Pharmacien biologiste"),
)


PLAIN = Dialect()


def assertion(*, dialect: Dialect = PLAIN, algorithm: str = "sha256") -> bytes:
    signer = identity().signer(algorithm)
    subject = Subject(
        person_id="899900012345",
        person_name="EXEMPLE Odile",
        roles=ROLES,
        structure_id="1999900017",
        sector=Coded("SA25", "1.2.250.1.71.4.2.4", "Laboratoire de biologie médicale"),
        patient=Cx(INS, TEST_OID, "NH"),
    )
    software = Software("labohub", "0.1.0", "HOMOLOGATION-FICTIVE")
    element = build_vihf(subject, software, issuer=signer.subject, issued_at=NOW, assertion_id="_a1", dialect=dialect)
    return sign_vihf(element, signer)


def texts(data: bytes) -> dict[str, str]:
    root = etree.fromstring(data)
    return {
        each.get("Name", ""): "".join(map(str, each.itertext()))
        for each in root.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Attribute")
    }


def ca_file(tmp_path: Path) -> str:
    (tmp_path / "ca.pem").write_bytes(identity().ca_pem)
    return str(tmp_path / "ca.pem")


def verify_with_xmlsec(tmp_path: Path, data: bytes) -> bool:
    (tmp_path / "vihf.xml").write_bytes(data)
    outcome = xmlsec1("--trusted-pem", ca_file(tmp_path), *SAML_ID, tmp_path / "vihf.xml")
    return outcome.returncode == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_xmlsec_verifies_the_signature(tmp_path: Path, algorithm: str) -> None:
    assert verify_with_xmlsec(tmp_path, assertion(algorithm=algorithm))


def test_signxml_verifies_the_signature_and_covers_the_whole_assertion(tmp_path: Path) -> None:
    verified = XMLVerifier().verify(assertion(), ca_pem_file=ca_file(tmp_path), id_attribute="ID")
    assert isinstance(verified, VerifyResult)
    assert verified.signed_xml is not None
    assert verified.signed_xml.get("ID") == "_a1"


def test_the_signature_holds_inside_the_soap_message(tmp_path: Path) -> None:
    message = soap_message(action="a", message_id="urn:uuid:1", to="https://x/", assertion=assertion(), body=b"<x/>")
    assert verify_with_xmlsec(tmp_path, message)


@pytest.mark.parametrize(
    ("old", "new"),
    [(INS, "285039999900293"), ("INDIRECTE", "DIRECTE"), ("1999900017<", "1999900018<"), ("Odile", "Odette")],
)
def test_a_changed_copy_verifies_nowhere(tmp_path: Path, old: str, new: str) -> None:
    changed = assertion().replace(old.encode(), new.encode())
    assert changed != assertion()
    assert not verify_with_xmlsec(tmp_path, changed)
    with pytest.raises(InvalidSignature):
        XMLVerifier().verify(changed, ca_pem_file=ca_file(tmp_path), id_attribute="ID")


def test_a_pretty_printed_copy_does_not_verify(tmp_path: Path) -> None:
    assert not verify_with_xmlsec(tmp_path, etree.tostring(etree.fromstring(assertion()), pretty_print=True))


def test_an_expired_certificate_does_not_verify(tmp_path: Path) -> None:
    expired = identity("old.example", expired=True)
    element = etree.fromstring(assertion())
    element.remove(element[1])
    (tmp_path / "ca.pem").write_bytes(expired.ca_pem)
    (tmp_path / "vihf.xml").write_bytes(sign_vihf(element, expired.signer()))
    assert xmlsec1("--trusted-pem", tmp_path / "ca.pem", *SAML_ID, tmp_path / "vihf.xml").returncode != 0


def test_the_attributes_say_the_structure_the_patient_and_the_mode() -> None:
    read = texts(assertion())
    assert read["Identifiant_Structure"] == "1999900017"
    assert read["Secteur_Activite"] == "SA25^1.2.250.1.71.4.2.4"
    assert read["Authentification_Mode"] == "INDIRECTE"
    assert read["VIHF_Version"] == "3.0"
    assert read["urn:oasis:names:tc:xacml:2.0:resource:resource-id"] == f"{INS}^^^&{TEST_OID}&ISO^NH"


def test_the_spelling_of_the_mode_and_the_version_are_settings() -> None:
    read = texts(assertion(dialect=Dialect("4.0", "Authentification_mode")))
    assert read["Authentification_mode"] == "INDIRECTE"
    assert read["VIHF_Version"] == "4.0"


def test_the_two_roles_stand_in_one_attribute() -> None:
    root = etree.fromstring(assertion())
    values = root.findall(
        ".//{*}Attribute[@Name='urn:oasis:names:tc:xacml:2.0:subject:role']/{*}AttributeValue/{urn:hl7-org:v3}Role"
    )
    assert [(value.get("code"), value.get("codeSystem")) for value in values] == [
        ("21", "1.2.250.1.71.1.2.7"),
        ("G", "1.2.250.1.71.4.2.6"),
    ]


def test_the_issuer_is_the_certificate_in_rfc_2253_order() -> None:
    root = etree.fromstring(assertion())
    issuer = "CN=cachet.lbm-grand-chene.example,OU=1999900017,O=LBM DU GRAND CHENE,ST=Fictif (99),C=FR"
    assert root.findtext("{*}Issuer") == issuer
    assert [etree.QName(child).localname for child in list(root)[:2]] == ["Issuer", "Signature"]


def test_a_message_gives_back_its_body_and_its_headers() -> None:
    body = b"<x:y xmlns:x='urn:x'>1</x:y>"
    message = soap_message(action="act", message_id="urn:uuid:1", to="https://h/?a&b", assertion=assertion(), body=body)
    assert body_of(message) == body
    envelope = read_envelope(message)
    assert envelope.header_text("http://www.w3.org/2005/08/addressing", "To") == "https://h/?a&b"
    assert envelope.header(WSSE, "Security") is not None


if XDS_SCHEMAS.is_dir():

    def test_the_official_schema_accepts_it() -> None:
        official = schema("vihf-driver.xsd")
        official.assertValid(etree.fromstring(assertion()))
