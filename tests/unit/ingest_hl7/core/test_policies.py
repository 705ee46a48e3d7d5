"""What of a demand may leave, under each policy."""

import pytest

from ingest_hl7.core import policies
from ingest_hl7.core.senders import ReportPolicy
from labohub.contracts.laboratory import Battery, Code, LaboratoryReport, ParentResult, Professional, Result

FINAL, PARTIAL, DISCIPLINE, ON_EVENT = (
    ReportPolicy.FINAL,
    ReportPolicy.PARTIAL,
    ReportPolicy.DISCIPLINE,
    ReportPolicy.ON_EVENT,
)
EVERY = list(ReportPolicy)


def battery(
    status: str,
    *results: str,
    number: str = "F1",
    section: str = "CH",
    parent: ParentResult | None = None,
    sub_id: str = "",
) -> Battery:
    made = tuple(
        Result(local_code=Code(code=f"K{at}"), value_type="NM", value="1", status=each, sub_id=sub_id)
        for at, each in enumerate(results or (status,))
    )
    return Battery(
        code=Code(code="B"), filler_number=number, status=status, section=section, results=made, parent=parent
    )


def state(*batteries: Battery, biologist: bool = True) -> LaboratoryReport:
    who = Professional(identifier="1", family_name="LEGUEN") if biologist else None
    return LaboratoryReport(number="D1", batteries=batteries, biologist=who)


def shown(report: LaboratoryReport | None) -> list[str]:
    return [result.status for each in report.batteries for result in each.results] if report else []


@pytest.mark.parametrize("policy", EVERY)
def test_a_demand_wholly_final_leaves_under_every_policy(policy: ReportPolicy) -> None:
    found = policies.draft(
        state(battery("F"), battery("X", number="F2"), battery("C", number="F3")), policy, has_left=False
    )
    assert shown(found.report) == ["F", "X", "C"]
    assert found.report is not None
    assert not found.report.partial


@pytest.mark.parametrize(
    ("policy", "expected"), [(FINAL, []), (PARTIAL, ["F", "P"]), (DISCIPLINE, ["F"]), (ON_EVENT, ["F"])]
)
def test_what_leaves_while_a_battery_is_open(policy: ReportPolicy, expected: list[str]) -> None:
    found = policies.draft(state(battery("F"), battery("P", number="F2", section="MB")), policy, has_left=False)
    assert shown(found.report) == expected
    assert found.report is None or found.report.partial
    assert found.reason == ("ltw.not-final" if not expected else "")


def test_a_discipline_waits_for_all_its_batteries() -> None:
    found = policies.draft(state(battery("F"), battery("I", number="F2")), DISCIPLINE, has_left=False)
    assert found.reason == "ltw.not-final"


@pytest.mark.parametrize("policy", EVERY)
@pytest.mark.parametrize("status", ["R", "I", "O", "S", ""])
def test_results_not_verified_never_leave(policy: ReportPolicy, status: str) -> None:
    assert policies.draft(state(battery(status, "R")), policy, has_left=False).report is None


@pytest.mark.parametrize("policy", EVERY)
def test_a_correction_leaves_at_once_though_another_battery_is_open(policy: ReportPolicy) -> None:
    found = policies.draft(state(battery("C"), battery("I", "I", number="F2", section="MB")), policy, has_left=True)
    assert "C" in shown(found.report)


@pytest.mark.parametrize("policy", EVERY)
def test_deleted_withdrawn_and_unverified_results_are_not_shown(policy: ReportPolicy) -> None:
    found = policies.draft(state(battery("F", "F", "D", "W", "R", "N", "I")), policy, has_left=False)
    assert shown(found.report) == ["F"]


def test_a_partial_report_tells_what_is_pending() -> None:
    found = policies.draft(state(battery("P", "F", "I", "P", "R")), PARTIAL, has_left=False)
    assert shown(found.report) == ["F", "I", "P"]


def test_a_withdrawal_that_leaves_nothing_replaces_the_report_by_one_that_says_so() -> None:
    found = policies.draft(state(battery("C", "W", "D")), FINAL, has_left=True, withdrawn=True)
    assert found.report is not None
    assert [(each.status, each.value) for each in found.report.batteries[0].results] == [("X", ""), ("X", "")]
    assert found.report.batteries[0].results[0].comments == (policies.RETIRED,)
    assert policies.NOT_THIS_PATIENT in found.report.comments


def test_a_withdrawal_before_any_report_sends_nothing_and_is_named() -> None:
    found = policies.draft(state(battery("C", "W")), FINAL, has_left=False, withdrawn=True)
    assert (found.report, found.reason) == (None, "ltw.wrong-patient")


def test_a_report_after_a_withdrawal_says_what_it_replaces() -> None:
    found = policies.draft(state(battery("C", "W", "F")), FINAL, has_left=True, withdrawn=True)
    assert shown(found.report) == ["F"]
    assert found.report is not None
    assert found.report.comments == (policies.NOT_THIS_PATIENT,)


def test_a_cancelled_exam_makes_no_report_but_changes_one() -> None:
    cancelled = state(battery("X"))
    assert policies.draft(cancelled, FINAL, has_left=False).reason == "ltw.cancelled"
    assert shown(policies.draft(cancelled, FINAL, has_left=True).report) == ["X"]


def test_a_final_battery_with_a_result_that_could_not_be_obtained_is_a_report() -> None:
    assert shown(policies.draft(state(battery("F", "X")), FINAL, has_left=False).report) == ["X"]


def test_an_order_still_expected_holds_the_first_report_back() -> None:
    assert policies.draft(state(battery("F")), FINAL, has_left=False, missing=["P2"]).reason == "ltw.not-complete"
    found = policies.draft(state(battery("F")), PARTIAL, has_left=False, missing=["P2"])
    assert found.report is not None
    assert found.report.partial


def test_without_a_biologist_nothing_leaves() -> None:
    assert policies.draft(state(battery("F"), biologist=False), FINAL, has_left=False).reason == "ltw.no-biologist"


def test_an_antibiogram_does_not_outlive_its_isolate() -> None:
    parent = ParentResult(code=Code(code="K0"), sub_id="1", filler_number="F1")
    child = battery("F", number="F2", parent=parent)
    kept = policies.draft(state(battery("F", sub_id="1"), child), FINAL, has_left=False)
    assert shown(kept.report) == ["F", "F"]
    lost = policies.draft(state(battery("F", "D", "F", sub_id="1"), child), FINAL, has_left=False)
    assert shown(lost.report) == ["F"]


def test_two_versions_that_say_the_same_have_one_digest() -> None:
    one = state(battery("F"))
    assert policies.digest(one) == policies.digest(one.model_copy(update={"version": 7}))
    assert policies.digest(one) != policies.digest(state(battery("C")))
