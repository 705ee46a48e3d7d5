"""The hub's own checks and the version that a document declares."""

import pytest

from cda_builder.core.lint import lint
from cda_builder.core.relay import plain
from cda_builder.core.verdict import Finding, Verdict
from cda_builder.core.volet import volet_of
from labohub.standards.cda import read_header
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.xml import parse
from tests.support.cda import IDENTITY, PDF, model_of, results_of


def findings(old: str = "", new: str = "") -> list[tuple[str, str]]:
    """Return (rule, level) of a document of ours in which one text is another."""
    made = build_cr_bio(model_of(results_of()), PDF).decode()
    assert old in made
    root = parse((made.replace(old, new) if old else made).encode())
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
