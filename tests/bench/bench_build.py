"""CPU time to build a document from results: the model, then its XML. Each result differs; the best of several runs.

Run: `python -m tests.bench build`.
"""

import time
from collections.abc import Callable

from labohub.contracts.laboratory import LaboratoryReport, PreviousResult
from labohub.standards.cda.builder import build_cr_bio
from tests.bench.figures import Figures
from tests.support.cda import PDF, battery, model_of, result, results_of

SIZES = (5, 40, 200)
ROUNDS = 7
BATTERY = 8  # exams that are ordered together


def report_of(size: int) -> LaboratoryReport:
    """Return a report of `size` results, with ranges, flags, methods, some comments and earlier results."""
    exams = []
    for rank in range(size):
        earlier = (PreviousResult(value_type="NM", value=f"{rank}.1", unit="mmol/L", observed_at="20251103"),)
        exams.append(
            result(
                (f"A{rank}", f"Analyte {rank}", "2951-2" if rank % 5 else "", "Sodium [Moles/Volume] Sérum/Plasma"),
                f"{rank}.5",
                reference_range="3.5-50.1",
                flags=("H",) if rank % 4 == 0 else ("N",),
                method="Potentiométrie indirecte",
                comments=("Contrôlé.",) if rank % 10 == 0 else (),
                previous=earlier if rank % 3 == 0 else (),
            )
        )
    groups = [tuple(exams[at : at + BATTERY]) for at in range(0, size, BATTERY)]
    return results_of(*(battery(*group) for group in groups))


def run(figures: Figures, scale: float) -> None:
    """Measure each size."""
    for size in SIZES:
        report = report_of(size)
        model = model_of(report)
        document = build_cr_bio(model, PDF)
        figures.add(
            "build",
            results=size,
            model_cpu_ms=best(lambda report=report: model_of(report), scale),  # type: ignore[misc]
            xml_cpu_ms=best(lambda model=model: build_cr_bio(model, PDF), scale),  # type: ignore[misc]
            whole_cpu_ms=best(lambda report=report: build_cr_bio(model_of(report), PDF), scale),  # type: ignore[misc]
            document_kb=round(len(document) / 1000, 1),
        )


def best(work: Callable[[], object], scale: float) -> float:
    """Return the milliseconds of CPU that one call takes, in the best of the rounds."""
    times = []
    for _ in range(ROUNDS):
        calls = max(int(10 * scale), 1)
        started = time.process_time()
        for _ in range(calls):
            work()
        times.append((time.process_time() - started) / calls)
    return round(min(times) * 1000, 2)
