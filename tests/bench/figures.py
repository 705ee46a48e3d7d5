"""Figures: one JSON line each while they come, one table at the end."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Value = float | int | str


@dataclass
class Figures:
    """What was measured so far. Each line says how busy the machine was, with our own work."""

    lines: list[dict[str, Value]] = field(default_factory=list)

    def add(self, bench: str, **figures: Value) -> None:
        """Keep and print one line."""
        line: dict[str, Value] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "bench": bench,
            **figures,
            "load_average": round(os.getloadavg()[0], 2),
        }
        self.lines.append(line)
        print(json.dumps(line), flush=True)

    def of(self, bench: str) -> list[dict[str, Value]]:
        """Return the lines of one bench."""
        return [line for line in self.lines if line["bench"] == bench]


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "processor": f"{os.cpu_count()} cores, {model} ({platform.machine()})",
        "memory": f"{memory_kb / 1024**2:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "date": datetime.now(UTC).date().isoformat(),
    }


def table(lines: Sequence[Mapping[str, Value]], columns: Sequence[str]) -> str:
    """Return lines as a Markdown table; columns that no line has are left out."""
    used = [column for column in columns if any(column in line for line in lines)]
    rows = [[_text(line.get(column, "")) for column in used] for line in lines]
    head = [column.replace("_", " ") for column in used]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(used))]

    def written(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([written(head), written(["-" * width for width in widths]), *(written(row) for row in rows)])


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return the 50th, 95th and 99th percentile, in milliseconds, of durations in seconds."""
    ordered = sorted(values)
    return {
        f"p{rank}_ms": round(ordered[min(len(ordered) * rank // 100, len(ordered) - 1)] * 1000, 1)
        for rank in (50, 95, 99)
    }


def _text(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
