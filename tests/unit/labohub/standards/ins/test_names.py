"""Names in INSi's alphabet, and how two sources compare."""

import csv
from pathlib import Path

import pytest

from labohub.standards.ins import names, search_plan
from labohub.standards.ins.names import Field, Likeness, NameRefused

ROOT = Path(__file__).parents[5]
SHARED = ROOT.parent / "shared/data/ins/names.csv"


def shared(kind: str) -> list[dict[str, str]]:
    if not SHARED.exists():
        return []
    with SHARED.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def normalised(text: str, field: Field) -> tuple[str, str, str]:
    try:
        value = names.normalise(text, field)
    except NameRefused as error:
        return ("reject", "", error.reason)
    return ("ok", value, "UNCHANGED" if value == text else "CHANGED")


def test_all_shared_names_are_normalised_or_refused_with_their_reason() -> None:
    found = {row["id"]: normalised(row["local_value"], Field(row["field"])) for row in shared("normalise")}
    expected = {row["id"]: (row["expected"], row["expected_value"], row["reason"]) for row in shared("normalise")}

    assert found == expected


def test_all_shared_comparisons_agree() -> None:
    compare = {
        "nom": names.compare_names,
        "premier_prenom_liste": names.compare_first_given_name,
        "liste": names.compare_given_names,
    }
    for row in shared("compare"):
        found = compare[row["field"]](row["local_value"], row["insi_value"])
        assert (found.likeness, found.reason) == (row["expected"], row["reason"]), row["id"]


def test_all_shared_search_plans_agree() -> None:
    for row in shared("search_plan"):
        assert search_plan.given_name_values(row["local_value"]) == tuple(row["expected_value"].split("|")), row["id"]


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("Le\u00a0Fèvre", Field.BIRTH_NAME, "LE FEVRE"),
        ("L’Hermitte", Field.BIRTH_NAME, "L'HERMITTE"),
        ("Kœnig–Weiß", Field.BIRTH_NAME, "KOENIG-WEISS"),
        ("Ǿyvind Đorđe", Field.GIVEN_NAMES, "OYVIND DORDE"),
        ("Nguyễn", Field.BIRTH_NAME, "NGUYEN"),
        ("Ünal--Kaya", Field.BIRTH_NAME, "UNAL--KAYA"),
        ("Şükrü İpek", Field.GIVEN_NAMES, "SUKRU IPEK"),
    ],
)
def test_what_has_an_equivalent_is_transliterated(text: str, field: Field, expected: str) -> None:
    assert names.normalise(text, field) == expected


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("Ωmega", Field.BIRTH_NAME, "CHARSET"),
        ("Йорк", Field.BIRTH_NAME, "CHARSET"),
        ("JEAN3", Field.GIVEN_NAME, "CHARSET"),
        ("'", Field.BIRTH_NAME, "CHARSET"),
        ("ANNE\tLISE", Field.GIVEN_NAMES, "CHARSET"),
        ("\u0301A", Field.BIRTH_NAME, "CHARSET"),
        ("JEAN --LUC", Field.GIVEN_NAMES, "SPACE_HYPHEN"),
        ("LUC--JEAN", Field.GIVEN_NAMES, "DOUBLE_HYPHEN"),
        ("\u2014DUPUIS", Field.BIRTH_NAME, "FIRST_CHAR"),
    ],
)
def test_what_has_none_is_refused_and_never_dropped(text: str, field: Field, reason: str) -> None:
    with pytest.raises(NameRefused) as error:
        names.normalise(text, field)

    assert error.value.reason == reason
    assert text not in str(error.value)


@pytest.mark.parametrize(
    ("local", "insi", "likeness"),
    [
        ("Anne-Lise", "ANNE LISE SOPHIE", Likeness.TOLERATED),
        ("ANNE", "ANNE LISE SOPHIE", Likeness.IDENTICAL),
        ("ANN", "ANNE LISE SOPHIE", Likeness.MISMATCH),
        ("LISE", "ANNE LISE SOPHIE", Likeness.MISMATCH),
        ("", "ANNE", Likeness.MISMATCH),
        ("-", "ANNE", Likeness.MISMATCH),
    ],
)
def test_a_first_name_is_the_beginning_of_the_list(local: str, insi: str, likeness: Likeness) -> None:
    assert names.compare_first_given_name(local, insi).likeness is likeness


def test_two_empty_names_are_not_the_same_person() -> None:
    assert names.compare_names("", "").likeness is Likeness.MISMATCH
    assert names.compare_given_names("", "").likeness is Likeness.MISMATCH
