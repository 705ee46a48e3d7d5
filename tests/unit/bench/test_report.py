"""The page of the benchmarks says what was measured, and whether it is enough."""

from pathlib import Path

from tests.bench import report
from tests.bench.figures import Figures, percentiles, table


def measured(acks: float, wait_ms: float, reports: float, megabytes: float) -> str:
    figures = Figures()
    alone = {"hub": "intake alone", "engine": "embedded", "message": "3kB", "connections": 16}
    figures.add("acks", **alone, acks_per_second=acks, p99_ms=99.0)  # type: ignore[arg-type]
    figures.add("acks", **alone, sent_per_second=900, acks_per_second=900.0, p99_ms=wait_ms)  # type: ignore[arg-type]
    figures.add("road", engine="embedded", mix="relay", reports_per_second=reports)
    figures.add("memory", engine="embedded", moment="idle", pss_mb=megabytes)
    return report.page(figures, command="bench", load_before=0.1, seconds=1.0)


def test_every_bar_that_is_reached_is_said_to_be_met() -> None:
    bars = [line for line in measured(2000.0, 50.0, 20.0, 400.0).splitlines() if line.rstrip().endswith("yes |")]
    assert len(bars) == 4


def test_a_bar_that_is_missed_says_so() -> None:
    page = measured(1999.0, 50.1, 19.9, 401.0)
    assert sum(line.rstrip(" |").endswith("no") for line in page.splitlines()) == 4


def test_figures_replace_those_before_them_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    report.write(page, "new")
    report.write(page, "newer")
    assert page.read_text() == f"# Title\n\n{report.BEGIN}\n\nnewer\n{report.END}\n\nafter\n"


def test_percentiles_are_of_the_durations_given() -> None:
    assert percentiles([number / 1000 for number in range(1, 101)]) == {"p50_ms": 51.0, "p95_ms": 96.0, "p99_ms": 100.0}


def test_a_table_leaves_out_what_nobody_measured() -> None:
    assert table([{"a": 1}, {"a": 12345}], ("a", "b")).splitlines()[0] == "| a      |"
