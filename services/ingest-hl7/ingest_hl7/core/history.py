"""Earlier results of the same analysis: those the sender repeats, and those of the patient's former demands."""

from collections.abc import Iterable, Sequence

from ingest_hl7.core.demand import analyte_key, is_earlier
from ingest_hl7.core.results import previous_of
from labohub.contracts.laboratory import LaboratoryReport, PreviousResult, Result

Earlier = tuple[Result, PreviousResult]


def former_results(reports: Iterable[LaboratoryReport]) -> list[Earlier]:
    """Return the final results of other demands of the patient."""
    found = []
    for report in reports:
        for battery in report.batteries:
            for result in battery.results:
                earlier = previous_of(result, battery.collected_at)
                if earlier is not None:
                    found.append((result, earlier))
    return found


def with_previous(report: LaboratoryReport, earlier: Sequence[Earlier], most: int) -> LaboratoryReport:
    """Return the report with the earlier values of each result: same analysis, same unit, the latest first.

    An isolate or an antibiotic has no earlier value: another strain is another thing.
    """
    if not earlier or most <= 0:
        return report
    known: dict[tuple[str, ...], list[PreviousResult]] = {}
    for result, value in earlier:
        if not result.sub_id:
            known.setdefault((*analyte_key(result), result.unit), []).append(value)
    batteries = []
    for battery in report.batteries:
        results = tuple(
            _with_values(result, known.get((*analyte_key(result), result.unit), []), battery.collected_at, most)
            if battery.parent is None and not result.sub_id
            else result
            for result in battery.results
        )
        batteries.append(battery.model_copy(update={"results": results}))
    return report.model_copy(update={"batteries": tuple(batteries)})


def _with_values(result: Result, values: list[PreviousResult], collected_at: str, most: int) -> Result:
    observed = result.observed_at or collected_at
    fitting = [each for each in values if observed and is_earlier(each.observed_at, observed)]
    if not fitting:
        return result
    latest = sorted(fitting, key=lambda each: each.observed_at, reverse=True)
    distinct = tuple(dict.fromkeys(latest))[:most]
    return result.model_copy(update={"previous": distinct})
