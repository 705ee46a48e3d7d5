"""What the volet forbids is refused, with the condition and the place that its tables name."""

import pytest

from ingest_hl7.core import intake
from ingest_hl7.core.decision import Decision, Refusal
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from tests.support.store import FixedClock
from tests.support.volet_corpus import refused


def decide(message: bytes, environment: str = "test") -> Decision:
    processing = frozenset("P" if environment == "production" else "PTD")
    policy = intake.Policy(environment, processing, Registry((Sender(),)))
    return intake.decide(intake.arrive(message, policy, FixedClock()()), policy)[0]


@pytest.mark.parametrize("name", refused.ALL)
def test_what_the_volet_forbids_is_refused_with_its_condition_and_place(name: str) -> None:
    case = refused.ALL[name]
    decision = decide(case.message, "production" if case.production else "test")
    assert isinstance(decision, Refusal), type(decision)
    got = [(each.condition, each.location, each.reason) for each in decision.findings]
    assert decision.code == "AE", got
    assert got[0][0] in case.conditions.split(), got
    assert got[0][1] in case.places.split(), got
