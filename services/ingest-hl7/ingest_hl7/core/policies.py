"""From results to reports: what of a demand may leave now, by its laboratory's policy, and why the rest waits.

`final`: once every battery is final, corrected or cancelled. `partial`: at each step, marked partial. `discipline`: a
discipline (OBR-24) once all its batteries are ended. `on-event`: all that is ended, whatever is still open, once the
laboratory's word lets it leave. What has left is corrected at once, under every policy.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest_hl7.core.demand import ENDED, WITHDRAWN
from ingest_hl7.core.microbiology import Isolates, names_result
from ingest_hl7.core.senders import ReportPolicy
from labohub.contracts.laboratory import Battery, LaboratoryReport, Result

NOT_FINAL = "ltw.not-final"
CANCELLED = "ltw.cancelled"
NOTHING_TO_SHOW = "ltw.nothing-to-show"
NOT_COMPLETE = "ltw.not-complete"
NO_BIOLOGIST = "ltw.no-biologist"
UNCHANGED = "ltw.unchanged"
WRONG_PATIENT = "ltw.wrong-patient"
_FINAL_RESULT = frozenset("FCX")
_EARLY_RESULT = frozenset("FCXPS")
_EARLY_BATTERY = frozenset("FCXPA")
RETIRED = "Résultat retiré par le laboratoire : ne pas en tenir compte."
NOT_THIS_PATIENT = (
    "Ce compte rendu remplace un compte rendu qui portait un résultat attribué à tort à ce patient. "
    "Ne pas tenir compte du résultat retiré."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What may leave: the report, or why nothing does."""

    report: LaboratoryReport | None
    reason: str = ""


def draft(
    state: LaboratoryReport,
    policy: ReportPolicy,
    *,
    has_left: bool,
    withdrawn: bool = False,
    missing: Iterable[str] = (),
) -> Draft:
    """Return what may leave of a demand now.

    Args:
        has_left: a report of this demand left before: it is corrected without waiting for the batteries still open.
        withdrawn: a result was just declared another patient's.
        missing: numbers of orders of the demand without any result yet.
    """
    if not state.batteries:
        return Draft(None, NOTHING_TO_SHOW)
    waiting = tuple(missing)
    chosen = _chosen(state, policy, has_left=has_left, waiting=bool(waiting))
    if not chosen:
        return Draft(None, NOT_COMPLETE if waiting and _all_ended(state.batteries) else NOT_FINAL)
    batteries = _attached(tuple(_shown(each, policy) for each in chosen))
    if not any(_is_shown(result) for each in batteries for result in each.results):
        if has_left and _retired(state):
            batteries = tuple(_retiring(each) for each in state.batteries)
        elif withdrawn:
            return Draft(None, WRONG_PATIENT)
        elif _all_cancelled(chosen):
            return Draft(None, CANCELLED)
        elif not state.attached_reports:  # the whole report as a PDF is something to show, even alone
            return Draft(None, NOTHING_TO_SHOW)
    elif not has_left and _all_cancelled(batteries):
        return Draft(None, CANCELLED)  # an exam that was never made makes no report; it changes one that exists
    if state.biologist is None:
        return Draft(None, NO_BIOLOGIST)
    comments = state.comments
    if has_left and any(result.status == "W" for each in state.batteries for result in each.results):
        comments = (*comments, NOT_THIS_PATIENT)
    partial = (
        bool(waiting)
        or not _all_ended(state.batteries)
        or any(result.status in "PS" for each in batteries for result in each.results)
    )
    return Draft(state.model_copy(update={"batteries": batteries, "partial": partial, "comments": comments}))


def digest(report: LaboratoryReport) -> str:
    """Return the hash of what a report says to its reader: what says nothing new is never sent.

    Its version, when a battery was last told of (OBR-22), and whether it then was final or corrected are left out.
    """
    batteries = tuple(
        each.model_copy(update={"reported_at": "", "status": "F" if each.status == "C" else each.status})
        for each in report.batteries
    )
    said = report.model_copy(update={"version": 0, "batteries": batteries})
    return hashlib.sha256(said.model_dump_json().encode()).hexdigest()


def is_whole(state: LaboratoryReport, report: LaboratoryReport) -> bool:
    """Return True when a report shows all that is known of its demand: one text stands for both."""
    return report.model_copy(update={"version": state.version, "partial": state.partial}) == state


def _chosen(state: LaboratoryReport, policy: ReportPolicy, *, has_left: bool, waiting: bool) -> tuple[Battery, ...]:
    """Return the batteries that may be shown now."""
    is_ended: Callable[[Battery], bool] = lambda battery: battery.status in ENDED  # noqa: E731
    batteries = state.batteries
    if policy is ReportPolicy.PARTIAL:
        return tuple(each for each in batteries if each.status in _EARLY_BATTERY or (each.status == "I" and has_left))
    if policy is ReportPolicy.DISCIPLINE:
        open_sections = {each.section for each in batteries if not is_ended(each)}
        return tuple(each for each in batteries if is_ended(each) and (each.section not in open_sections or has_left))
    if policy is ReportPolicy.FINAL and not has_left and (waiting or not _all_ended(batteries)):
        return ()
    return tuple(filter(is_ended, batteries))


def _shown(battery: Battery, policy: ReportPolicy) -> Battery:
    """Return a battery with the results that may be shown; those pending too, in a report that says it is partial."""
    early = policy is ReportPolicy.PARTIAL and battery.status not in ENDED
    wanted = _EARLY_RESULT | {"I"} if early else _FINAL_RESULT
    results = tuple(each for each in battery.results if each.status in wanted)
    return battery if len(results) == len(battery.results) else battery.model_copy(update={"results": results})


def _attached(batteries: tuple[Battery, ...]) -> tuple[Battery, ...]:
    """Return the batteries without the antibiograms whose isolate may not be shown."""
    isolates = Isolates(batteries)
    return tuple(each for each in batteries if not names_result(each) or isolates.of(each) is not None)


def _is_shown(result: Result) -> bool:
    return result.status in _EARLY_RESULT


def _retired(state: LaboratoryReport) -> bool:
    return any(result.status in WITHDRAWN for each in state.batteries for result in each.results)


def _retiring(battery: Battery) -> Battery:
    """Return a battery whose withdrawn results are shown as such, without their value.

    When nothing else is left to say, a report that says so replaces the one that left.
    """
    results = tuple(_retiring_result(each) for each in battery.results if each.status in WITHDRAWN)
    return battery.model_copy(update={"results": results})


def _retiring_result(result: Result) -> Result:
    nothing = {
        "value": "",
        "value_code": None,
        "value_translations": (),
        "attachment": None,
        "flags": (),
        "previous": (),
    }
    return result.model_copy(update={**nothing, "status": "X", "comments": (RETIRED,)})


def _all_ended(batteries: Iterable[Battery]) -> bool:
    return all(each.status in ENDED for each in batteries)


def _all_cancelled(batteries: Iterable[Battery]) -> bool:
    return all(each.status == "X" for each in batteries)
