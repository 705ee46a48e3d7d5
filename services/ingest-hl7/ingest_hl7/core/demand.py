"""What is known of a demand, message after message: a later state replaces an earlier one, never the reverse.

A message is a snapshot of its batteries, not a delta; but what it leaves out is unchanged unless its sender guarantees
the snapshot. Deletions are said (D, W, X). Order is judged by OBR-22, then MSH-7, then arrival.
Source: HL7 tables 0085 and 0123; IHE PaLM, LTW; successions in docs/standards.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingest_hl7.core.results import Places
from labohub.contracts.laboratory import Battery, Code, LaboratoryReport, Professional, Result
from labohub.standards.hl7.findings import Finding, warning

Key = tuple[str, ...]
ENDED = frozenset("FCX")  # OBR-25: nothing more is expected
FINAL = frozenset("FC")
WITHDRAWN = frozenset("DW")
_OPEN = frozenset(("", "O", "I", "R", "N"))  # OBX-11 after which anything may come
_NEXT = {  # OBX-11 known, to what may replace it; C is the laboratory's last word and always may
    "P": frozenset("PSFCXDW"),
    "S": frozenset("PSFCXDW"),
    "F": frozenset("FCDW"),
    "C": frozenset("CFDW"),
    "D": frozenset("DFCW"),
    "W": frozenset("WFC"),
    "X": frozenset("XPSFCDW"),
}
UNMARKED_CORRECTION = "ltw.unmarked-correction"  # a final value changed without status C
_MAX_WARNINGS = 10


@dataclass(frozen=True, slots=True)
class Applied:
    """A demand after a message, what of the message was not applied, and whether it withdrew a result (OBX-11 W)."""

    report: LaboratoryReport
    times: Mapping[str, str]  # battery to MSH-7 of the message that last changed it
    warnings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # codes of what was taken though it is unusual
    withdrawn: bool = False
    is_older: bool = False  # nothing of the message is newer than what is known


@dataclass(slots=True)
class _Change:
    """One message on its way into a demand."""

    sent_at: str
    snapshot: bool
    warnings: list[Finding] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    withdrawn: bool = False

    def warn(self, place: str, reason: str, text: str) -> None:
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append(warning(place, reason, text))


def apply(
    previous: LaboratoryReport,
    times: Mapping[str, str],
    new: LaboratoryReport,
    places: Places,
    *,
    sent_at: str,
    snapshot: bool,
) -> Applied:
    """Return the demand after a message.

    Args:
        times: MSH-7 of the message that last changed each battery, for those without OBR-22.
        sent_at: MSH-7 of this message.
        snapshot: the sender guarantees that a battery's message holds all its results.
    """
    shared = _shared_numbers(previous.batteries) | _shared_numbers(new.batteries)
    change = _Change(sent_at, snapshot)
    known = dict(zip(battery_keys(previous.batteries, shared), previous.batteries, strict=True))
    batteries, told = dict(known), dict(times)
    applied = 0
    for position, (key, battery) in enumerate(zip(battery_keys(new.batteries, shared), new.batteries, strict=True)):
        name = "\x1f".join(key)
        place = places.batteries[position]
        if key not in known:
            batteries[key] = _merged(None, battery, places.results[position], change)
        elif is_earlier(battery.reported_at, known[key].reported_at, sent_at, told.get(name, "")):
            regression = known[key].status in FINAL and battery.status not in ENDED
            change.warn(f"{place}^{25 if regression else 22}", "ltw.older-state", _OLDER)
            continue
        else:
            before = len(change.warnings)
            batteries[key] = _merged(known[key], battery, places.results[position], change)
            if _reopens(known[key].status, battery.status):
                del change.warnings[before:]  # said once, for the battery
                change.warn(f"{place}^25", "ltw.older-state", _OLDER)
                if batteries[key] == known[key]:
                    continue
        applied += 1
        told[name] = sent_at or told.get(name, "")
    report = new.model_copy(
        update={
            "batteries": tuple(batteries.values()),
            "number": previous.number,
            "prescriber": new.prescriber or previous.prescriber,
            "copies_to": _united(previous, new),
            "biologist": new.biologist or previous.biologist,
            "prescribed_at": previous.prescribed_at or new.prescribed_at,  # ORC-9 moves with each message
            "encounter_class": new.encounter_class or previous.encounter_class,
            "visit_number": new.visit_number or previous.visit_number,
            "comments": new.comments or previous.comments,
            "patient_instructions": new.patient_instructions or previous.patient_instructions,
        }
    )
    if not applied and new.batteries:
        report = previous
    notes = tuple(sorted(change.notes))
    return Applied(report, told, tuple(change.warnings), notes, change.withdrawn, is_older=not applied)


def begin(new: LaboratoryReport, *, sent_at: str) -> Applied:
    """Return a demand after its first message."""
    shared = _shared_numbers(new.batteries)
    times = {"\x1f".join(key): sent_at for key in battery_keys(new.batteries, shared)} if sent_at else {}
    withdrawn = any(result.status == "W" for battery in new.batteries for result in battery.results)
    return Applied(new, times, withdrawn=withdrawn)


def battery_keys(batteries: Iterable[Battery], shared: frozenset[str]) -> list[Key]:
    """Return the key of each battery: its filler number, else its placer number; its rank when several are alike.

    A number that several exams bear (`shared`) does not tell them: then the exam and the isolate do.
    """
    seen: dict[Key, int] = {}
    keys: list[Key] = []
    for battery in batteries:
        key = _battery_key(battery, shared)
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else (*key, str(seen[key])))
    return keys


def _battery_key(battery: Battery, shared: frozenset[str]) -> Key:
    number = battery.filler_number or battery.placer_number
    kind = "" if battery.filler_number else "placer"
    if number not in shared:
        return (number, kind)
    parent = battery.parent
    isolate = (parent.filler_number, parent.sub_id) if parent is not None else ("", "")
    return (number, kind, battery.code.system, battery.code.code or battery.code.label, *isolate)


def result_keys(results: Iterable[Result]) -> list[Key]:
    """Return the key of each result: code and system, sub-id, and its rank among those with the same."""
    seen: dict[Key, int] = {}
    keys: list[Key] = []
    for result in results:
        key = (*analyte_key(result), result.sub_id)
        seen[key] = seen.get(key, 0) + 1
        keys.append((*key, str(seen[key])))
    return keys


def analyte_key(result: Result) -> tuple[str, str]:
    """Return what tells an analyte of one sender: its local code, else LOINC."""
    code = result.local_code or result.loinc or Code(code="")
    return code.system, code.code or code.label


def is_earlier(reported: str, known: str, sent: str = "", last_sent: str = "") -> bool:
    """Return True when a state was reported before the one known: by OBR-22, by MSH-7 when that does not tell."""
    for ours, theirs in ((reported, known), (sent, last_sent)):
        if ours and theirs and not _agree(ours, theirs):
            return _is_before(ours, theirs)
    return False


def _agree(one: str, other: str) -> bool:
    """Return True for times that differ in precision at most."""
    if _has_offset(one) and _has_offset(other):
        return _moment(one) == _moment(other)
    shorter, longer = sorted((_written(one), _written(other)), key=len)
    return longer.startswith(shorter)


def _is_before(one: str, other: str) -> bool:
    if _has_offset(one) and _has_offset(other):
        return _moment(one) < _moment(other)
    return _written(one) < _written(other)


def _merged(known: Battery | None, battery: Battery, places: Sequence[str], change: _Change) -> Battery:
    """Return a battery after a message about it, result by result."""
    old = dict(zip(result_keys(known.results), known.results, strict=True)) if known else {}
    results = dict(old)
    for key, result, place in zip(result_keys(battery.results), battery.results, places, strict=True):
        results[key] = _succeed(old.get(key), result, battery.status, place, change)
    if change.snapshot and battery.results:
        told = set(result_keys(battery.results))
        results = {
            key: each if key in told else each.model_copy(update={"status": "D"}) for key, each in results.items()
        }
    if known is None:
        return battery
    if battery.status == "X" and not battery.results:  # cancelled whole
        results = {key: each.model_copy(update={"status": "X"}) for key, each in results.items()}
    kept = _reopens(known.status, battery.status)
    update = {
        "results": tuple(results.values()),
        "status": known.status if kept else battery.status,
        "reported_at": known.reported_at if kept else battery.reported_at or known.reported_at,
        "specimens": battery.specimens or known.specimens,
        "specimen_observations": battery.specimen_observations or known.specimen_observations,
        "parent": battery.parent or known.parent,
        "clinical_information": battery.clinical_information or known.clinical_information,
        "comments": known.comments if kept else battery.comments,
        "section": battery.section or known.section,
    }
    return battery.model_copy(update=update)


def _reopens(known: str, new: str) -> bool:
    """Return True for a battery that was ended and would not be; one that was cancelled may be performed after all."""
    return known in ENDED and new not in ENDED and not (known == "X" and new in ("P", "A"))


def _succeed(known: Result | None, new: Result, order_status: str, place: str, change: _Change) -> Result:
    """Return what stands of a result after a message about it."""
    if new.status == "W" and (known is None or known.status != "W"):
        change.withdrawn = True
    if known is None:
        return new
    was, is_ = known.status, new.status
    if was not in _OPEN and is_ not in _NEXT[was] and not (was in FINAL and is_ == "X" and order_status == "X"):
        change.warn(f"{place}^11", "ltw.older-state", _OLDER)
        return known
    same = _says_the_same(known, new)
    if was == "W" and is_ in FINAL and same:
        change.warn(f"{place}^5", "ltw.withdrawn-value", "Valeur déjà retirée pour ce patient : non appliquée.")
        return known
    if was == "C" and is_ == "F" and same:
        return new.model_copy(update={"status": "C"})
    if was in FINAL and is_ == "F" and not same:
        change.notes.add(UNMARKED_CORRECTION)
    if is_ in WITHDRAWN and not new.value and new.attachment is None:
        kept = {"status": is_, "comments": new.comments}
        return known.model_copy(update=kept)
    return new


def _says_the_same(one: Result, other: Result) -> bool:
    return (one.value, one.value_code, one.unit, one.attachment) == (
        other.value,
        other.value_code,
        other.unit,
        other.attachment,
    )


def _united(previous: LaboratoryReport, new: LaboratoryReport) -> tuple[Professional, ...]:
    people = {person.identifier: person for person in (*previous.copies_to, *new.copies_to)}
    return tuple(people.values())


def _shared_numbers(batteries: Iterable[Battery]) -> frozenset[str]:
    """Return the numbers under which different exams are known."""
    exams: dict[str, set[Key]] = {}
    for each in batteries:
        parent = each.parent
        exam = (
            each.code.system,
            each.code.code,
            parent.sub_id if parent else "",
            parent.filler_number if parent else "",
        )
        exams.setdefault(each.filler_number or each.placer_number, set()).add(exam)
    return frozenset(number for number, found in exams.items() if len(found) > 1)


def _has_offset(timestamp: str) -> bool:
    return "+" in timestamp or "-" in timestamp


def _written(timestamp: str) -> str:
    """Return the local time as far as it is told."""
    return timestamp.replace("-", "+").replace(".", "+").split("+", maxsplit=1)[0][:14]


def _moment(timestamp: str) -> datetime:
    """Return the instant of a TS with an offset."""
    digits = _written(timestamp).ljust(14, "0")
    sign = 1 if "+" in timestamp else -1
    offset = timestamp.replace("-", "+").split("+", maxsplit=1)[1]
    parts = [int(digits[at : at + 2]) for at in (4, 6, 8, 10, 12)]
    at = datetime(int(digits[:4]), parts[0] or 1, parts[1] or 1, parts[2], parts[3], min(parts[4], 59), tzinfo=UTC)
    return at - sign * timedelta(hours=int(offset[:2]), minutes=int(offset[2:4]))


_OLDER = "État antérieur à celui déjà connu : conservé, non appliqué."
