"""CPU time to draw a report's PDF, and to make its page. The best of several runs.

Run: `python -m tests.bench pdf`. `picture` is an electrophoresis with its curve, most of it the curve's compression.
"""

from cda_builder.adapters.pdf import render_report
from labohub.standards.cda.builder import CrBio, build_cr_bio
from labohub.standards.cda.presentation import to_html
from tests.bench.bench_build import SIZES, best, report_of
from tests.bench.figures import Figures
from tests.support.cda import model_of
from tests.support.showcase import showcase


def run(figures: Figures, scale: float) -> None:
    """Measure each size."""
    for size in SIZES:
        _measure(figures, str(size), model_of(report_of(size)), scale)
    _measure(figures, "picture", showcase("electrophoresis"), scale)


def _measure(figures: Figures, results: str, model: CrBio, scale: float) -> None:
    pdf = render_report(model)
    document = build_cr_bio(model, pdf)
    figures.add(
        "pdf",
        results=results,
        pdf_cpu_ms=best(lambda: render_report(model), scale),
        pdf_kb=round(len(pdf) / 1000, 1),
        page_cpu_ms=best(lambda: to_html(document), scale),
    )
