"""`python -m tests.fuzz [target…] [--seconds 900]`: coverage-guided fuzzing, the time shared among the targets.

Each target runs in a process of its own (atheris, libFuzzer). A finding is written to `var/fuzz/<target>/` and ends
the run with code 1: reduce it, fix it, and keep it in `tests/fuzz/findings.py`.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.seeds import corpus, dictionary
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
MEMORY_MB = 1024
SLOWEST_SECONDS = 10  # one input; more is a hang
MAX_BYTES = 16_384


def main() -> int:
    """Return 0 when nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=900, help="in all")
    parser.add_argument("--corpus", type=Path, default=ROOT / "var" / "fuzz", help="where inputs are kept between runs")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    return max(run(name, options.corpus / name, max(1, options.seconds // len(names))) for name in names)


def run(target: str, folder: Path, seconds: int) -> int:
    """Fuzz one target; print its figures; return its exit code."""
    inputs = folder / "corpus"
    inputs.mkdir(parents=True, exist_ok=True)
    for name, data in corpus(target).items():
        (inputs / f"seed-{name}").write_bytes(data)
    words = folder / "words.dict"
    words.write_text(dictionary())
    started = time.monotonic()
    command = [
        sys.executable, "-m", "tests.fuzz.one", target, str(inputs), f"-dict={words}", f"-artifact_prefix={folder}/",
        f"-max_total_time={seconds}", f"-timeout={SLOWEST_SECONDS}", f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={MAX_BYTES}", "-print_final_stats=1", "-use_value_profile=1",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    last = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", done.stderr)
    coverage, features, kept = last[-1] if last else ("0", "0", "0")
    line = {
        "fuzz": target,
        "runs": int(figures.get("number_of_executed_units", 0)),
        "seconds": round(time.monotonic() - started),
        "edges": int(coverage),
        "features": int(features),
        "corpus": int(kept),
        "slowest_seconds": int(figures.get("slowest_unit_time_sec", 0)),
        "peak_rss_mb": int(figures.get("peak_rss_mb", 0)),
        "found": done.returncode != 0,
    }
    print(json.dumps(line), flush=True)
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-5000:], file=sys.stderr)
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
