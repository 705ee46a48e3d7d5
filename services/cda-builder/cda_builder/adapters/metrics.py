"""What operators watch: how long documents take, and what the gate says."""

from prometheus_client import Counter, Histogram

WORK_SECONDS = Histogram(
    "cda_builder_work_seconds",
    "Time to build or check one document, waiting included.",
    ["task"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
VERDICTS = Counter("cda_builder_verdicts_total", "Verdicts of the gate.", ["conformance"])
WORKERS_LOST = Counter("cda_builder_workers_lost_total", "Worker processes that died or took too long.")
