"""Findings in plain words."""

from pathlib import Path

import pytest

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.validation import validate
from cda_builder.core import explain as catalogue
from cda_builder.core.explain import LANGUAGES, explain, explained
from cda_builder.core.lint import RULES
from cda_builder.core.places import place_in_words
from cda_builder.core.verdict import ERROR, WARNING, Finding, Verdict
from labohub.standards.cda.builder import build_cr_bio
from tests.support.cda import PDF, model_of, results_of


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_of_our_own_is_explained_with_its_remedy(rule: str, lang: str) -> None:
    said = explain(Finding("lint", rule, ERROR, "/ClinicalDocument", "in short"), "fr" if lang == "fr" else "en")

    assert "in short" not in said.what
    assert said.what.endswith(".")
    assert said.remedy.endswith(".")


@pytest.mark.parametrize(
    ("step", "rule", "message", "expected"),
    [
        (
            "xsd",
            "CDA_extended.xsd",
            "Element 'title': This element is not expected. Expected is one of ( code, id ).",
            "L'élément title n'est pas à sa place ; à cet endroit le schéma attend : code, id.",
        ),
        ("xsd", "CDA_extended.xsd", "Something new.", "Le document ne suit pas le schéma CDA : Something new."),
        (
            "terminologie",
            "x",
            'Code : "G/L" (Avant transformation : "G/L") Ce code n\'est pas dans UCUM',
            "L'unité « G/L » n'est pas dans la table UCUM des unités usuelles.",
        ),
        (
            "strucmin",
            "x",
            "(CI-SISCustodian): element hl7:id[@root = '1.2'] is required [min 1x].",
            "id est obligatoire ici et manque, ou n'a pas la forme demandée [@root = '1.2'].",
        ),
        (
            "strucmin",
            "x",
            "(CI-SISAddr): element hl7:city appears too often [max 1x].",
            "city est présent trop de fois ; au plus 1.",
        ),
        ("ihe", "x", "Never seen.", "Le document ne suit pas une règle officielle : Never seen."),
        ("ihe", "evaluation", "", "Une règle officielle n'a pas pu être évaluée sur ce document."),
    ],
)
def test_official_messages_become_words_with_what_they_name(step: str, rule: str, message: str, expected: str) -> None:
    assert explain(Finding(step, rule, ERROR, "/", message), "fr").what == expected


def test_a_message_with_braces_is_only_text() -> None:
    said = explain(Finding("ihe", "x", ERROR, "/", "in {0} and {value}"), "en")

    assert said.what.endswith("in {0} and {value}")


def test_errors_come_first_then_the_order_of_the_document() -> None:
    findings = [
        Finding("lint", "reference", WARNING, "/", "", 1),
        *(Finding("lint", "pdf", ERROR, "/", "", n) for n in (9, 3)),
    ]

    assert [each.line for each in explained(Verdict(True, tuple(findings)), "fr")] == [3, 9, 1]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ClinicalDocument[1]", "le document"),
        ("/ClinicalDocument[1]/recordTarget[1]/patientRole[1]/patient[1]/name[1]", "patient › nom"),
        ("/ClinicalDocument/documentationOf[2]/serviceEvent/performer", "acte documenté 2 › laboratoire exécutant"),
        (
            "/ClinicalDocument[1]/component[1]/structuredBody[1]/component[2]/section[1]/entry[1]/act[1]"
            "/entryRelationship[3]/observation[1]/referenceRange[1]/observationRange[1]/value[1]/low[1]",
            "section 2 › entrée 1 › résultat 3 › intervalle de référence › valeur › low",
        ),
    ],
)
def test_a_place_is_said_in_words(path: str, expected: str) -> None:
    assert place_in_words(path, "fr") == expected


def test_every_entry_of_the_catalogue_has_both_languages_and_only_names_what_it_finds() -> None:
    entries = catalogue._official()

    assert len(entries) > 60
    for _, pattern, texts in entries:
        known = dict.fromkeys(pattern.groupindex, "x")
        for lang in LANGUAGES:
            what, remedy = (part.format_map(known) for part in texts[lang])
            assert len(what) > 10
            assert len(remedy) > 10


def test_without_official_rules_it_is_said_plainly() -> None:
    (checked,) = validate(build_cr_bio(model_of(results_of()), PDF), "report.xml", Gate(), "fr")

    assert (checked.conformance, checked.findings) == ("not-configured", ())
    assert "ne sont pas installées" in checked.note


@pytest.mark.parametrize(
    ("data", "rule"), [(b"<a", "xml-malformed"), (b"<a/>", "cda-malformed"), (b"PK..", "xdm-archive")]
)
def test_what_is_no_document_is_said_too(data: bytes, rule: str) -> None:
    (checked,) = validate(data, "x", Gate(), "en")

    assert [each.rule for each in checked.findings] == [rule]
    assert not checked.conforms


def test_explanations_never_reach_beyond_their_file(tmp_path: Path) -> None:
    entity = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'

    (checked,) = validate(entity, str(tmp_path), Gate(), "fr")

    assert [each.rule for each in checked.findings] == ["xml-malformed"]
