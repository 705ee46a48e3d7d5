"""One terminal state per message."""

import pytest

from ingest_hl7.core.settlement import Outcome, Target, is_revised, settle

D, F, U, S, P = Outcome.DELIVERED, Outcome.FAILED, Outcome.UNCERTAIN, Outcome.STOPPED, Outcome.PENDING


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([D, D], "delivered"),
        ([D, F], "partly-delivered"),
        ([D, U], "partly-delivered"),
        ([D, S], "partly-delivered"),
        ([F, F], "failed"),
        ([F, S], "failed"),
        ([S, S], "stopped"),
        ([U, F], "uncertain"),
    ],
)
def test_the_state_says_what_became_of_all_destinations(outcomes: list[Outcome], state: str) -> None:
    settlement = settle(Target(str(number), outcome) for number, outcome in enumerate(outcomes))
    assert settlement is not None
    assert settlement.state == state
    assert settlement.delivered + settlement.failed + settlement.uncertain == len(outcomes)


def test_nothing_ends_while_something_is_pending() -> None:
    assert settle([Target("dmp", D), Target("a@b", P)]) is None


def test_the_code_is_the_first_reason_that_is_no_success() -> None:
    settlement = settle([Target("a", D, "mss.unconfirmed"), Target("dmp", F, "dmp.refused")])
    assert settlement is not None
    assert settlement.code == "dmp.refused"


@pytest.mark.parametrize(
    ("before", "after", "revised"),
    [
        ([S, S], [D, S], False),  # the rest is still to come
        ([D, S], [D, D], True),
        ([S], [F], True),
        ([F, S], [F, D], True),  # refused at the door beside what was stopped
        ([S, S], [S, S], False),
        ([U, D], [D, D], False),  # a late receipt: an outcome, not another end
        ([D, F], [D, D], False),
    ],
)
def test_only_what_was_stopped_may_end_again(before: list[Outcome], after: list[Outcome], *, revised: bool) -> None:
    old, new = ([Target(str(n), each) for n, each in enumerate(row)] for row in (before, after))
    assert is_revised(old, new) is revised


def test_a_stop_for_another_reason_is_told_again() -> None:
    assert is_revised([Target("dmp", S, "ins.conflict")], [Target("dmp", S, "cda.not-conformant")])
