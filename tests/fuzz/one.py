"""`python -m tests.fuzz.one target corpus [libFuzzer options]`: one target under atheris."""

import sys
from collections.abc import Callable
from typing import Any

import atheris

with atheris.instrument_imports(include=["labohub.standards", "ingest_hl7.core"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    target: Callable[[bytes], None] = TARGETS[sys.argv[1]]
    fuzzer: Any = atheris
    fuzzer.Setup([sys.argv[0], *sys.argv[2:]], target)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main()
