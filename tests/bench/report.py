"""The figures as a page."""

from pathlib import Path

from tests.bench.figures import Figures, Value, machine, table

BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- end of figures -->"
ACKS_BAR, ACK_BAR_MS, ROAD_BAR, MEMORY_BAR_MB = 2000.0, 50.0, 20.0, 400.0

READER_BAR = 20.0
BUILD_BAR_MS = 5.0  # for 40 results
PDF_BAR_MS = 15.0  # for 40 results
GATE_BAR_MS = 25.0  # for 40 results

SECTIONS = (
    ("reader", "Reading ER7, beside `hl7` and hl7apy", (
        "message", "bytes", "task", "reader", "cpu_us", "times_er7", "load_average",
    )),
    ("build", "Building a document from results", (
        "results", "model_cpu_ms", "xml_cpu_ms", "whole_cpu_ms", "document_kb", "load_average",
    )),
    ("pdf", "The PDF (PDF/A-1b) and the page of a report", (
        "results", "pdf_cpu_ms", "pdf_kb", "page_cpu_ms", "load_average",
    )),
    ("gate", "The gate: schema, official assertions, own checks, in a process of its own", (
        "task", "official_rules", "cpu_ms", "kb", "seconds", "cpu_seconds", "resident_mb", "load_average",
    )),
    ("acks", "Durable acknowledgements", (
        "hub", "engine", "message", "connections", "sent_per_second", "acks_per_second", "p50_ms", "p95_ms", "p99_ms",
        "service_cpu_ms_per_message",
        "load_average",
    )),
    ("road", "Reports end to end, all sent at once", (
        "engine", "mix", "message_kb", "reports", "reports_per_second", "acks_per_second", "hub_cpu_ms_per_report",
        "not_delivered", "load_average",
    )),
    ("delay", "From MLLP to MessageSettled, at a steady pace", (
        "engine", "sent_per_second", "reports", "p50_ms", "p95_ms", "p99_ms", "slowest_ms", "ack_p50_ms",
        "load_average",
    )),
    ("cpu", "CPU milliseconds per report, by process", (
        "engine", "mix", "hub", "ingest-hl7", "ins-qualifier", "cda-builder", "mss-sender", "dmp-feeder", "console",
        "simulators", "kafka", "postgresql",
    )),
    ("memory", "Memory of the embedded hub, all its processes (PSS)", (
        "engine", "moment", "processes", "pss_mb", "load_average",
    )),
    ("profile", "Where the time goes: who holds the interpreter of the embedded hub, mixed reports", (
        "by", "what", "percent",
    )),
)  # fmt: skip


def page(figures: Figures, *, command: str, load_before: float, seconds: float) -> str:
    """Return the figures in Markdown: machine, bars, one table per bench."""
    about = machine()
    parts = [
        f"{about['date']}, {about['processor']}, {about['memory']}, {about['system']}. Command: `{command}`, "
        f"{seconds:.0f} s; load average before it: {load_before:.2f}.",
    ]
    if bars := _bars(figures):
        parts.append("## The bars\n\n" + table(bars, ("bar", "at_least", "at_most", "measured", "met")))
    for bench, title, columns in SECTIONS:
        if lines := figures.of(bench):
            parts.append(f"## {title}\n\n{table(lines, columns)}")
    if stages := [line for line in figures.lines if str(line["bench"]).startswith("stage ")]:
        rows = [
            {"stage": str(line["bench"]).removeprefix("stage "), "figure": name.replace("_", " "), "value": value}
            for line in stages
            for name, value in line.items()
            if name not in ("at", "bench", "engine")
        ]
        parts.append("## Single stages, short form\n\n" + table(rows, ("stage", "figure", "value")))
    return "\n\n".join(parts) + "\n"


def write(path: Path, text: str) -> None:
    """Put the figures between the page's marks; what is around them stays."""
    before, _, rest = path.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def _bars(figures: Figures) -> list[dict[str, Value]]:
    alone = [
        line
        for line in figures.of("acks")
        if line["hub"] == "intake alone"
        and line["engine"] == "embedded"
        and (line["connections"], line["message"]) == (16, "3kB")
    ]
    acks = [line["acks_per_second"] for line in alone if "sent_per_second" not in line]
    steady = [_number(line["p99_ms"]) for line in alone if "sent_per_second" in line]
    cluster = [
        line["reports_per_second"]
        for line in figures.of("road")
        if line["engine"] != "embedded" and line["mix"] in ("relay", "structuring")
    ]
    plain = [
        line["reports_per_second"]
        for line in figures.of("road")
        if line["engine"] == "embedded" and line["mix"] in ("relay", "structuring")
    ]
    memory = [line["pss_mb"] for line in figures.of("memory")]
    rows: list[dict[str, Value]] = []
    reader = [
        line["times_er7"]
        for line in figures.of("reader")
        if line["reader"] == "hl7" and line["task"] != "every component"
    ]
    if reader:
        lowest = min(map(_number, reader))
        rows.append(_bar("speed of our ER7 reader, in times that of `hl7`", "at_least", READER_BAR, lowest))
    building = [line["whole_cpu_ms"] for line in figures.of("build") if line["results"] == 40]
    if building:
        rows.append(_bar("CPU ms to build a document of 40 results", "at_most", BUILD_BAR_MS, _number(building[0])))
    drawing = [line["pdf_cpu_ms"] for line in figures.of("pdf") if line["results"] == "40"]
    if drawing:
        rows.append(_bar("CPU ms to draw the PDF of 40 results", "at_most", PDF_BAR_MS, _number(drawing[0])))
    gate = [line["cpu_ms"] for line in figures.of("gate") if line["task"] == "40 results"]
    if gate:
        rows.append(_bar("CPU ms to check a document of 40 results", "at_most", GATE_BAR_MS, _number(gate[0])))
    if acks:
        rows.append(_bar("durable acks/s over 16 connections", "at_least", ACKS_BAR, _number(acks[0])))
    if steady:
        rows.append(_bar("99th percentile of the wait for AA at half of that, ms", "at_most", ACK_BAR_MS, steady[0]))
    if plain:
        lowest = min(map(_number, plain))
        rows.append(_bar("reports/s end to end, embedded, no schematron", "at_least", ROAD_BAR, lowest))
    if cluster:
        lowest = min(map(_number, cluster))
        rows.append(_bar("the same with kafka+postgresql on the same cores", "at_least", ROAD_BAR, lowest))
    if memory:
        rows.append(_bar("memory of the embedded hub, MB", "at_most", MEMORY_BAR_MB, max(map(_number, memory))))
    return rows


def _bar(name: str, kind: str, bar: float, measured: float) -> dict[str, Value]:
    met = measured >= bar if kind == "at_least" else measured <= bar
    return {"bar": name, kind: bar, "measured": measured, "met": "yes" if met else "no"}


def _number(value: Value) -> float:
    return float(value)
