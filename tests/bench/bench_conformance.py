"""`python -m tests.bench.bench_conformance`: messages per second that the conformance worker examines, by CPU time."""

import json
import statistics
import time

from ingest_hl7.adapters.conformance_task import inspect
from tests.support.ingest import relay_message, results_message

ROUNDS = 15
MESSAGES = {
    "results": results_message(),
    "document": relay_message(),
    "document of 300 kB": relay_message(document=b"<x>" + b"y" * 300_000 + b"</x>"),
}


def main() -> None:
    """Print one JSON line for each kind of message."""
    for name, message in MESSAGES.items():
        inspect(message, {}, "")
        spent = []
        for _ in range(ROUNDS):
            started = time.process_time()
            inspect(message, {}, "")
            spent.append(time.process_time() - started)
        median = statistics.median(spent)
        line = {"bench": "conformance", "message": name, "size_bytes": len(message)}
        print(json.dumps({**line, "cpu_ms": round(median * 1000, 1), "per_second": round(1 / median)}))


if __name__ == "__main__":
    main()
