"""A report's values to its model: who answers, what is published, what stays out."""

from uuid import UUID

import pytest

from cda_builder.core.errors import (
    CdaBiologistMissing,
    CdaIdentityIncomplete,
    CdaLaboratoryMissing,
    CdaNoResult,
)
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.numbers import document_id, set_id
from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from labohub.contracts.laboratory import Attachment, Organisation
from labohub.standards.cda.builder import build_cr_bio
from tests.support.cda import (
    IDENTITY,
    PDF,
    POTASSIUM,
    PROFILE,
    TRAITS,
    VALIDATOR,
    CdaView,
    battery,
    label_of,
    model_of,
    report_of,
    result,
    results_of,
)


def test_only_what_may_be_published_is_in_the_report() -> None:
    statuses = "FCPSXIONRDW"
    results = [result((each, each, "", ""), status=each, value="1") for each in statuses]

    (chapter,) = model_of(results_of(battery(*results))).chapters

    (made,) = chapter.batteries
    assert [each.label for each in made.observations] == ["F", "C", "P", "S", "X"]
    assert made.pending == ("I",)
    assert (made.status, chapter.status) == ("active", "active")


def test_a_result_that_could_not_be_done_is_aborted_and_has_no_value() -> None:
    (chapter,) = model_of(results_of(battery(result(status="X", value="12"), status="X"))).chapters

    (observation,) = chapter.batteries[0].observations
    assert observation.aborted
    assert (observation.value, observation.printed) == (None, "")
    assert chapter.status == "aborted"


def test_one_exam_of_a_battery_stands_alone_unless_others_are_to_come() -> None:
    alone = model_of(results_of(battery(result()))).chapters[0].batteries[0]
    waiting = model_of(results_of(battery(result(), result(POTASSIUM, status="I")))).chapters[0].batteries[0]

    assert (alone.single, waiting.single) == (True, False)


def test_batteries_of_one_section_share_a_chapter_in_the_order_of_the_message() -> None:
    chapters = model_of(results_of(battery(), battery(section="HM"), battery(), battery(section="??"))).chapters

    assert [(each.code.code, len(each.batteries)) for each in chapters] == [
        ("18719-5", 2),
        ("18723-7", 1),
        ("26436-6", 1),
    ]


def test_the_validator_is_named_once_with_the_last_time() -> None:
    model = model_of(results_of(battery(reported_at="20260314111200"), battery(reported_at="20260314121200")))

    (validation,) = model.validations
    assert validation.by.id is not None
    assert validation.by.id.extension == f"8{VALIDATOR.identifier}"
    assert validation.at == "20260314121200+0100"


def test_the_biologist_of_the_message_comes_before_the_configured_one() -> None:
    named = model_of(results_of())
    configured = model_of(results_of(biologist=None))

    assert named.biologist.person.family == "KERADEC"
    assert configured.biologist.person.suffix == "DR"


def test_without_any_biologist_nothing_is_built() -> None:
    profile = PROFILE.model_copy(update={"biologist": None})
    results = results_of(battery(result(validated_by=None)), biologist=None)

    with pytest.raises(CdaBiologistMissing):
        cr_bio(report_of(), results, IDENTITY, profile, Numbering(1))


def test_without_a_laboratory_nothing_is_built() -> None:
    with pytest.raises(CdaLaboratoryMissing):
        cr_bio(report_of(), results_of(laboratory=Organisation()), IDENTITY, LaboratoryProfile(), Numbering(1))


@pytest.mark.parametrize("missing", ["birth_name", "first_given_name", "birth_date"])
def test_a_missing_strict_trait_stops_the_building(missing: str) -> None:
    identity = IDENTITY.model_copy(update={"traits": TRAITS.model_copy(update={missing: ""})})

    with pytest.raises(CdaIdentityIncomplete):
        model_of(results_of(), identity)


def test_nothing_to_publish_is_a_refusal() -> None:
    with pytest.raises(CdaNoResult):
        model_of(results_of(battery(result(status="R"), status="R")))


def test_an_exam_done_elsewhere_names_who_did_it() -> None:
    elsewhere = result(performer=Organisation(identifier="990000564", name="SPECIALITES"))
    here = result(performer=Organisation(identifier="990000127", name="LBM-DU-PORT"))

    first, second = model_of(results_of(battery(elsewhere, here))).chapters[0].batteries[0].observations

    assert first.subcontractor is not None
    assert first.subcontractor.id.extension == "1990000564"
    assert second.subcontractor is None


def test_a_prescription_after_the_collection_is_the_date_of_something_else() -> None:
    assert model_of(results_of(prescribed_at="20260313")).prescribed_at == "20260313"
    assert model_of(results_of(prescribed_at="20260314111200")).prescribed_at == ""


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    odd = result(("A\x0b", "Exa\x00men\x1f", "", ""), value_type="FT", value="a\x02\nb\ufffe", comments=("c\x07d",))

    view = CdaView(build_cr_bio(model_of(results_of(battery(odd))), PDF))

    assert label_of(view, view.observations[0]) == "Examen"
    assert view.text("c1r1n1") == "cd"


def test_identifiers_fit_the_dmp_with_and_without_an_arc_of_the_laboratory() -> None:
    own, shared = set_id("1.2.250.1.999999.1", "report"), set_id("", "report")

    assert own.startswith("1.2.250.1.999999.1.1.")
    assert UUID(int=int(shared.removeprefix("2.25."))).version == 5
    assert len(document_id(shared, 999)) <= 64
    assert set_id("", "report") != set_id("", "other")


def test_a_qualified_patient_without_known_birthplace_has_the_code_for_unknown() -> None:
    traits = TRAITS.model_copy(update={"birth_place": ""})

    assert model_of(results_of(), IDENTITY.model_copy(update={"traits": traits})).patient.birth_place == "99999"


@pytest.mark.parametrize(("whose", "has_results", "is_copy"), [
    ("laboratory", True, True), ("hub", True, False), ("hub", False, True), ("laboratory", False, True),
])  # fmt: skip
def test_the_laboratorys_pdf_is_the_copy_where_it_wants_so_or_nothing_else_came(
    whose: str, has_results: bool, is_copy: bool
) -> None:
    pdf = (Attachment(media_type="application/pdf", data="JVBERi0xLjQK"),)
    results = results_of(battery(result(status="F" if has_results else "O")), attached_reports=pdf)

    model = cr_bio(report_of(), results, IDENTITY, PROFILE.model_copy(update={"pdf_copy": whose}), Numbering(1))

    assert (model.copy is not None) is is_copy
    assert len(model.attached) == (0 if is_copy else 1)


def test_a_pdf_alone_is_refused_where_the_laboratory_wants_so() -> None:
    pdf = (Attachment(media_type="application/pdf", data="JVBERi0xLjQK"),)
    profile = PROFILE.model_copy(update={"pdf_only": "refuse"})

    with pytest.raises(CdaNoResult):
        cr_bio(
            report_of(), results_of(battery(result(status="O")), attached_reports=pdf), IDENTITY, profile, Numbering(1)
        )


def test_an_order_given_up_without_any_result_is_an_exam_not_done() -> None:
    given_up = battery(status="X", comments=("Tube vide.",)).model_copy(update={"results": ()})

    chapter = model_of(results_of(battery(), given_up)).chapters[0]

    (observation,) = chapter.batteries[1].observations
    assert (observation.label, observation.aborted) == ("Ionogramme sanguin", True)
    assert chapter.batteries[1].comments == ("Tube vide.",)


def test_a_comment_on_an_order_without_result_is_not_lost() -> None:
    silent = battery(comments=("Examen transmis.",)).model_copy(update={"results": ()})

    (note,) = model_of(results_of(battery(), silent)).closing

    assert note.lines == ("Ionogramme sanguin : Examen transmis.",)
