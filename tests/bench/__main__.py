"""`python -m tests.bench [names] [--scale 1.0] [--write PAGE]`: JSON lines while it runs, tables at the end.

Names: reader, build, pdf, gate, acks, hub-acks, road, cluster, stages, ins, profile; without one, all (8 min).
Nothing else should run beside it: each line says the load average.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import bench_acks, bench_build, bench_gate, bench_pdf, bench_profile, bench_reader, bench_road, report
from tests.bench.figures import Figures

ROOT = Path(__file__).resolve().parents[2]
STAGE_SECONDS = 90
STAGES = (  # the command, and what is short enough to run with the rest
    ("bus", ("tests/bench/bench_bus.py", "--seconds", "0.7")),
    ("mail", ("-m", "tests.bench.bench_mail", "--documents", "60")),
    ("dmp", ("-m", "tests.bench.bench_dmp", "--documents", "250")),
)


def stages(figures: Figures, _scale: float) -> None:
    """Run the benches of single stages, each in a process of its own, in their short form."""
    for name, command in STAGES:
        stage(figures, name, *command)


def stage(figures: Figures, name: str, *command: str) -> None:
    """Run the bench of a single stage."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=STAGE_SECONDS, check=True
    )
    whole: dict[str, float | int | str] = {}
    for line in done.stdout.splitlines():
        whole |= json.loads(line) if line.startswith("{") else {}
    figures.add(f"stage {name}", **{key: value for key, value in whole.items() if key not in _KNOWN})


_KNOWN = ("at", "bench", "machine", "cores", "date", "cpus", "python", "load_average")

BENCHES: dict[str, Callable[[Figures, float], None]] = {
    "reader": bench_reader.run,
    "build": bench_build.run,
    "pdf": bench_pdf.run,
    "gate": bench_gate.run,
    "acks": bench_acks.alone,
    "hub-acks": bench_acks.whole_hub,
    "road": lambda figures, scale: bench_road.run(figures, "embedded", scale),
    "cluster": lambda figures, scale: bench_road.run(figures, "distributed", scale),
    "stages": stages,
    "ins": lambda figures, scale: stage(figures, "ins", "-m", "tests.bench.bench_ins", str(int(2000 * scale)), "100"),
    "profile": bench_profile.run,
}


def main() -> None:
    """Run the benches asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], metavar="name", help=", ".join(BENCHES))
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer messages")
    parser.add_argument("--write", type=Path, help="put the figures into this page, between its marks")
    options = parser.parse_args()
    figures, started = Figures(), time.monotonic()
    load_before = os.getloadavg()[0]
    for name in options.names or list(BENCHES):
        BENCHES[name](figures, options.scale)
    command = " ".join(["python -m tests.bench", *sys.argv[1:]])
    text = report.page(figures, command=command, load_before=load_before, seconds=time.monotonic() - started)
    print(f"\n{text}")
    if options.write is not None:
        report.write(options.write, text)


if __name__ == "__main__":
    main()
