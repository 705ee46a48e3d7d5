"""One OBX to one observation: numbers keep their digits, units their dimension, and nothing is guessed."""

from zoneinfo import ZoneInfo

import pytest

from cda_builder.core.catalogue import Catalogue, Exam
from cda_builder.core.context import Context
from cda_builder.core.readings import read_code, read_value
from cda_builder.core.results import exam_codes, interpretation_words, interpretations_of, previous_of, range_of
from labohub.contracts.laboratory import Code, PreviousResult
from labohub.standards.cda import Coded, Id
from labohub.standards.cda.builder import (
    Bound,
    CodedText,
    Interval,
    Moment,
    Number,
    Plain,
    Previous,
    Quantity,
    Range,
    Ratio,
    Value,
)
from tests.support.cda import PROFILE, SODIUM, result

PARIS = ZoneInfo("Europe/Paris")
CONTEXT = Context(PROFILE, Id("1.2", "3"), PARIS)


def system_of(name: str) -> str:
    return f"9.{name}"


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
        ("NM", "\u0663.5", "mmol/L", Plain("\u0663.5"), "\u0663.5"),
        ("NM", "", "mmol/L", None, ""),
        ("SN", "<^0.5", "mg/L", Bound("0.5", "mg/L", upper=True), "< 0.5"),
        ("SN", "<=^0.5", "mg/L", Bound("0.5", "mg/L", upper=True, inclusive=True), "<= 0.5"),
        ("SN", ">^100", "mg/L", Bound("100", "mg/L", upper=False), "> 100"),
        ("SN", "^10^-^15", "/[HPF]", Interval("10", "15", "/[HPF]"), "10 - 15"),
        ("SN", "^1^:^160", "", Ratio("1", "160"), "1:160"),
        ("SN", "^1.42^/^1", "", Ratio("1.42", "1"), "1.42/1"),
        ("SN", "^4^:^76", "mg/L", Ratio("4", "76", "mg/L"), "4:76"),
        ("SN", "<=^4^:^76", "mg/L", Plain("<= 4:76 mg/L"), "<= 4:76"),
        ("SN", "^2^+", "", Plain("2+"), "2+"),
        ("SN", "^7.2", "mmol/L", Quantity("7.2", "mmol/L"), "7.2"),
        ("SN", "<0.5", "mg/L", Bound("0.5", "mg/L", upper=True), "< 0.5"),
        ("SN", "environ", "mg/L", Plain("environ"), "environ"),
        ("ST", "Non réactif", "", Plain("Non réactif"), "Non réactif"),
        ("TX", "a\nb", "", Plain("a\nb"), "a\nb"),
        ("TS", "20260314073000+0100", "", Moment("20260314073000+0100"), "14/03/2026 07:30"),
        ("DT", "20260220", "", Moment("20260220"), "20/02/2026"),
        ("DT", "hier", "", Plain("hier"), "hier"),
        ("NA", "1^2^3~4^5^6", "", Plain("1 ; 2 ; 3\n4 ; 5 ; 6"), "1 ; 2 ; 3\n4 ; 5 ; 6"),
        ("TM", "0730", "", Plain("07:30"), "07:30"),
        ("TM", "midi", "", Plain("midi"), "midi"),
        ("XCN", "99700002019^TAVERNIER&de^Luc^^^^^^ASIP", "", Plain("Luc TAVERNIER"), "Luc TAVERNIER"),
        ("EI", "ABC123^SGL^1.2.3^ISO", "", Plain("ABC123"), "ABC123"),
        ("CX", "POCHE-77^^^EFS", "", Plain("POCHE-77"), "POCHE-77"),
        ("DR", "20260314^20260315", "", Plain("14/03/2026 - 15/03/2026"), "14/03/2026 - 15/03/2026"),
        ("CE", "Rares", "", CodedText("Rares"), "Rares"),
    ],
)
def test_a_value_keeps_its_digits(kind: str, text: str, unit: str, value: Value | None, printed: str) -> None:
    assert read_value(kind, text, unit, PARIS) == (value, printed)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (Code(code="10828004", label="Positive", system="SCT"), ("10828004", "2.16.840.1.113883.6.96")),
        (Code(code="POS", label="Positif", system="99LAB"), ("POS", "9.99LAB")),
        (Code(code="Y", label="Oui", system="HL70136"), ("Y", "2.16.840.1.113883.12.136")),
    ],
)
def test_a_coded_value_has_a_system(code: Code, expected: tuple[str, str]) -> None:
    value, printed = read_code(code, (), system_of)

    assert isinstance(value, CodedText)
    assert value.code is not None
    assert (value.code.code, value.code.system) == expected
    assert printed == code.label


def test_a_coded_value_in_words_alone_is_words() -> None:
    assert read_code(Code(code="", label="Aspect lactescent"), (), system_of) == (
        CodedText("Aspect lactescent"),
        "Aspect lactescent",
    )


def test_a_published_code_comes_before_a_local_one_and_the_senders_words_are_printed() -> None:
    local = Code(code="POS", label="Positif", system="99LAB")
    published = Code(code="10828004", label="Positive", system="SCT")

    value, printed = read_code(local, (published,), system_of)

    assert isinstance(value, CodedText)
    assert value.code is not None
    assert value.code.code == "10828004"
    assert [each.code for each in value.translations] == ["POS"]
    assert printed == "Positif"


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
    assert interpretations_of(flags) == expected


@pytest.mark.parametrize(
    ("flags", "method", "words"),
    [
        (("H",), "", ""),
        (("MS",), "", "Modérément sensible"),
        (("H", "??"), "", "Anormalement haut, ??"),
        (("I",), "Diffusion", ""),
        (("I",), "CMI (EUCAST 2025)", "Sensible à forte posologie"),
        (("I",), "CA-SFM 2024", "Sensible à forte posologie"),
        (("null",), "", ""),
    ],
)
def test_flags_unknown_to_cda_are_said_in_words(flags: tuple[str, ...], method: str, words: str) -> None:
    assert interpretation_words(flags, method, CONTEXT) == words


def test_an_earlier_result_is_compared_only_in_the_same_unit_and_with_its_date() -> None:
    earlier = (
        PreviousResult(value_type="NM", value="135", unit="mmol/L", flags=("L",), observed_at="202511030815"),
        PreviousResult(value_type="NM", value="3.1", unit="g/L", observed_at="20251001"),
        PreviousResult(value_type="NM", value="140", unit="mmol/L", observed_at=""),
    )

    first, other, undated = previous_of(result(previous=earlier), CONTEXT)

    assert first == Previous(Quantity("135", "mmol/L"), "135", "mmol/L", "202511030815+0100", "L")
    assert (other.comparable, undated.comparable) == (False, False)


def exam_of(exam: tuple[str, str, str, str], context: Context = CONTEXT) -> tuple[Coded | None, Coded | None, str]:
    one = result(exam)
    return exam_codes(one.local_code, one.loinc, context)


def test_an_exam_without_loinc_gives_none() -> None:
    loinc, local, name = exam_of(("X1", "Examen maison", "", ""))

    assert loinc is None
    assert local == Coded("X1", CONTEXT.code_system("99LAB"), "Examen maison", "99LAB")
    assert name == "Examen maison"


def test_the_printed_name_is_the_laboratorys_and_the_label_is_loincs() -> None:
    loinc, _, name = exam_of(SODIUM)

    assert name == "Sodium"
    assert loinc is not None
    assert loinc.label == "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"


def test_the_catalogue_gives_the_loinc_that_the_message_lacks_and_never_another() -> None:
    exams = (Exam(system="99LAB", code="X1", loinc="2951-2", loinc_label="Sodium"), Exam(code="NA", loinc="2823-3"))
    context = Context(PROFILE, Id("1.2", "3"), PARIS, Catalogue(exams))

    mapped, _, _ = exam_of(("X1", "Natrémie", "", ""), context)
    kept, _, _ = exam_of(SODIUM, context)

    assert mapped is not None
    assert (mapped.code, mapped.label) == ("2951-2", "Sodium")
    assert kept is not None
    assert kept.code == "2951-2"
