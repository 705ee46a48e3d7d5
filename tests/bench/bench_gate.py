"""The gate alone, in a process of its own: CPU per document of 5, 40 and 200 results, memory, time to be ready.

With the official rules of `LABOHUB_CISIS_DIR`, else of ../shared/cisis; without either, the hub's own checks only.
"""

import gc
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.figures import Figures

ROOT = Path(__file__).resolve().parents[2]
RESULTS = (5, 40, 200)
ROUNDS = 40  # of each document; the median is told


def run(figures: Figures, scale: float) -> None:
    """Measure in a fresh process, so that memory and start are the gate's own."""
    rules = os.environ.get("LABOHUB_CISIS_DIR") or str(ROOT.parent / "shared" / "cisis")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_gate", rules, str(max(3, int(ROUNDS * scale)))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        figures.add("gate", **json.loads(line))


def _measure(rules: str, rounds: int) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    from cda_builder.adapters.gate import Gate
    from cda_builder.adapters.rules_folder import checked_folders

    folder = Path(rules)
    gate = Gate(checked_folders(folder if folder.is_dir() else None))
    gate.warm()
    gc.freeze()  # as in a worker
    gc.set_threshold(50_000)
    official = "applied" if gate.folders else "not-configured"
    _say(
        task="start",
        official_rules=official,
        seconds=round(time.perf_counter() - started, 2),
        cpu_seconds=round(time.process_time() - cpu, 2),
        resident_mb=_resident_mb(),
    )
    documents = {count: _document(count) for count in RESULTS}
    from labohub.standards import xml
    from labohub.standards.cda import read_header

    for count, document in documents.items():
        taken = []
        for _ in range(rounds):
            before = time.process_time()
            root = xml.parse(document)
            verdict = gate.verdict(root, read_header(root))
            taken.append(time.process_time() - before)
        assert verdict.conforms
        _say(
            task=f"{count} results",
            official_rules=official,
            cpu_ms=round(sorted(taken)[len(taken) // 2] * 1000, 1),
            kb=round(len(document) / 1024),
            resident_mb=_resident_mb(),
        )


def _document(count: int) -> bytes:
    from labohub.standards.cda.builder import build_cr_bio
    from tests.support.cda import PDF, POTASSIUM, SODIUM, battery, model_of, result, results_of

    results = (
        result(POTASSIUM if rank % 2 else SODIUM, str(100 + rank), reference_range="135-145", flags=("H",))
        for rank in range(count)
    )
    return build_cr_bio(model_of(results_of(battery(*results))), PDF)


def _resident_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _say(**figures: float | int | str) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    _measure(sys.argv[1], int(sys.argv[2]))
