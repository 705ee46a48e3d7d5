"""From a CDA header to the metadata of its entry."""

import hashlib
from dataclasses import replace

from lxml import etree

from labohub.standards.cda import Author, Header, Id, read_header
from labohub.standards.xds import DocumentEntry, from_cda, registry_objects
from labohub.standards.xds.transform import person_of
from labohub.standards.xml import parse
from tests.support.dmp import INS, SAMPLES, TEST_OID, cda


def entry_of(content: bytes, *masks: str) -> DocumentEntry:
    return from_cda(read_header(parse(content)), content, masks=masks)


def header() -> Header:
    return read_header(parse(cda()))


def test_the_entry_says_what_the_header_says() -> None:
    content = cda()
    entry = entry_of(content)
    assert entry.missing() == ()
    assert entry.unique_id == "2.25.300000000000000000000000000000000001"
    assert entry.patient_id is not None
    assert entry.patient_id.text() == f"{INS}^^^&{TEST_OID}&ISO^NH"
    assert entry.source_patient_id is not None
    assert entry.source_patient_id.text() == "IPP-77^^^&1.2.250.1.999.1.9001.2&ISO^PI"
    assert (entry.creation_time, entry.service_start) == ("20260714073012", "202607140535")
    assert (entry.sha1, entry.size_bytes) == (hashlib.sha1(content).hexdigest(), len(content))
    (author,) = entry.authors
    assert author.institution is not None
    assert author.institution.value == "1999900017"
    assert author.person is not None
    assert author.person.text().startswith("899900054321^ESSAI \\T\\ FILS^Paule^^^^^^&")
    assert entry.legal_authenticator == author.person
    codes = (entry.class_code, entry.type_code, entry.format_code, entry.facility_code, entry.practice_code)
    assert [code.code for code in codes if code] == [
        "10", "11502-2", "urn:ihe:lab:xd-lab:2008", "SA25", "AMBULATOIRE",
    ]  # fmt: skip


def test_masks_follow_the_confidentiality_of_the_document() -> None:
    entry = entry_of(cda(), "INVISIBLE_PATIENT")
    assert [code.code for code in entry.confidentiality] == ["N", "INVISIBLE_PATIENT"]
    assert entry.confidentiality[1].system == "1.2.250.1.213.1.1.4.13"


def test_the_first_given_name_of_birth_and_the_birth_name_are_taken() -> None:
    patient = entry_of(cda()).source_patient
    assert (patient.birth_name, patient.given_name, patient.used_name) == ("TESTEUSE", "ANNE", "EPOUSEE")
    assert (patient.birth_date, patient.sex) == ("19850317", "F")


def test_without_an_ins_the_local_identifier_names_the_patient() -> None:
    whole = header()
    local = replace(whole, patient=replace(whole.patient, ids=whole.patient.ids[1:]))
    entry = from_cda(local, b"x")
    assert entry.patient_id is not None
    assert entry.patient_id.kind == "PI"


def test_what_the_header_does_not_say_is_named() -> None:
    empty = replace(header(), authors=(), legal_authenticator=None, service_events=(), encounter=None)
    assert set(from_cda(empty, b"x").missing()) == {
        "legalAuthenticator", "serviceStartTime", "author", "healthcareFacilityTypeCode", "practiceSettingCode",
    }  # fmt: skip


def test_a_level_1_document_has_the_format_of_a_pdf() -> None:
    entry = from_cda(replace(header(), level="N1"), b"x")
    assert entry.format_code is not None
    assert entry.format_code.code == "urn:ihe:iti:xds-sd:pdf:2008"


def test_a_device_is_a_system() -> None:
    person = person_of(Author(ids=(Id("1.2.250.1.999.7", "hub-1"),), device="labohub", device_model="0.1"))
    assert person is not None
    assert person.text() == "hub-1^labohub^0.1^^^^^^&1.2.250.1.999.7&ISO^U^^^RI"


def test_an_identifier_of_the_structure_is_internal() -> None:
    person = person_of(Author(ids=(Id("1.2.250.1.71.4.2.1", "3999900017/42"),)))
    assert person is not None
    assert person.text().endswith("^D^^^EI")


if SAMPLES.is_dir():

    def test_the_sample_document_gives_the_sample_metadata() -> None:
        """Each value of the composed sample request is found in the entry made from its CDA."""
        content = (SAMPLES / "cda_crbio_v1.xml").read_bytes()
        request = etree.parse(str(SAMPLES / "iti41_v1_envelope.xml"))
        wanted = request.find(".//{*}ExtrinsicObject[@id='Document01']")
        assert wanted is not None
        entry = entry_of(content)
        from tests.support.dmp import submission

        made = registry_objects(replace(submission(content), entries=(entry,)), for_xdm=False)
        found = made.find("{*}ExtrinsicObject")
        assert found is not None
        assert facts(found) == facts(wanted)


def facts(extrinsic: etree._Element) -> set[tuple[str, ...]]:
    """Return slots, codes and identifiers, whatever their order."""
    out: set[tuple[str, ...]] = set()
    for slot in extrinsic.iterfind("{*}Slot"):
        out.add((slot.get("name", ""), *(value.text or "" for value in slot.iter("{*}Value"))))
    for each in extrinsic.iterfind("{*}Classification"):
        values = sorted(value.text or "" for value in each.iter("{*}Value"))
        out.add((each.get("classificationScheme", ""), each.get("nodeRepresentation", ""), *values))
    for each in extrinsic.iterfind("{*}ExternalIdentifier"):
        out.add((each.get("identificationScheme", ""), each.get("value", "")))
    return out
