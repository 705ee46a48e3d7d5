"""What a new version says of the one it replaces: nothing is changed in silence, nothing of another person is told."""

from typing import Any

import pytest

from cda_builder.core.errors import CdaNoResult
from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import LaboratoryReport
from labohub.standards.cda.builder import CrBio
from tests.support.cda import IDENTITY, POTASSIUM, PROFILE, battery, report_of, result, results_of
from tests.support.microbiology import antibiogram, antibiotic, culture

GONE = "Potassium : résultat annulé. Ne pas tenir compte de la valeur transmise auparavant."
AT = "20260314111230+0100"


def after(before: LaboratoryReport | None, now: LaboratoryReport) -> CrBio:
    numbering = Numbering(2, "2.25.1.1", 1, AT, before)
    return cr_bio(report_of(), now, IDENTITY, PROFILE, numbering)


def said(before: LaboratoryReport, now: LaboratoryReport) -> tuple[str, ...]:
    """Return the sentences on what changed, without the first, which names the version replaced."""
    (note,) = [note for note in after(before, now).opening if note.title == "Modifications"]
    assert note.lines[0] == "Ce compte rendu annule et remplace la version 1 du 14/03/2026 à 11:12."
    return note.lines[1:]


def potassium(value: str = "5.6", **changes: Any) -> LaboratoryReport:
    return results_of(battery(result(), result(POTASSIUM, value, **changes)))


@pytest.mark.parametrize(
    ("before", "now", "sentences"),
    [
        ({}, {"value": "4.6", "status": "C"}, ("Potassium : 4.6 mmol/L, transmis auparavant : 5.6 mmol/L.",)),
        ({}, {"unit": "mg/L"}, ("Potassium : 5.6 mg/L, transmis auparavant : 5.6 mmol/L.",)),
        ({}, {}, ("Les résultats sont inchangés.",)),
        ({"status": "P"}, {}, ("Potassium : 5.6 mmol/L, résultat définitif, auparavant provisoire.",)),
        ({"status": "I", "value": ""}, {}, ("Ajouté : Potassium.",)),
        ({}, {"status": "X"}, (GONE,)),
        ({"status": "X"}, {}, ("Potassium : 5.6 mmol/L, transmis auparavant : non réalisé.",)),
        ({}, {"status": "D"}, (GONE,)),
        ({}, {"status": "W"}, (GONE,)),
        ({"flags": ("N",)}, {"flags": ("H",)}, ("Potassium : interprétation Anormalement haut, auparavant Normal.",)),
        (
            {"reference_range": "3-5"},
            {"reference_range": "3-6"},
            ("Potassium : valeurs de référence 3-6, auparavant 3-5.",),
        ),
        ({}, {"comments": ("Hémolyse.",)}, ("Potassium : commentaire modifié.",)),
    ],
)
def test_each_change_is_said(before: dict[str, Any], now: dict[str, Any], sentences: tuple[str, ...]) -> None:
    assert said(potassium(**before), potassium(**now)) == sentences


def test_the_value_of_a_result_that_is_no_longer_there_is_not_repeated() -> None:
    assert said(potassium("7.7"), results_of(battery(result()))) == (GONE,)


def test_the_antibiotics_of_two_germs_are_told_apart() -> None:
    one = results_of(culture(), antibiogram("1"), antibiogram("2", antibiotic("Amoxicilline", "^1", "S")))
    two = results_of(culture(), antibiogram("1"), antibiogram("2", antibiotic("Amoxicilline", "^4", "R")))

    assert said(one, two) == (
        "Amoxicilline : 4 mg/L, transmis auparavant : 1 mg/L.",
        "Amoxicilline : interprétation Résistant, auparavant Sensible.",
    )


def test_when_the_former_results_are_no_longer_kept_the_replacement_is_still_said() -> None:
    (note,) = after(None, potassium()).opening

    assert note.lines == ("Ce compte rendu annule et remplace la version 1 du 14/03/2026 à 11:12.",)


def test_a_first_version_says_nothing_of_changes() -> None:
    assert cr_bio(report_of(), potassium(), IDENTITY, PROFILE, Numbering(1)).opening == ()


def test_withdrawing_everything_without_saying_so_publishes_nothing() -> None:
    with pytest.raises(CdaNoResult):
        after(potassium(), results_of(battery(result(status="W"))))
