"""The laboratory's catalogue: read as it is exchanged, never guessed, its coverage counted by volume."""

from pathlib import Path

import pytest

from cda_builder.core.catalogue import Catalogue, Exam, Seen, seen_in
from cda_builder.core.catalogue_file import CatalogueUnreadable, Problem, read_catalogue
from cda_builder.core.coverage import coverage_of
from labohub.standards.cda.tables import labels
from labohub.standards.cda.units import ucum_unit
from labohub.standards.loinc import is_loinc
from tests.support.cda import POTASSIUM, SODIUM, battery, result, results_of
from tests.support.microbiology import antibiogram

HEAD = "Code local;Libellé;Code LOINC;Unité;Chapitre;Accrédité\n"


def said(text: str) -> list[Problem]:
    return list(read_catalogue(text.encode()).problems)


def test_a_line_becomes_an_exam() -> None:
    (exam,) = read_catalogue(f"{HEAD}NA;Sodium;2951-2;mmol/L;Biochimie;oui\n".encode()).exams

    assert exam == Exam(code="NA", label="Sodium", loinc="2951-2", unit="mmol/L", chapter="18719-5")


@pytest.mark.parametrize(
    "data",
    [
        b"code,libelle,loinc\nNA,Sodium,2951-2\n",
        "CODE\tLIBELLÉ\tLOINC\r\nNA\tSodium\t2951-2\r\n".encode("cp1252"),
        "\ufeffCode_local;Libelle_local;LOINC_1;LOINC_2\nNA;Sodium;2951-2;\n\n".encode(),
        b'code;label;loinc\n"NA";"Sodium";"2951-2"\n',
    ],
    ids=["commas", "tabs and Windows", "exchange form", "quotes"],
)
def test_the_form_of_the_file_does_not_matter(data: bytes) -> None:
    assert read_catalogue(data).exams == (Exam(code="NA", label="Sodium", loinc="2951-2"),)


def test_a_wrong_loinc_code_is_said_and_left_out() -> None:
    read = read_catalogue(f"{HEAD}NA;Sodium;2951-3;mmol/L;;\n".encode())

    assert read.problems == (Problem(2, "NA", "error", "no LOINC code: 2951-3"),)
    assert read.exams[0].loinc == ""


def test_two_loinc_codes_for_one_exam_are_no_choice() -> None:
    read = read_catalogue(b"code;LOINC_1;LOINC_2\nNA;2951-2;2947-0\n")

    assert [each.level for each in read.problems] == ["error"]
    assert read.exams[0].loinc == ""


def test_one_code_described_twice_keeps_the_first_and_says_so() -> None:
    read = read_catalogue(f"{HEAD}NA;Sodium;2951-2;;;\nNA;Sodium;2823-3;;;\n".encode())

    assert [(each.line, each.level) for each in read.problems] == [(3, "error")]
    assert [each.loinc for each in read.exams] == ["2951-2"]


def test_units_and_chapters_that_are_unknown_are_said_and_the_line_is_kept() -> None:
    problems = said(f"{HEAD}X;Examen;;furlong/L;Astrologie;non\n")

    assert [each.level for each in problems] == ["warning", "warning"]
    (exam,) = read_catalogue(f"{HEAD}X;Examen;;G/L;;non\n".encode()).exams
    assert (exam.unit, exam.accredited) == ("10*9/L", False)


def test_the_official_list_gives_its_labels_and_says_what_it_does_not_know() -> None:
    official = {"2951-2": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"}
    read = read_catalogue(b"code;loinc\nNA;2951-2\nK;2823-3\n", official)

    assert read.exams[0].loinc_label == official["2951-2"]
    assert [(each.code, each.level) for each in read.problems] == [("K", "warning")]


@pytest.mark.parametrize("data", [b"", b"nom;prix\na;b\n", b"\x81\x8d;\xff\n"])
def test_what_is_no_catalogue_is_refused(data: bytes) -> None:
    with pytest.raises(CatalogueUnreadable):
        read_catalogue(data)


def test_a_code_is_looked_up_in_its_own_table_first() -> None:
    catalogue = Catalogue((Exam(code="NA", loinc="2951-2"), Exam(system="99B", code="NA", loinc="2947-0")))

    found = [catalogue.find(system, "NA") for system in ("99A", "99B")]

    assert [each.loinc for each in found if each] == ["2951-2", "2947-0"]
    assert catalogue.find("99A", "K") is None


def test_a_document_takes_along_only_what_it_needs() -> None:
    catalogue = Catalogue((Exam(code="NA"), Exam(code="ATB"), Exam(code="ZZ")))

    needed = catalogue.needed_by(results_of(battery(result()), antibiogram("1")))

    assert len(needed) == 2
    assert needed.find("", "ZZ") is None


def test_coverage_counts_results_not_codes() -> None:
    own = ("X1", "Examen maison", "", "")
    seen = seen_in(results_of(battery(result(), result(POTASSIUM), result(own), result(own))), "LABO")
    exams = (Exam(code="X9"),)

    found = coverage_of(seen, {"LABO": Catalogue(exams)})

    assert (found.results, found.by_message, found.by_catalogue, found.covered_fraction) == (4, 2, 0, 0.5)
    assert [(each.code, each.results, each.known) for each in found.uncovered] == [("X1", 2, False)]


def test_the_catalogue_covers_what_messages_leave_out_and_their_differences_are_said() -> None:
    own = ("X1", "Examen maison", "", "")
    seen = seen_in(results_of(battery(result(SODIUM, unit="g/L"), result(own))), "LABO")
    exams = (Exam(code="X1", loinc="2823-3"), Exam(code="NA", loinc="2947-0", unit="mmol/L"))

    found = coverage_of(seen, {"LABO": Catalogue(exams)})

    assert (found.by_message, found.by_catalogue, found.uncovered) == (1, 1, ())
    assert [(each.field, each.message, each.catalogue) for each in found.conflicts] == [
        ("loinc", "2951-2", "2947-0"),
        ("unit", "g/L", "mmol/L"),
    ]


def test_nothing_seen_is_nothing_uncovered() -> None:
    assert coverage_of((), {}).covered_fraction == 1.0
    assert coverage_of((Seen(system="", code="A"),), {"": Catalogue()}).covered_fraction == 1.0


def test_a_line_without_local_code_is_left_out_with_a_word() -> None:
    read = read_catalogue(b"code;loinc\n;2951-2\nK;2823-3\n")

    assert [(each.line, each.level) for each in read.problems] == [(2, "warning")]
    assert [each.code for each in read.exams] == ["K"]


START = Path(__file__).resolve().parents[3] / "examples" / "catalogue.csv"
ROWS = [line.split(";") for line in START.read_text(encoding="utf-8").splitlines()[1:]]


def test_the_catalogue_to_start_from_is_long_enough_and_describes_no_exam_twice() -> None:
    assert len(ROWS) >= 150
    assert len({row[2] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[2] for row in ROWS])
def test_each_line_of_it_has_a_label_a_loinc_code_a_ucum_unit_and_a_chapter(row: list[str]) -> None:
    _, label, loinc, unit, chapter = row

    assert label.strip()
    assert is_loinc(loinc)
    assert unit == "" or ucum_unit(unit) == unit
    assert chapter in labels("chapters").values()


def test_completed_with_local_codes_it_is_imported_without_a_word() -> None:
    lines = "\n".join(f"L{rank};{';'.join(row[1:])}" for rank, row in enumerate(ROWS))
    read = read_catalogue(f"code;libellé;LOINC;unité;chapitre\n{lines}".encode())

    assert read.problems == ()
    assert len(read.exams) == len(ROWS)
