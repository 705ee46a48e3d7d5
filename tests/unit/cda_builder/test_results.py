"""One OBX to one observation: numbers keep their digits, units their dimension, and nothing is guessed."""

from zoneinfo import ZoneInfo

import pytest

from cda_builder.core.errors import CdaNotSupportedYet
from cda_builder.core.results import exam_codes, interpretations_of, range_of, value_of
from labohub.contracts.laboratory import Code
from labohub.standards.cda import Coded
from labohub.standards.cda.builder import Bound, CodedText, Interval, Moment, Number, Plain, Quantity, Range, Value
from tests.support.cda import SODIUM, result

PARIS = ZoneInfo("Europe/Paris")


def read(kind: str, text: str, unit: str = "", code: Code | None = None) -> tuple[Value | None, str]:
    return value_of(result(value_type=kind, value=text, unit=unit, value_code=code), PARIS, lambda name: f"9.{name}")


@pytest.mark.parametrize(
    ("kind", "text", "unit", "value", "printed"),
    [
        ("NM", "5.20", "mmol/L", Quantity("5.20", "mmol/L"), "5.20"),
        ("NM", "-1.50", "mmol/L", Quantity("-1.50", "mmol/L"), "-1.50"),
        ("NM", "4.5", "G/L", Quantity("4.5", "10*9/L"), "4.5"),
        ("NM", "4.5", "10*9/L", Quantity("4.5", "10*9/L"), "4.5"),
        ("NM", "54", "mL/min/{1.73_m2}", Quantity("54", "mL/min"), "54"),
        ("NM", "2.1", "", Number("2.1"), "2.1"),
        ("NM", "2.1", "{INR}", Number("2.1"), "2.1"),
        ("NM", "2.1", "furlong/L", Plain("2.1 furlong/L"), "2.1"),
        ("NM", "5,2", "mmol/L", Plain("5,2"), "5,2"),
        ("NM", "1e3", "mmol/L", Plain("1e3"), "1e3"),
        ("NM", "", "mmol/L", None, ""),
        ("SN", "<^0.5", "mg/L", Bound("0.5", "mg/L", upper=True), "< 0.5"),
        ("SN", "<=^0.5", "mg/L", Bound("0.5", "mg/L", upper=True, inclusive=True), "<= 0.5"),
        ("SN", ">^100", "mg/L", Bound("100", "mg/L", upper=False), "> 100"),
        ("SN", "^10^-^15", "/[HPF]", Interval("10", "15", "/[HPF]"), "10 - 15"),
        ("SN", "^1^:^160", "", Plain("1:160"), "1:160"),
        ("SN", "^1.42^/^1", "", Plain("1.42/1"), "1.42/1"),
        ("SN", "^2^+", "", Plain("2+"), "2+"),
        ("SN", "^7.2", "mmol/L", Quantity("7.2", "mmol/L"), "7.2"),
        ("SN", "<0.5", "mg/L", Bound("0.5", "mg/L", upper=True), "< 0.5"),
        ("SN", "environ", "mg/L", Plain("environ"), "environ"),
        ("ST", "Non réactif", "", Plain("Non réactif"), "Non réactif"),
        ("TX", "a\nb", "", Plain("a\nb"), "a\nb"),
        ("TS", "20260314073000+0100", "", Moment("20260314073000+0100"), "14/03/2026 07:30"),
        ("DT", "20260220", "", Moment("20260220"), "20/02/2026"),
        ("DT", "hier", "", Plain("hier"), "hier"),
        ("NA", "1^2^3", "", Plain("1^2^3"), "1^2^3"),
    ],
)
def test_a_value_keeps_its_digits(kind: str, text: str, unit: str, value: Value | None, printed: str) -> None:
    assert read(kind, text, unit) == (value, printed)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (Code(code="10828004", label="Positive", system="SCT"), ("10828004", "2.16.840.1.113883.6.96")),
        (Code(code="POS", label="Positif", system="99LAB"), ("POS", "9.99LAB")),
        (Code(code="Y", label="Oui", system="HL70136"), ("Y", "2.16.840.1.113883.12.136")),
    ],
)
def test_a_coded_value_has_a_system(code: Code, expected: tuple[str, str]) -> None:
    value, printed = read("CE", "", code=code)

    assert isinstance(value, CodedText)
    assert value.code is not None
    assert (value.code.code, value.code.system) == expected
    assert printed == code.label


def test_a_coded_value_in_words_alone_is_words() -> None:
    assert read("CWE", "", code=Code(code="", label="Aspect lactescent")) == (
        CodedText("Aspect lactescent"),
        "Aspect lactescent",
    )


def test_an_embedded_object_is_refused_by_name() -> None:
    with pytest.raises(CdaNotSupportedYet):
        read("ED", "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("136-145", Range("136-145", "136", "145", "mmol/L")),
        ("0,5 - 4,0", Range("0,5 - 4,0", "0.5", "4.0", "mmol/L")),
        ("-2.0-3.0", Range("-2.0-3.0", "-2.0", "3.0", "mmol/L")),
        ("<5", Range("<5", "", "5", "mmol/L", high_inclusive=False)),
        (">= 60", Range(">= 60", "60", "", "mmol/L")),
        ("F: 12-16", Range("F: 12-16")),
        ("Négatif", Range("Négatif")),
        ("3-5 puis 6-8", Range("3-5 puis 6-8")),
        ("", None),
    ],
)
def test_a_range_is_read_only_when_it_is_unambiguous(text: str, expected: Range | None) -> None:
    assert range_of(result(reference_range=text)) == expected


def test_a_range_without_a_known_unit_stays_words() -> None:
    assert range_of(result(reference_range="1-2", unit="furlong/L")) == Range("1-2")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("H",), ("H",)),
        (("A", "HH"), ("HH", "A")),
        (("MS",), ()),
        (("null", "N"), ("N",)),
        (("D", "L"), ("L", "D")),
        ((), ()),
    ],
)
def test_flags_are_kept_never_computed(flags: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert interpretations_of(result(flags=flags)) == expected


def test_an_exam_without_loinc_gives_none() -> None:
    loinc, local, name = exam_codes(result(("X1", "Examen maison", "", "")), "1.2.3")

    assert loinc is None
    assert local == Coded("X1", "1.2.3", "Examen maison", "99LAB")
    assert name == "Examen maison"


def test_the_printed_name_is_the_laboratorys_and_the_label_is_loincs() -> None:
    loinc, _, name = exam_codes(result(SODIUM), "1.2.3")

    assert name == "Sodium"
    assert loinc is not None
    assert loinc.label == "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"
