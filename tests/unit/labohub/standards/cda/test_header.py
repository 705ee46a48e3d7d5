"""The header of a CDA, of ours and of others: read once, tolerantly."""

import pytest

from labohub.standards.cda import CdaMalformed, Coded, Header, Id, embedded_pdf, read_header
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.cda.names import INS_OIDS
from labohub.standards.xml import parse
from tests.support.cda import IDENTITY, OFFICIAL_DOCUMENTS, PDF, battery, model_of, results_of

OFFICIAL = sorted(OFFICIAL_DOCUMENTS.glob("*.xml"))


def header(body: str) -> Header:
    return read_header(
        parse(f'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2"/>{body}</ClinicalDocument>'.encode())
    )


def test_what_the_builder_writes_is_read_back() -> None:
    model = model_of(results_of(battery(), battery(section="HM")))

    found = read_header(parse(build_cr_bio(model, PDF)))

    assert (found.id.oid, found.set_id, found.version_number) == (model.id, Id(model.set_id), 1)
    assert (found.code.code, found.title, found.level) == ("11502-2", "Compte rendu d'examens biologiques", "N3")
    assert found.effective_time == model.effective_time
    assert found.confidentiality == Coded("N", "2.16.840.1.113883.5.25", "Normal")
    assert found.patient.ins(INS_OIDS) == Id("1.2.250.1.213.1.4.10", "285076938314206")
    assert (found.patient.family_birth, found.patient.family_used) == ("D'ARTOIS", "VASSEUR")
    assert (found.patient.given_list, found.patient.given_birth) == ("ÉLODIE MARIE", "ÉLODIE")
    assert (found.patient.gender, found.patient.birth_time, found.patient.birth_place) == ("F", "19850714", "69383")
    assert [author.device for author in found.authors] == ["", "Labohub"]
    assert found.custodian is not None
    assert found.custodian.ids == (Id("1.2.250.1.71.4.2.2", "1990000127"),)
    assert found.legal_authenticator is not None
    assert found.legal_authenticator.person is not None
    assert found.legal_authenticator.person.family == "KERADEC"
    assert [each.type_code for each in found.participants] == ["REF"]
    assert [each.code.code for each in found.service_events if each.code] == ["18719-5", "18723-7"]
    act = found.main_act
    assert act is not None
    assert (act.low, act.high, act.status) == ("20260314080500+0100", "20260314111200+0100", "completed")
    assert act.performer is not None
    assert act.performer.organization is not None
    assert act.performer.organization.industry == Coded("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire")
    assert found.encounter is not None
    assert found.encounter.facility is not None
    assert found.encounter.facility.code == "SA25"
    assert [each.extension for each in found.order_ids] == ["DEM-1"]
    assert found.replaces is None


def test_older_documents_name_the_used_name_sp_and_may_forget_qualifiers() -> None:
    old = header(
        "<recordTarget><patientRole><patient><name><family qualifier='SP'>B</family><family qualifier='BR'>A</family>"
        "<given>C</given></name></patient></patientRole></recordTarget>"
    )
    plain = header(
        "<recordTarget><patientRole><patient><name><family>A</family></name></patient></patientRole></recordTarget>"
    )

    assert (old.patient.family_birth, old.patient.family_used, old.patient.given_list) == ("A", "B", "C")
    assert (plain.patient.family_birth, plain.patient.family_plain) == ("", "A")


def test_a_document_inside_a_stylesheet_is_found_by_its_namespace() -> None:
    wrapped = parse(
        b'<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><d xmlns="urn:x"><c:ClinicalDocument '
        b'xmlns:c="urn:hl7-org:v3"><c:id root="1.2" extension="3"/></c:ClinicalDocument></d></xsl:stylesheet>'
    )

    assert read_header(wrapped).id.oid == "1.2^3"


def test_what_is_replaced_is_told_from_other_relations() -> None:
    found = header(
        '<relatedDocument typeCode="XFRM"><parentDocument><id root="9"/></parentDocument></relatedDocument>'
        '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.1"/></parentDocument></relatedDocument>'
    )

    assert found.replaces == Id("1.1")


@pytest.mark.parametrize(
    "text", ["<a/>", '<ClinicalDocument xmlns="urn:other"/>', '<ClinicalDocument xmlns="urn:hl7-org:v3"/>']
)
def test_what_is_no_document_or_has_no_id_is_refused(text: str) -> None:
    with pytest.raises(CdaMalformed):
        read_header(parse(text.encode()))


@pytest.mark.parametrize("number", ["", "x", "-1", "99999999999"])
def test_a_senseless_version_counts_as_the_first(number: str) -> None:
    assert header(f'<versionNumber value="{number}"/>').version_number == 1


def test_the_pdf_copy_is_found_byte_for_byte() -> None:
    assert embedded_pdf(parse(build_cr_bio(model_of(results_of()), PDF))) == PDF


@pytest.mark.parametrize("content", ["", "####", "bm90IGEgcGRm"])
def test_what_is_not_a_pdf_counts_as_absent(content: str) -> None:
    document = build_cr_bio(model_of(results_of(), IDENTITY), b"%PDF-x")
    broken = document.replace(b"JVBERi14", content.encode())

    assert broken != document
    assert embedded_pdf(parse(broken)) is None


def test_a_level_1_body_is_a_pdf_too() -> None:
    text = '<component><nonXMLBody><text mediaType="{}">JVBERi0=\n</text></nonXMLBody></component>'
    document = '<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1"/>{}</ClinicalDocument>'

    assert embedded_pdf(parse(document.format(text.format("application/pdf")).encode())) == b"%PDF-"
    assert embedded_pdf(parse(document.format(text.format("text/plain")).encode())) is None
    assert read_header(parse(document.format(text.format("application/pdf")).encode())).level == "N1"


if OFFICIAL:

    @pytest.mark.parametrize("path", OFFICIAL, ids=lambda path: path.stem)
    def test_official_documents_tell_all_that_the_dmp_asks_for(path) -> None:  # type: ignore[no-untyped-def]
        root = parse(path.read_bytes())
        found = read_header(root)

        assert found.id.root
        assert found.set_id is not None
        assert found.patient.ins(INS_OIDS) is not None
        assert found.patient.family_birth == "PAT-TROIS"
        assert found.main_act is not None
        assert found.main_act.low
        assert found.encounter is not None
        assert found.encounter.facility is not None
        assert found.authors[0].organization is not None
        assert (embedded_pdf(root) or b"").startswith(b"%PDF-")
