"""Units: only spellings change."""

import pytest

from labohub.standards.cda.tables import rows
from labohub.standards.cda.units import is_usual, ucum_unit


@pytest.mark.parametrize(
    ("printed", "ucum"),
    [
        ("mmol/L", "mmol/L"),
        ("G/L", "10*9/L"),
        ("T/L", "10*12/L"),
        ("µmol/L", "umol/L"),
        ("μmol/L", "umol/L"),
        ("UI/L", "[IU]/L"),
        ("mUI/L", "m[IU]/L"),
        ("mL/min/{1.73_m2}", "mL/min"),
        ("mL/min/1,73 m²", "mL/min"),
        ("mg/L{FEU}", "mg/L"),
        ("{CFU}/mL", "[CFU]/mL"),
        ("[arb'U]/mL", "[arb'U]/mL"),
        ("mg/mmol{creat}", "mg/mmol{creat}"),
        ("{copies}/mL", "{copies}/mL"),
        ("", ""),
        ("1", ""),
        ("{INR}", ""),
        ("furlong/L", None),
        ("g/L)", None),
        ("10*5/mL", None),
    ],
)
def test_a_printed_unit_has_one_accepted_spelling_or_none(printed: str, ucum: str | None) -> None:
    assert ucum_unit(printed) == ucum


def test_every_spelling_of_the_table_is_accepted() -> None:
    assert [row for row in rows("unit_spelling") if not is_usual(row[1])] == []


def test_an_accepted_unit_is_never_respelled() -> None:
    respelled = [row[0] for row in rows("ucum_usual") if ucum_unit(row[0]) not in (row[0], "")]

    assert respelled == []
