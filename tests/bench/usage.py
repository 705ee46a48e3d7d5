"""What processes use: CPU seconds, and memory that is theirs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process and all below it."""

    cpu_seconds: float
    pss_mb: float  # shared pages counted once over all who share them
    processes: int


def usage(pid: int) -> Usage:
    """Return what a process and its descendants have used so far."""
    root = psutil.Process(pid)
    cpu, memory, count = 0.0, 0.0, 0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
            cpu += times.user + times.system
            memory += _pss_mb(process.pid)
            count += 1
        except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            continue
    return Usage(cpu, memory, count)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU seconds of several processes and their descendants."""
    return sum(usage(pid).cpu_seconds for pid in pids)


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
