"""Germs and antibiograms: attached by what the message names, never by position."""

import pytest

from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import Battery, Code, LaboratoryReport, ParentResult, Specimen
from labohub.standards.cda.builder import Chapter, Quantity, Ratio, build_cr_bio
from tests.support.cda import IDENTITY, NS, PDF, PROFILE, CdaView, battery, model_of, report_of, result, results_of
from tests.support.microbiology import COLI, COUNT, CULTURE, antibiogram, antibiotic, category_of, culture, germ


def chapter_of(*batteries: Battery) -> Chapter:
    (chapter,) = model_of(results_of(*batteries)).chapters
    return chapter


def test_each_germ_has_what_identifies_it_what_counts_it_and_its_own_antibiogram() -> None:
    chapter = chapter_of(culture(), antibiogram("2", antibiotic("Vancomycine", "^2", "S")), antibiogram("1"))

    (made,) = chapter.batteries
    assert [each.label for each in made.observations] == ["Leucocytes"]
    coli, faecalis = made.isolates
    assert (coli.label, faecalis.label) == ("Escherichia coli", "Enterococcus faecalis")
    assert coli.organism is not None
    assert (coli.organism.code, faecalis.organism) == ("112283007", None)
    assert [each.label for each in coli.observations] == ["Culture bactérienne", "Numération"]
    assert [len(each.antibiograms[0].observations) for each in (coli, faecalis)] == [5, 1]
    assert coli.id != faecalis.id


def test_an_antibiotic_keeps_its_concentration_and_its_category() -> None:
    chapter = chapter_of(culture(), antibiogram("1"))

    answers = {each.label: each for each in chapter.batteries[0].isolates[0].antibiograms[0].observations}

    assert answers["Ciprofloxacine"].value == Quantity("0.5", "mg/L")
    assert answers["Ciprofloxacine"].interpretations == ("I",)
    assert answers["Ciprofloxacine"].interpretation_words == "Sensible à forte posologie"
    assert answers["Triméthoprime + sulfaméthoxazole"].value == Ratio("4", "76", "mg/L")
    assert (answers["Vancomycine"].value, answers["Vancomycine"].printed) == (None, "Sensible")
    assert answers["Vancomycine"].interpretations == ("S",)


@pytest.mark.parametrize(
    "parent",
    [
        ParentResult(code=Code(code="CULT"), sub_id="3", filler_number="L-2-01", text="Candida"),
        ParentResult(code=Code(code="AUTRE"), sub_id="1", filler_number="L-2-01", text="Candida"),
        ParentResult(code=Code(code="CULT"), sub_id="1", filler_number="L-9-99", text="Candida"),
        ParentResult(sub_id="1", filler_number="L-2-01", text="Candida"),
    ],
    ids=["sub-id", "exam", "order", "no exam"],
)
def test_an_antibiogram_whose_germ_is_not_there_stays_by_itself_and_says_whose_it_is(parent: ParentResult) -> None:
    only = germ("1", COLI, "^10000")
    chapter = chapter_of(culture(*only), antibiogram("1", parent=parent))

    found, apart = chapter.batteries

    assert found.isolates[0].antibiograms == ()
    assert apart.label == "Antibiogramme (Candida)"
    assert len(apart.observations) == 5


def test_two_bottles_with_the_same_numbers_keep_their_germs_apart() -> None:
    aerobic, anaerobic = culture(filler_number="L-2-01"), culture(filler_number="L-2-02")
    chapter = chapter_of(aerobic, anaerobic, antibiogram("1"))

    first, second = chapter.batteries

    assert [len(each.antibiograms) for each in first.isolates] == [1, 0]
    assert [len(each.antibiograms) for each in second.isolates] == [0, 0]


def test_a_parent_without_order_number_is_found_only_when_one_germ_answers() -> None:
    parent = ParentResult(code=Code(code="CULT"), sub_id="1", text="Escherichia coli")
    alone = chapter_of(culture(), antibiogram("1", parent=parent))
    twice = chapter_of(culture(filler_number="A"), culture(filler_number="B"), antibiogram("1", parent=parent))

    assert len(alone.batteries[0].isolates[0].antibiograms) == 1
    assert [each.label for each in twice.batteries][-1] == "Antibiogramme (Escherichia coli)"


def test_an_antibiogram_takes_the_chapter_of_its_culture_and_comes_before_or_after_it() -> None:
    chapter = chapter_of(antibiogram("1", section="CH"), culture())

    assert chapter.code.code == "18725-2"
    assert len(chapter.batteries[0].isolates[0].antibiograms) == 1


def test_antibiotics_written_among_the_results_of_the_culture_are_its_antibiogram() -> None:
    flat = antibiotic("Amoxicilline", ">^8", "R", sub_id="1.1")
    mechanism = result(("BLSE", "BLSE", "", ""), "Positif", "", value_type="ST", sub_id="1", flags=("A",))
    chapter = chapter_of(culture(*germ("1", COLI, "^10000", flat, mechanism)))

    (isolate,) = chapter.batteries[0].isolates

    assert [each.label for each in isolate.observations] == ["Culture bactérienne", "Numération", "BLSE"]
    assert [each.label for each in isolate.antibiograms[0].observations] == ["Amoxicilline"]
    assert isolate.antibiograms[0].code is not None
    assert isolate.antibiograms[0].code.code == "18769-0"


def test_a_number_alone_makes_no_germ() -> None:
    gram = result(("GRAM", "Gram", "", ""), "Bacilles", "", value_type="ST", sub_id="1")
    (made,) = chapter_of(battery(gram, result(), section="MB")).batteries

    assert made.isolates == ()
    assert [each.label for each in made.observations] == ["Gram (1)", "Sodium"]


def test_a_local_code_names_germs_where_the_laboratory_says_so() -> None:
    local = (CULTURE[0], CULTURE[1], "", "")
    results = results_of(culture(result(local, "", "", value_type="CE", value_code=COLI, sub_id="1")))

    profile = PROFILE.model_copy(update={"isolate_codes": ("CULT",)})
    unknown = model_of(results).chapters[0].batteries[0]
    known = cr_bio(report_of(), results, IDENTITY, profile, Numbering(1)).chapters[0].batteries[0]

    assert (len(unknown.isolates), len(known.isolates)) == (0, 1)


def test_a_germ_without_antibiotic_category_is_no_antibiogram_but_is_kept() -> None:
    mechanism = result(("BLSE", "BLSE", "", ""), "Positif", "", value_type="ST")
    isolate = chapter_of(culture(), antibiogram("1", mechanism)).batteries[0].isolates[0]

    assert isolate.antibiograms[0].is_antibiogram is False
    assert [each.label for each in isolate.antibiograms[0].observations] == ["BLSE"]


def test_in_a_chapter_of_several_specimens_each_germ_says_where_it_was_found() -> None:
    swab = Specimen(identifier="T-3", nature=Code(code="THRT", label="Gorge", system="HL70487"))
    other = culture(*germ("1", COLI, "^100"), filler_number="L-2-02", specimens=(swab,))
    view = CdaView(build_cr_bio(model_of(results_of(culture(), other)), PDF))

    role = "c:participant/c:participantRole/c:id"
    found = [
        [each.get("extension") for each in cluster.findall(f"c:component/c:observation/*/c:procedure/{role}", NS)]
        for cluster in view.all(".//c:organizer[@classCode='CLUSTER']")
    ]
    assert found[:3] == [["T-2"], ["T-2"], ["T-3"]]


def test_a_masked_antibiotic_stays_masked() -> None:
    masked = antibiotic("Imipénème", "<=^1", "S", status="N")
    isolate = chapter_of(culture(), antibiogram("1", antibiotic("Amoxicilline", ">^8", "R"), masked))

    assert [each.label for each in isolate.batteries[0].isolates[0].antibiograms[0].observations] == ["Amoxicilline"]


def test_an_incomplete_antibiogram_keeps_germ_battery_and_chapter_open() -> None:
    chapter = chapter_of(culture(), antibiogram("1", antibiotic("Amoxicilline", ">^8", "R", status="P")))

    (made,) = chapter.batteries
    assert [each.status for each in made.isolates] == ["active", "completed"]
    assert (made.status, chapter.status) == ("active", "active")


def test_an_antibiogram_still_to_come_is_named_under_its_germ() -> None:
    waiting = antibiogram("1", antibiotic("Amoxicilline", "", "", status="I"), status="I")
    model = model_of(results_of(culture(), waiting))

    (isolate, _) = model.chapters[0].batteries[0].isolates
    assert (isolate.pending, isolate.status) == (("Antibiogramme",), "active")
    said = "".join(CdaView(build_cr_bio(model, PDF)).one(".//c:section/c:text[c:table]").itertext())
    assert "Antibiogramme : en cours" in said


def test_a_germ_that_could_not_be_identified_is_an_exam_not_done() -> None:
    failed = result(CULTURE, "", "", value_type="", sub_id="1", status="X")
    count = result(COUNT, "^10", "/mL", value_type="SN", sub_id="1")
    (made,) = chapter_of(culture(failed, count)).batteries

    assert made.isolates == ()
    assert [(each.label, each.aborted) for each in made.observations][1:] == [
        ("Culture bactérienne (1)", True),
        ("Numération (1)", False),
    ]


def test_the_validators_of_antibiograms_are_named_too() -> None:
    late = antibiogram("1", category_of("Vancomycine", "S", "Sensible"), reported_at="20260316101500")

    (validation,) = chapter_of(culture(), late).validations

    assert validation.at == "20260316101500+0100"


def test_no_result_is_lost_between_the_message_and_the_document() -> None:
    results: LaboratoryReport = results_of(battery(), culture(), antibiogram("1"), antibiogram("2"))

    made = [each for c in model_of(results).chapters for b in c.batteries for each in b.everything()]

    assert len(made) == sum(len(each.results) for each in results.batteries)
