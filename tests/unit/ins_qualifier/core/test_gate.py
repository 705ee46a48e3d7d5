"""The gate in front of INSi."""

from datetime import UTC, datetime, timedelta

from ins_qualifier.core.gate import Admission, Gate

NOW = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)


def closed() -> Gate:
    gate = Gate(failures_to_close=3, closed_seconds=10, misconfigured_seconds=60)
    for _ in range(3):
        gate.failed("insi.unavailable", NOW)
    return gate


def test_some_failures_do_not_close_it() -> None:
    gate = Gate(failures_to_close=3, closed_seconds=10, misconfigured_seconds=60)
    gate.failed("insi.unavailable", NOW)
    gate.failed("insi.unavailable", NOW)
    assert not gate.succeeded()
    gate.failed("insi.unavailable", NOW)

    assert gate.admit(16, NOW) == Admission(16)


def test_failures_in_a_row_close_it() -> None:
    gate = closed()

    assert gate.admit(16, NOW + timedelta(seconds=9)).limit == 0
    assert gate.code == "insi.unavailable"


def test_one_probe_at_a_time_goes_through_after_the_pause() -> None:
    gate = closed()
    later = NOW + timedelta(seconds=10)

    probe = gate.admit(16, later)

    assert probe == Admission(1, is_probe=True)
    assert gate.admit(16, later).limit == 0
    gate.leave(probe)
    assert gate.admit(16, later).limit == 1


def test_a_failed_probe_closes_it_for_another_pause() -> None:
    gate = closed()
    later = NOW + timedelta(seconds=10)
    probe = gate.admit(16, later)
    gate.failed("insi.unavailable", later)
    gate.leave(probe)

    assert gate.admit(16, later + timedelta(seconds=9)).limit == 0
    assert gate.admit(16, later + timedelta(seconds=10)).limit == 1


def test_an_answer_opens_it_and_says_so_once() -> None:
    gate = closed()

    assert gate.succeeded()
    assert not gate.succeeded()
    assert gate.admit(16, NOW).limit == 16
    assert gate.code == ""


def test_a_wrong_installation_closes_it_at_once_and_for_longer() -> None:
    gate = Gate(failures_to_close=3, closed_seconds=10, misconfigured_seconds=60)
    gate.failed("insi.misconfigured", NOW, misconfigured=True)

    assert gate.admit(16, NOW + timedelta(seconds=59)).limit == 0
    assert gate.admit(16, NOW + timedelta(seconds=60)).limit == 1
