"""The way of one message through every decision, without a store: as the first that a sender ever wrote."""

from zoneinfo import ZoneInfo

from ingest_hl7.core import orders
from ingest_hl7.core.answering import answers
from ingest_hl7.core.decision import Decision, Ordered, Structured
from ingest_hl7.core.intake import Policy, arrive, decide
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from tests.support.store import FixedClock

PRODUCTION = Sender(receiving_applications=("LABOHUB",), receiving_facilities=("ACCUEIL",))


def decided(raw: bytes, sender: Sender = PRODUCTION) -> tuple[Decision, tuple[str, ...], tuple[bytes, ...]]:
    """Return the decision, what was tolerated, and what goes back."""
    policy = Policy("test", frozenset("P"), Registry((sender,)))
    at = FixedClock()()
    arrival = arrive(raw, policy, at)
    decision, tolerated = decide(arrival, policy)
    if isinstance(decision, Structured) and decision.if_unknown is not None:
        decision = decision.if_unknown
    if isinstance(decision, Ordered):
        decision = orders.judge(decision, {}, "LABOHUB")
    return decision, tolerated, answers(arrival, decision, at.astimezone(ZoneInfo("Europe/Paris"))).frames


def read_answer(answer: bytes) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Return MSA-1, MSA-2 and of each ERR its condition, place and severity, split by hand."""
    lines = [line.split("|") for line in answer.decode("latin-1").split("\r") if line]
    msa = next(line for line in lines if line[0] == "MSA")
    return msa[1], msa[2], [(line[3].split("^")[0], line[2], line[4]) for line in lines if line[0] == "ERR"]
