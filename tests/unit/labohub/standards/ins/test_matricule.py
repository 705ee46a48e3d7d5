"""The matricule INS: the project's own vectors, and the shared ones when they lie beside the repository."""

import csv
from pathlib import Path

import pytest

from labohub.standards.ins import matricule
from labohub.standards.ins.matricule import Origin

ROOT = Path(__file__).parents[5]
OWN = ROOT / "tests/data/ins/matricules.csv"
SHARED = ROOT.parent / "shared/data/ins/vectors.csv"


def rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows(OWN), ids=lambda row: row["reason"])
def test_each_own_vector_has_its_verdict_and_reason(row: dict[str, str]) -> None:
    verdict = matricule.check(
        row["matricule"], row["oid"], environment=row["environment"], origin=Origin(row["origin"])
    )

    assert (verdict.outcome, verdict.reason) == (row["outcome"], row["reason"])


def test_all_shared_vectors_have_their_verdict_on_the_wire_and_at_the_keyboard() -> None:
    differences = []
    for row in rows(SHARED):
        environment, origin = row["env"], Origin(row["origin"])
        wire = matricule.check(row["raw"], row["oid"], environment=environment, origin=origin)
        entry = matricule.check(matricule.typed(row["raw"]), row["oid"], environment=environment, origin=origin)
        expected = (row["wire_verdict"], row["wire_reason"], row["entry_verdict"], row["entry_reason"])
        if (*wire, *entry) != expected:
            differences.append((row["id"], wire, entry, expected))

    assert differences == []


def test_all_shared_keys_are_found() -> None:
    for row in rows(SHARED):
        if row["computed_key"]:
            assert matricule.control_key(matricule.typed(row["raw"])[:13]) == int(row["computed_key"]), row["id"]


def test_a_number_divisible_by_97_has_the_key_97() -> None:
    body = "1850663220966"
    assert int(body) % 97 == 0
    assert matricule.control_key(body) == 97


def test_a_key_below_ten_keeps_its_zero() -> None:
    assert matricule.with_key("2850663220915") == "285066322091501"


@pytest.mark.parametrize(
    "body", ["", "185066322096", "18506632209666", "1850663A20966", "١850663220966", "1850663220966\n"]
)
def test_a_key_of_something_else_is_refused(body: str) -> None:
    with pytest.raises(matricule.MatriculeMalformed) as error:
        matricule.control_key(body)
    assert body not in str(error.value) or not body
