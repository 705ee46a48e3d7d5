"""From the outcomes of one message to its one terminal state."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

DMP = "dmp"  # the target that is not an address


class Outcome(StrEnum):
    """What became of one destination."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    STOPPED = "stopped"  # refused before it could leave


@dataclass(frozen=True, slots=True)
class Target:
    """One destination: `dmp`, or a mailbox in lower case."""

    name: str
    outcome: Outcome
    code: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A terminal state with its counts. `code` is the first reason that is not a success."""

    state: str
    delivered: int
    failed: int
    uncertain: int
    code: str = ""


def settle(targets: Iterable[Target]) -> Settlement | None:
    """Return the terminal state, or None while something is pending."""
    outcomes = list(targets)
    if any(target.outcome is Outcome.PENDING for target in outcomes):
        return None
    count = {kind: sum(target.outcome is kind for target in outcomes) for kind in Outcome}
    delivered, uncertain = count[Outcome.DELIVERED], count[Outcome.UNCERTAIN]
    failed = count[Outcome.FAILED] + count[Outcome.STOPPED]
    reasons = [target.code for target in outcomes if target.outcome is not Outcome.DELIVERED and target.code]
    notes = [target.code for target in outcomes if target.code]
    code = (reasons or notes or [""])[0]
    return Settlement(_state(delivered, failed, uncertain, count[Outcome.STOPPED]), delivered, failed, uncertain, code)


def is_revised(before: Iterable[Target], after: Iterable[Target]) -> bool:
    """Return whether what had been stopped has another end now: a person resolved it, and it went as far as it could.

    While some destinations are still as the stop left them, the end is not known yet.
    """
    old, new = list(before), list(after)
    stopped = {target.name for target in old if target.outcome is Outcome.STOPPED}
    still = {target.name for target in new if target.outcome is Outcome.STOPPED}
    return bool(stopped) and still in (set(), stopped) and settle(old) != settle(new)


def _state(delivered: int, failed: int, uncertain: int, stopped: int) -> str:
    if delivered and not failed and not uncertain:
        return "delivered"
    if delivered:
        return "partly-delivered"
    if uncertain:
        return "uncertain"
    return "stopped" if stopped and stopped == failed else "failed"
