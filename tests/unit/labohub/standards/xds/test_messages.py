"""ebRIM, the three requests and their answers, by the official schemas when they are there."""

import base64
from dataclasses import replace

import pytest
from lxml import etree

from labohub.standards.xds import DocumentEntry, Replacement, Submission, registry_objects
from labohub.standards.xds.answers import AnswerMalformed, read_answer
from labohub.standards.xds.messages import delete_document, get_documents, provide_and_register
from labohub.standards.xds.names import APPROVED, DELETED, LCM, RIM
from labohub.standards.xds.signature import signature_entry
from tests.support.dmp import SAMPLES, XDS_SCHEMAS, cda, schema, submission

UUID = "urn:uuid:7953af1a-0000-4000-816f-0050569e0001"


def whole() -> Submission:
    """Return a replacement with its signature."""
    lot = submission(cda(), "INVISIBLE_PATIENT")
    signature = signature_entry(
        lot.entries[0], lot.submission_set, b"<signature/>", unique_id="1.2.3.4", entry_id="Signature01"
    )
    return replace(lot, signature=signature, replacements=(Replacement("Document01", UUID),))


def request() -> etree._Element:
    return provide_and_register(whole(), {"Document01": "d@x", "Signature01": "s@x"})


def associations(root: etree._Element) -> set[tuple[str, str, str]]:
    return {
        (each.get("associationType", "").rpartition(":")[2], each.get("sourceObject", ""), each.get("targetObject", ""))
        for each in root.iter(f"{{{RIM}}}Association")
    }


def test_each_document_is_a_member_the_signature_signs_and_the_new_one_replaces() -> None:
    assert associations(request()) == {
        ("HasMember", "SubmissionSet01", "Document01"),
        ("HasMember", "SubmissionSet01", "Signature01"),
        ("signs", "Signature01", "SubmissionSet01"),
        ("RPLC", "Document01", UUID),
    }


def test_each_document_refers_to_its_part_without_a_prefix() -> None:
    documents = request().findall("{*}Document")
    assert [(each.get("id"), each[0].get("href")) for each in documents] == [
        ("Document01", "cid:d@x"),
        ("Signature01", "cid:s@x"),
    ]


def test_the_signature_is_shown_to_nobody() -> None:
    signature = whole().signature
    assert isinstance(signature, DocumentEntry)
    assert [code.code for code in signature.confidentiality] == ["N", "MASQUE_PS", "INVISIBLE_PATIENT"]
    assert (signature.language, signature.unique_id, signature.size_bytes) == ("art", "1.2.3.4", 12)


def test_an_archive_has_the_file_name_and_a_registry_has_not() -> None:
    lot = submission(cda())
    named = replace(lot, entries=(replace(lot.entries[0], uri="DOC0001.XML"),))
    slots = [
        {slot.get("name"): [v.text for v in slot.iter("{*}Value")] for slot in made.iter(f"{{{RIM}}}Slot")}
        for made in (registry_objects(named, for_xdm=True), registry_objects(named, for_xdm=False))
    ]
    assert slots[0]["URI"] == ["DOC0001.XML"]
    assert "URI" not in slots[1]
    assert slots[0]["sourcePatientInfo"] == [
        "PID-5|TESTEUSE^ANNE^^^^^L", "PID-5|EPOUSEE^ANNE^^^^^D", "PID-7|19850317", "PID-8|F",
        "PID-11|^^^^^^BDL^^99999",
    ]  # fmt: skip
    assert slots[1]["sourcePatientInfo"] == ["PID-5|TESTEUSE^ANNE^^^^^L", "PID-7|19850317", "PID-8|F"]


def test_an_archive_does_not_point_into_a_registry() -> None:
    assert UUID not in etree.tostring(registry_objects(whole(), for_xdm=True)).decode()


def test_all_identifiers_of_a_lot_differ() -> None:
    ids = [each.get("id") for each in request().iter(f"{{{RIM}}}*") if each.get("id")]
    assert len(ids) == len(set(ids))


def test_a_deletion_changes_the_status_of_the_entry() -> None:
    root = delete_document(whole().submission_set, UUID)
    assert associations(root) == {("UpdateAvailabilityStatus", "SubmissionSet01", UUID)}
    (association,) = root.iter(f"{{{RIM}}}Association")
    assert [value.text for value in association.iter("{*}Value")] == [APPROVED, DELETED]


def test_a_document_is_looked_for_by_its_unique_id() -> None:
    root = get_documents("1.2.3")
    assert [value.text for value in root.iter("{*}Value")] == ["('1.2.3')"]


if XDS_SCHEMAS.is_dir():

    def test_the_official_schema_accepts_the_feeding() -> None:
        inline = request()
        for document in inline.findall("{*}Document"):
            document.remove(document[0])
            document.text = base64.b64encode(b"<x/>").decode()
        schema("dmp/schema/IHE/XDS.b_DocumentRepository.xsd").assertValid(inline)

    @pytest.mark.parametrize(
        ("name", "root"),
        [
            ("lcm.xsd", delete_document(whole().submission_set, UUID)),
            ("query.xsd", get_documents("1.2.3")),
        ],
    )
    def test_the_official_schemas_accept_the_other_requests(name: str, root: etree._Element) -> None:
        schema(f"dmp/schema/ebRS/{name}").assertValid(root)

    def test_the_official_schema_accepts_the_metadata_of_an_archive() -> None:
        root = etree.Element(f"{{{LCM}}}SubmitObjectsRequest")
        root.append(registry_objects(whole(), for_xdm=True))
        schema("dmp/schema/ebRS/lcm.xsd").assertValid(root)


_RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"


def test_a_success_may_carry_a_warning() -> None:
    answer = read_answer(
        etree.fromstring(
            f'<r:RegistryResponse xmlns:r="{_RS}" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success">'
            '<r:RegistryErrorList><r:RegistryError errorCode="XDSExtraMetadataNotSaved" codeContext="slot" '
            'severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"/></r:RegistryErrorList>'
            "</r:RegistryResponse>"
        )
    )
    assert answer.status == "Success"
    assert [each.code for each in answer.warnings] == ["XDSExtraMetadataNotSaved"]


@pytest.mark.parametrize("xml", ["<x/>", f'<r:RegistryResponse xmlns:r="{_RS}" status="urn:x:Maybe"/>'])
def test_another_answer_is_refused(xml: str) -> None:
    with pytest.raises(AnswerMalformed):
        read_answer(etree.fromstring(xml))


if SAMPLES.is_dir():

    @pytest.mark.parametrize(
        ("name", "status", "codes", "references"),
        [
            ("iti41_v1_response_success", "Success", [], 0),
            ("iti41_v1_response_warning", "Success", ["XDSExtraMetadataNotSaved"], 0),
            ("iti41_v1_response_duplicate", "Failure", ["XDSDuplicateUniqueIdInRegistry"], 0),
            ("iti41_v1_response_busy", "Failure", ["XDSRepositoryBusy"], 0),
            ("iti41_v2_response_deprecated_target", "Failure", ["XDSRegistryDeprecatedDocumentError"], 0),
            ("iti18_getdocuments_response", "Success", [], 1),
            ("iti18_getdocuments_response_empty", "Success", [], 0),
            ("iti57_delete_response_success", "Success", [], 0),
        ],
    )
    def test_the_sample_answers_are_read(name: str, status: str, codes: list[str], references: int) -> None:
        body = etree.parse(str(SAMPLES / f"{name}.xml")).find("{*}Body")
        assert body is not None
        answer = read_answer(body[0])
        assert answer.status == status
        assert [each.code for each in answer.errors] == codes
        assert len(answer.references) == references
