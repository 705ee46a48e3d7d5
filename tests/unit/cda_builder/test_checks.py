"""The hub's own checks and the version that a document declares."""

import io
import re
import zlib
from functools import cache

import pytest
from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.pdf_text import first_page
from cda_builder.core.lint import lint
from cda_builder.core.lint_content import pdf_problems, shows_patient
from cda_builder.core.relay import plain
from cda_builder.core.verdict import Finding, Verdict
from cda_builder.core.volet import volet_of
from labohub.standards.cda import read_header
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.xml import parse
from tests.support.cda import IDENTITY, PDF, model_of, results_of


@cache
def made() -> str:
    """Return a document of ours."""
    return build_cr_bio(model_of(results_of()), PDF).decode()


def findings(old: str = "", new: str = "") -> list[tuple[str, str]]:
    """Return (rule, level) of a document of ours in which one text is another."""
    assert old in made()
    root = parse((made().replace(old, new) if old else made()).encode())
    return [(each.rule, each.level) for each in lint(root, read_header(root))]


def test_a_document_of_ours_has_nothing_to_say() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<effectiveTime value=", "<effectivetime value=", ("effective-time", "error")),
        ("111230+0100", "1112+0100", ("effective-time", "error")),
        ('birthTime value="19850714"', 'birthTime nullFlavor="UNK"', ("patient-birth", "error")),
        ("285076938314206", "2850769383142", ("ins-form", "error")),
        ("285076938314206", "285076938314207", ("ins-key", "error")),
        ("legalAuthenticator>", "legalauthenticator>", ("signatory", "error")),
        ("custodian>", "Custodian>", ("custodian", "error")),
        ('<tr><td><content ID="c1r1">', '<tr><td><content ID="zz">', ("reference", "warning")),
        (">JVBERi0x", ">!!!!", ("pdf", "error")),
        ('ID="c1r1"', 'ID="c1r1" language="javascript:x"', ("active-content", "error")),
        ("<title>Biochimie", '<title><linkHtml href="http://x"/>Biochimie', ("link", "error")),
        ("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.99", ("ins-absent", "warning")),
    ],
)
def test_each_defect_is_named(old: str, new: str, expected: tuple[str, str]) -> None:
    assert expected in findings(old, new)


def test_a_corsican_matricule_has_its_own_key() -> None:
    body = "1800220004001"  # department 2A counts as 19
    corsican = "180022A004001" + f"{97 - int(body.replace('20004', '19004', 1)) % 97:02d}"

    assert [rule for rule, _ in findings("285076938314206", corsican)] == []


def test_a_replacement_names_another_document_and_a_later_version() -> None:
    relation = '<relatedDocument typeCode="RPLC"><parentDocument><id root="{}"/></parentDocument></relatedDocument>'
    same = relation + "<componentOf>"
    identifier = model_of(results_of()).id

    assert ("replaces-itself", "error") in findings("<componentOf>", same.format(identifier))
    assert ("version", "warning") in findings("<componentOf>", same.format("1.2.3"))


@pytest.mark.parametrize(
    ("templates", "section", "volet"),
    [
        ('<templateId root="1.2.250.1.213.1.1.1.55" extension="2024.01"/>', "", "2024.01"),
        ('<templateId root="1.2.250.1.213.1.1.1.55" extension="2022.01"/>', "", "2021.01"),
        ('<templateId root="1.3.6.1.4.1.19376.1.3.3" extension="2021.01"/>', "", "2021.01"),
        ('<templateId root="1.2.250.1.213.1.1.1.55"/>', "", "2021.01"),
        ('<templateId root="1.2.250.1.213.1.1.1.55"/>', '<templateId root="1.2.250.1.213.1.1.2.243"/>', "2024.01"),
        ('<templateId root="1.2.3"/>', "", ""),
    ],
)
def test_the_version_of_the_volet_is_the_declared_one(templates: str, section: str, volet: str) -> None:
    text = (
        f'<ClinicalDocument xmlns="urn:hl7-org:v3">{templates}<component><structuredBody><component><section>{section}'
        "</section></component></structuredBody></component></ClinicalDocument>"
    )

    assert volet_of(parse(text.encode())) == volet


@pytest.mark.parametrize(
    ("official", "level", "conformance"),
    [
        (True, "warning", "passed"),
        (True, "error", "failed"),
        (False, "warning", "not-configured"),
        (False, "error", "failed"),
    ],
)
def test_a_verdict_says_who_spoke(official: bool, level: str, conformance: str) -> None:
    verdict = Verdict(official, (Finding("lint", "x", level, "/", ""),))

    assert verdict.conformance == conformance
    assert verdict.as_report("1.2")["official_rules"] == ("applied" if official else "not-configured")


@pytest.mark.parametrize(
    ("one", "other"), [("D'Artois", "D ARTOIS"), ("Éloïse-Marie", "ELOISE MARIE"), ("Lecœur", "LECOEUR")]
)
def test_names_are_compared_without_accents_and_punctuation(one: str, other: str) -> None:
    assert plain(one) == plain(other)


def test_other_names_stay_different() -> None:
    assert plain("MARTIN") != plain("MARTINE")
    assert IDENTITY.traits.birth_name


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (' extension="2024.01"', "", ("edition", "warning")),
        ('<versionNumber value="1"', '<versionNumber value="2"', ("version-alone", "warning")),
        ('<family qualifier="BR">D\'ARTOIS', '<family qualifier="CL">D\'ARTOIS', ("ins-traits", "error")),
        ('<templateId root="1.2.250.1.213.1.1.3.80"/>', "", ("template-pair", "error")),
        ("<componentOf>", '<relatedDocument typeCode="APND"/><componentOf>', ("relation", "error")),
        ('<templateId root="1.2.250.1.213.1.1.1.55" extension="2024.01"/>', "", ("declaration", "error")),
        (' unit="mmol/L"/>', "/>", ("unit-missing", "warning")),
        ('code="SER"', 'code="SERX"', ("value-set", "warning")),
        ('code="fr-FR"', 'code="en-US"', ("language", "warning")),
        ('<lab:statusCode code="completed"/>', '<lab:statusCode code="active"/>', ("status-active", "warning")),
        (
            '<templateId root="1.3.6.1.4.1.19376.1.3.1"/><templateId root="1.2.250.1.213.1.1.3.21"/>',
            "",
            ("entry-template", "error"),
        ),
        ('<renderMultiMedia referencedObject="', '<renderMultiMedia referencedObject="nowhere', ("image", "error")),
        ('<high value="20260314080500+0100"', '<high value="20260314080500"', ("time-offset", "warning")),
        ('<lab:statusCode code="completed"/>', '<lab:statusCode code="completed"/><!-- -->', None),
    ],
)
def test_what_no_official_rule_looks_at_is_looked_at(old: str, new: str, expected: tuple[str, str] | None) -> None:
    found = findings(old, new)

    assert expected in found if expected else found == []


def test_two_matricules_stop_a_document() -> None:
    one = 'extension="285076938314206"/>'
    two = f'{one}<id root="1.2.250.1.213.1.4.8" extension="279035121518989"/>'

    assert ("ins-several", "error") in findings(one, two)


def test_another_laboratory_than_the_keeper_may_be_a_lone_subcontractor() -> None:
    keeper = re.search(r"<representedCustodianOrganization>.*?</representedCustodianOrganization>", made())
    assert keeper is not None
    other = keeper[0].replace("990000127", "990000999")

    assert other != keeper[0]
    assert ("lone-subcontractor", "warning") in findings(keeper[0], other)


def test_a_chapter_has_a_code_and_an_act_of_the_header() -> None:
    chapter = re.search(r'<code code="([^"]+)"[^>]*/><title>Biochimie</title>', made())
    assert chapter is not None

    assert ("chapter-code", "error") in findings(chapter[0], "<title>Biochimie</title>")
    assert ("chapter-event", "warning") in findings(chapter[0], chapter[0].replace(chapter[1], "18723-7"))


@pytest.mark.parametrize(
    ("pdf", "expected"),
    [
        (b"%PDF-1.4\n%%EOF", []),
        (b"%PDF-1.4\n", ["pdf-cut"]),
        (b"%PDF-1.4\n/Encrypt 1 0 R\n%%EOF", ["pdf-locked"]),
        (b"%PDF-1.4\n<</S /JavaScript>>\n%%EOF", ["pdf-active"]),
        (b"%PDF-1.5\n<</Type /ObjStm>> stream\n" + zlib.compress(b"<</S /Launch>>") + b"\n%%EOF", ["pdf-active"]),
        (b"%PDF-1.5\n<</Type /ObjStm>> stream\nnot compressed\n%%EOF", []),
    ],
)
def test_a_pdf_is_whole_open_and_passive(pdf: bytes, expected: list[str]) -> None:
    assert [rule for rule, _ in pdf_problems(pdf)] == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("Patient : d'Artois Élodie", True), ("DARTOIS", True), ("Mme VASSEUR", True), ("", True)]
)
def test_the_text_of_a_pdf_names_the_patient(text: str, expected: bool) -> None:
    header = read_header(parse(made().encode()))

    assert shows_patient(text, header) is expected
    assert not shows_patient("Compte rendu de M. MARTIN", header)


def test_a_pdf_of_another_patient_is_noticed_where_pdf_are_read() -> None:
    page = io.BytesIO()
    sheet = Canvas(page)
    sheet.drawString(72, 720, "Compte rendu de M. MARTIN")
    sheet.save()
    root = parse(build_cr_bio(model_of(results_of()), page.getvalue()))
    header = read_header(root)

    assert Gate().verdict(root, header).findings == ()
    (found,) = Gate(reads_pdf=True, levels={"pdf-patient": "error"}).verdict(root, header).findings
    assert (found.rule, found.level) == ("pdf-patient", "error")
    assert first_page(b"%PDF-1.4 broken") == ""
