"""What a new version of a report says that the published one did not, in words.

The value of a result that is no longer there is never repeated: it may have been another person's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cda_builder.core.context import Context
from cda_builder.core.observations import PUBLISHED, observation_of
from cda_builder.core.results import exam_codes
from labohub.contracts.laboratory import Battery, LaboratoryReport, Result
from labohub.standards.cda.builder import Observation
from labohub.standards.cda.builder.words import interpretation_text

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One result as it was told, or no longer is (`seen` None)."""

    label: str
    seen: Observation | None

    @property
    def words(self) -> str:
        """Return the value with its unit, as printed."""
        if self.seen is None or self.seen.aborted:
            return "non réalisé"
        return " ".join(f"{self.seen.printed} {self.seen.printed_unit}".split())


def changes_between(before: LaboratoryReport, after: LaboratoryReport, context: Context) -> tuple[str, ...]:
    """Return one sentence per result that changed, in the order of the new report; then what was added."""
    old, new = dict(_lines(before, context)), dict(_lines(after, context))
    said = [sentence for key, line in new.items() if key in old for sentence in _changed(old[key], line)]
    said += [_withdrawn(line) for key, line in old.items() if line.seen and key not in new]
    added = [line.label for key, line in new.items() if line.seen and (key not in old or old[key].seen is None)]
    if added:
        said.append(f"Ajouté : {', '.join(dict.fromkeys(added))}.")
    return tuple(said)


def _lines(report: LaboratoryReport, context: Context) -> Iterator[tuple[_Key, _Line]]:
    ranks: dict[_Key, int] = {}
    for battery in report.batteries:
        for result in (*battery.results, *battery.specimen_observations):
            key = _key(battery, result)
            ranks[key] = ranks.get(key, 0) + 1
            seen = observation_of(result, battery, context) if result.status in PUBLISHED else None
            yield (*key, str(ranks[key])), _Line(_label(result, battery, context), seen)


def _key(battery: Battery, result: Result) -> _Key:
    local = result.local_code or result.loinc
    order = battery.filler_number or battery.placer_number or battery.code.code
    return (order, local.system if local else "", local.code if local else "", result.sub_id)


def _label(result: Result, battery: Battery, context: Context) -> str:
    label = exam_codes(result.local_code, result.loinc, context)[2]
    of = (battery.parent.text if battery.parent else "") or result.sub_id
    return f"{label} ({of})" if of else label


def _withdrawn(line: _Line) -> str:
    return f"{line.label} : résultat annulé. Ne pas tenir compte de la valeur transmise auparavant."


def _changed(old: _Line, new: _Line) -> Iterator[str]:
    if old.seen is None:
        return  # counted as added, or never told
    if new.seen is None or (new.seen.aborted and not old.seen.aborted):
        yield _withdrawn(new)
        return
    if old.words != new.words:
        yield f"{new.label} : {new.words}, transmis auparavant : {old.words}."
    elif old.seen.provisional and not new.seen.provisional:
        yield f"{new.label} : {new.words}, résultat définitif, auparavant provisoire."
    then, now = interpretation_text(old.seen), interpretation_text(new.seen)
    if then != now:
        yield f"{new.label} : interprétation {now or 'retirée'}, auparavant {then or 'aucune'}."
    limits = [seen.range.printed if seen.range else "" for seen in (old.seen, new.seen)]
    if limits[0] != limits[1]:
        yield f"{new.label} : valeurs de référence {limits[1] or 'retirées'}, auparavant {limits[0] or 'aucune'}."
    if old.seen.comments != new.seen.comments:
        yield f"{new.label} : commentaire modifié."
