"""The signature of a submission set, verified by xmlsec1 and signxml."""

from pathlib import Path

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from labohub.standards.dsg import SignedDocument, build_dsg
from labohub.standards.xml import parse
from tests.support.dmp import NOW, XADES_ID, XDS_SCHEMAS, cda, identity, schema, xmlsec1

LOT, DOCUMENT = "1.2.250.1.999.1.9001.1.42", "2.25.300000000000000000000000000000000001"


def signature(content: bytes = b"", algorithm: str = "sha1") -> bytes:
    documents = [SignedDocument(DOCUMENT, parse(content or cda()))]
    return build_dsg(LOT, documents, signature_id="S-1", signed_at=NOW, signer=identity().signer(algorithm))


def verify_with_xmlsec(tmp_path: Path, dsg: bytes, content: bytes) -> tuple[bool, str]:
    """Return whether the signature holds, and the count of manifest references: the exit code is not enough."""
    for name, data in (("ca.pem", identity().ca_pem), ("dsg.xml", dsg), ("cda.xml", content), ("lot", b"")):
        (tmp_path / name).write_bytes(data)
    outcome = xmlsec1(
        "--trusted-pem", tmp_path / "ca.pem", *XADES_ID,
        f"--url-map:urn:oid:{DOCUMENT}", tmp_path / "cda.xml", f"--url-map:urn:oid:{LOT}", tmp_path / "lot",
        tmp_path / "dsg.xml",
    )  # fmt: skip
    line = next((line for line in outcome.stderr.splitlines() if "Manifests References" in line), "")
    return outcome.returncode == 0, line.rpartition(":")[2].strip()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_xmlsec_verifies_the_signature_and_the_document(tmp_path: Path, algorithm: str) -> None:
    # the lot's own reference has the conventional digest: one of the two references is right, never both
    assert verify_with_xmlsec(tmp_path, signature(algorithm=algorithm), cda()) == (True, "1/2")


def test_xmlsec_sees_a_changed_document(tmp_path: Path) -> None:
    assert verify_with_xmlsec(tmp_path, signature(), cda(text="Potassium (plasma) : 4,7 mmol/L")) == (True, "0/2")


@pytest.mark.parametrize(("old", "new"), [(b"2026-07-14T07:31:05Z", b"2026-07-14T07:31:06Z"), (b"AA==", b"AQ==")])
def test_xmlsec_sees_a_changed_signature_document(tmp_path: Path, old: bytes, new: bytes) -> None:
    changed = signature().replace(old, new)
    assert changed != signature()
    assert not verify_with_xmlsec(tmp_path, changed, cda())[0]


def verify_with_signxml(tmp_path: Path, dsg: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(identity().ca_pem)
    config = SignatureConfiguration(
        expect_references=2,
        signature_methods=frozenset({SignatureMethod.RSA_SHA1, SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA1, DigestAlgorithm.SHA256}),
        location="./",
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    XMLVerifier().verify(
        dsg, ca_pem_file=str(tmp_path / "ca.pem"), id_attribute="Id", expect_config=config, validate_schema=False
    )


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_signxml_verifies_the_signature(tmp_path: Path, algorithm: str) -> None:
    verify_with_signxml(tmp_path, signature(algorithm=algorithm))


def test_signxml_sees_a_changed_manifest(tmp_path: Path) -> None:
    with pytest.raises((InvalidDigest, InvalidSignature)):
        verify_with_signxml(tmp_path, signature().replace(b"AA==", b"AQ=="))


def test_the_same_lot_gives_the_same_bytes() -> None:
    assert signature() == signature()


def test_the_manifest_names_the_lot_and_the_document() -> None:
    root = etree.fromstring(signature())
    references = root.findall("{*}Object/{*}Manifest/{*}Reference")
    assert [each.get("URI") for each in references] == [f"urn:oid:{LOT}", f"urn:oid:{DOCUMENT}"]
    assert references[0].findtext("{*}DigestValue") == "AA=="
    assert root.findtext("{*}Object/{*}SignatureProperties/{*}SignatureProperty") == "1.2.840.10065.1.12.1.14"
    assert root.findtext(".//{http://uri.etsi.org/01903/v1.1.1#}SigningTime") == "2026-07-14T07:31:05Z"


if XDS_SCHEMAS.is_dir():

    def test_the_xades_schema_accepts_the_properties() -> None:
        official = schema("sig/XAdES.xsd")
        properties = etree.fromstring(signature()).find(".//{*}QualifyingProperties")
        assert properties is not None
        official.assertValid(etree.fromstring(etree.tostring(properties)))
