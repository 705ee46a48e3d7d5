"""A demand keeps the latest word on each of its results."""

import pytest

from ingest_hl7.core import demand
from ingest_hl7.core.demand import Applied
from ingest_hl7.core.results import Places
from labohub.contracts.laboratory import Battery, Code, LaboratoryReport, Result


def result(status: str = "F", value: str = "4.1", *, code: str = "K", sub_id: str = "", kind: str = "NM") -> Result:
    return Result(
        local_code=Code(code=code, label=code, system="99REM"),
        sub_id=sub_id,
        value_type=kind,
        value=value,
        status=status,
    )


def battery(
    *results: Result, number: str = "F1", status: str = "F", at: str = "20260312093000", code: str = "IONO"
) -> Battery:
    return Battery(
        code=Code(code=code, system="99REM"), filler_number=number, status=status, reported_at=at, results=results
    )


def report(*batteries: Battery) -> LaboratoryReport:
    return LaboratoryReport(number="D1", batteries=batteries)


def applied(
    known: LaboratoryReport, new: LaboratoryReport, *, sent_at: str = "", last: str = "", snapshot: bool = False
) -> Applied:
    places = Places(
        [f"OBR^{n}" for n, _ in enumerate(new.batteries, 1)],
        [[f"OBX^{n}" for n, _ in enumerate(each.results, 1)] for each in new.batteries],
    )
    times = {"\x1f".join(("F1", "")): last} if last else {}
    return demand.apply(known, times, new, places, sent_at=sent_at, snapshot=snapshot)


def after(was: str, is_: str, *, order: str = "F", values: tuple[str, str] = ("4.1", "4.2")) -> Applied:
    """Return a demand with one result after a later message about it."""
    known = report(battery(result(was, values[0])))
    new = report(battery(result(is_, values[1]), status=order, at="20260312100000"))
    return applied(known, new)


@pytest.mark.parametrize("was", ["I", "R"])
@pytest.mark.parametrize("is_", list("IRPSFCXDW"))
def test_anything_may_follow_what_is_pending_or_not_verified(was: str, is_: str) -> None:
    assert after(was, is_).report.batteries[0].results[0].status == is_


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        "PF",
        "PX",
        "PD",
        "PW",
        "SF",
        "FC",
        "FD",
        "FW",
        "CD",
        "CW",
        "CC",
        "DF",
        "DC",
        "XP",
        "XF",
        "WC",
        "WF",
        "PP",
        "FX",
        "XC",
    ],
)
def test_a_later_state_replaces_an_earlier_one(was: str, is_: str) -> None:
    order = "X" if is_ == "X" else "C"
    found = after(was, is_, order=order)
    assert found.report.batteries[0].results[0] == result(is_, "4.2")
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("was", "is_"),
    ["PI", "PR", "FP", "FI", "FR", "FS", "CP", "CI", "DP", "DI", "WP", "WI", "WX", "XI", "XR", "FX", "CX"],
)
def test_a_state_never_goes_backwards(was: str, is_: str) -> None:
    found = after(was, is_)
    assert found.report.batteries[0].results[0] == result(was, "4.1")
    assert [(each.location, each.reason) for each in found.warnings] == [("OBX^1^11", "ltw.older-state")]


def test_a_final_result_repeated_keeps_what_was_corrected() -> None:
    found = after("C", "F", values=("4.2", "4.2"))
    assert found.report.batteries[0].results[0].status == "C"


def test_a_final_value_changed_without_saying_so_is_taken_and_noted() -> None:
    found = after("F", "F")
    assert found.report.batteries[0].results[0].value == "4.2"
    assert found.notes == ("ltw.unmarked-correction",)


def test_the_value_withdrawn_for_this_patient_does_not_come_back() -> None:
    found = after("W", "F", values=("4.1", "4.1"))
    assert found.report.batteries[0].results[0].status == "W"
    assert [each.reason for each in found.warnings] == ["ltw.withdrawn-value"]


def test_a_withdrawal_is_told_once() -> None:
    assert after("F", "W").withdrawn
    assert not after("W", "W").withdrawn


def test_a_deletion_without_value_keeps_the_former_value_as_history() -> None:
    found = after("F", "D", values=("4.1", ""))
    assert found.report.batteries[0].results[0] == result("D", "4.1")


def test_an_older_message_about_a_battery_is_not_applied() -> None:
    known = report(battery(result(value="4.2"), at="20260312100000"))
    found = applied(known, report(battery(result(value="4.1"))))
    assert found.is_older
    assert found.report == known
    assert [each.location for each in found.warnings] == ["OBR^1^22"]


def test_a_late_partial_is_told_at_its_status() -> None:
    known = report(battery(result(), at="20260312100000"))
    found = applied(known, report(battery(result("I", ""), status="P")))
    assert found.is_older
    assert [each.location for each in found.warnings] == ["OBR^1^25"]


def test_a_partial_after_the_final_is_not_applied_even_with_a_later_time() -> None:
    known = report(battery(result()))
    found = applied(known, report(battery(result("I", ""), status="P", at="20260312110000")))
    assert found.report == known
    assert [each.location for each in found.warnings] == ["OBR^1^25"]


def test_without_obr_22_the_time_of_the_message_decides() -> None:
    known = report(battery(result(value="4.2"), at=""))
    older = report(battery(result(value="4.1"), at=""))
    assert applied(known, older, sent_at="20260312080000", last="20260312090000").is_older
    assert not applied(known, older, sent_at="20260312100000", last="20260312090000").is_older


def test_times_with_offsets_are_compared_as_instants() -> None:
    assert demand.is_earlier("20260329013000+0100", "20260329033000+0200")
    assert not demand.is_earlier("20260329033000+0200", "20260329013000+0100")
    assert not demand.is_earlier("20260312093000", "20260312093000")


def test_what_a_message_leaves_out_is_unchanged_unless_its_sender_guarantees_the_snapshot() -> None:
    known = report(battery(result(code="K"), result(code="NA")))
    new = report(battery(result(code="K"), at="20260312100000"))
    assert [each.status for each in applied(known, new).report.batteries[0].results] == ["F", "F"]
    assert [each.status for each in applied(known, new, snapshot=True).report.batteries[0].results] == ["F", "D"]


def test_two_isolates_of_one_code_are_two_results() -> None:
    known = report(
        battery(result(code="CULT", sub_id="1", value="E. coli"), result(code="CULT", sub_id="2", value="E. faecalis"))
    )
    new = report(battery(result("C", code="CULT", sub_id="2", value="E. faecium"), status="C", at="20260312100000"))
    assert [each.value for each in applied(known, new).report.batteries[0].results] == ["E. coli", "E. faecium"]


def test_two_results_of_one_key_in_one_message_are_both_kept() -> None:
    twice = report(battery(result(value="4.1"), result(value="4.2")))
    assert len(applied(report(battery(result(value="4.0"))), twice).report.batteries[0].results) == 2


def test_batteries_that_share_a_number_are_told_by_their_exam() -> None:
    known = report(battery(result(), code="IONO"), battery(result(code="TSH"), code="TSH"))
    new = report(
        battery(result("C", "4.9"), code="IONO", status="C", at="20260312100000"),
        battery(result(code="TSH"), code="TSH"),
    )
    assert [each.results[0].value for each in applied(known, new).report.batteries] == ["4.9", "4.1"]


def test_two_batteries_alike_in_all_but_their_results_are_both_kept() -> None:
    known = report(battery(result(code="A")), battery(result(code="B")))
    new = report(
        battery(result(code="A"), at="20260312100000"), battery(result("C", "9", code="B"), at="20260312100000")
    )
    assert [each.results[0].value for each in applied(known, new).report.batteries] == ["4.1", "9"]
    one = applied(known, report(battery(result("C", "5", code="A"), at="20260312100000"))).report
    assert [each.results[0].value for each in one.batteries] == ["5", "4.1"]


def test_a_battery_nobody_spoke_of_is_unchanged() -> None:
    known = report(battery(result()), battery(result(code="TSH"), number="F2"))
    found = applied(known, report(battery(result("C", "4.9"), status="C", at="20260312100000")))
    assert [each.results[0].value for each in found.report.batteries] == ["4.9", "4.1"]


def test_an_order_cancelled_whole_cancels_its_results() -> None:
    known = report(battery(result()))
    found = applied(known, report(battery(status="X", at="20260312100000")))
    assert [each.status for each in found.report.batteries[0].results] == ["X"]
