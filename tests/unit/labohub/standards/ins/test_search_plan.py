"""The order of the questions to INSi."""

from labohub.standards.ins.search_plan import Step, next_step


def asked(names: str, place: str, codes: list[str]) -> list[Step]:
    answered: list[tuple[Step, str]] = []
    while (step := next_step(names, place, answered)) is not None:
        answered.append((step, codes[len(answered)]))
    return [step for step, _ in answered]


def test_the_first_answer_00_ends_the_plan() -> None:
    assert asked("ROSE IRIS", "63220", ["00"]) == [Step("ROSE")]


def test_each_name_is_tried_in_order_then_all_together() -> None:
    assert asked("ROSE IRIS", "63220", ["01"] * 9) == [Step("ROSE"), Step("IRIS"), Step("ROSE IRIS")]


def test_a_hyphenated_name_is_one_name() -> None:
    assert asked("ANNE-LISE", "", ["01"] * 9) == [Step("ANNE-LISE")]


def test_an_ambiguous_answer_gets_all_names_then_the_birth_place() -> None:
    assert asked("ROSE IRIS", "63220", ["02", "02", "02"]) == [
        Step("ROSE"),
        Step("ROSE IRIS"),
        Step("ROSE IRIS", "63220"),
    ]


def test_the_birth_place_goes_with_the_question_that_was_ambiguous() -> None:
    assert asked("ROSE IRIS", "63220", ["02", "01", "00"])[-1] == Step("ROSE", "63220")


def test_after_an_ambiguous_answer_no_other_first_name_is_tried_alone() -> None:
    assert Step("IRIS") not in asked("ROSE IRIS", "", ["02"] * 9)


def test_without_a_birth_place_an_ambiguous_single_name_ends_the_plan() -> None:
    assert asked("ROSE", "", ["02"]) == [Step("ROSE")]


def test_the_plan_never_asks_more_than_six_times() -> None:
    assert len(asked("A B C D E F G H", "63220", ["01"] * 20)) == 6
