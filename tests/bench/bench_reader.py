"""Our ER7 reader beside `hl7` (python-hl7) and hl7apy: the same bytes, the same fields asked for, CPU time.

Three messages composed here: 3 kB and 30 kB of results, and 300 kB of which an ED is most. Two tasks:

- *the intake's fields*: bytes to the values that the intake looks at, each reader by its own access methods, the values
  checked to be equal;
- *every component*: ours is asked for all components of all fields, which `hl7` has cut once it has parsed.

`hl7` and hl7apy get the text decoded as UTF-8: choosing the character set is no work of theirs. hl7apy is tolerant and
without groups, its quickest way that keeps the segments. Each figure is the median CPU time of runs that take turns.
"""

import statistics
import time
from collections.abc import Callable, Sequence

import hl7
from hl7apy.parser import parse_message

from labohub.standards import er7
from tests.bench.figures import Figures
from tests.support.ingest import results_message

Values = list[str]
ROUNDS = {"er7": 60, "hl7": 12, "hl7apy": 3}
OBX = (2, 7, 8, 11)
DOCTOR = "99700005014^LEGUEN^Maud^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"


def messages() -> dict[str, bytes]:
    """Return the messages by name."""
    return {"3 kB": _results(10), "30 kB": _results(184), "300 kB": _results(10, "QUJD" * 74_000)}


def _results(count: int, data: str = "") -> bytes:
    extra = [
        f"OBX|{rank}|NM|A{rank}^Analyte {rank}^99REM^2951-2^Sodium^LN||{rank}.5|mmol/L^mmol/L^UCUM|1-90|N|||F|||"
        f"20260312080000||{DOCTOR}"
        for rank in range(3, count + 3)
    ]
    if data:
        extra.append(f"OBX|{count + 3}|ED|PDF^Compte rendu^99REM||^AP^PDF^Base64^{data}||||||F")
    return results_message(extra=extra)


def by_er7(raw: bytes) -> Values:
    """Return the intake's fields as our reader gives them."""
    message = er7.read(raw)
    found = [message.header.component(9, 1), message.header.value(10)]
    for pid in message.all("PID"):
        for repetition in range(1, len(pid.repetitions(3)) + 1):
            found += [pid.component(3, 1, repetition), pid.component(3, 5, repetition)]
        found += [pid.component(5, 1), pid.value(7)]
    for obr in message.all("OBR"):
        found += [obr.component(3, 1), obr.component(4, 1), obr.value(25)]
    for obx in message.all("OBX"):
        found += [obx.component(3, 1), obx.component(3, 4), obx.component(6, 1), obx.component(14, 1)]
        found += [obx.value(number) for number in OBX]
        found.append(obx.components(5)[-1])
    return found


def by_hl7(raw: bytes) -> Values:
    """Return the same by python-hl7."""
    message = hl7.parse(raw.decode())
    found = [_hl7(message[0], 9, 1), _hl7(message[0], 10, 1)]
    for pid in message.segments("PID"):
        for repetition in range(len(pid[3])):
            found += [_hl7(pid, 3, 1, repetition), _hl7(pid, 3, 5, repetition)]
        found += [_hl7(pid, 5, 1), _hl7(pid, 7, 1)]
    for obr in message.segments("OBR"):
        found += [_hl7(obr, 3, 1), _hl7(obr, 4, 1), _hl7(obr, 25, 1)]
    for obx in message.segments("OBX"):
        found += [_hl7(obx, 3, 1), _hl7(obx, 3, 4), _hl7(obx, 6, 1), _hl7(obx, 14, 1)]
        found += [_hl7(obx, number, 1) for number in OBX]
        found.append(str(obx[5][-1][-1]) if isinstance(obx[5][-1], hl7.Repetition) else str(obx[5][-1]))
    return found


def _hl7(segment: hl7.Segment, number: int, position: int, repetition: int = 0) -> str:
    if number >= len(segment) or repetition >= len(segment[number]):
        return ""
    value = segment[number][repetition]
    if isinstance(value, hl7.Repetition):
        return str(value[position - 1]).strip() if position <= len(value) else ""
    return str(value).strip() if position == 1 else ""


def by_hl7apy(raw: bytes) -> Values:
    """Return the same by hl7apy."""
    message = parse_message(raw.decode(), find_groups=False)
    found: Values = []
    rows: dict[str, Values] = {"PID": [], "OBR": [], "OBX": []}
    for segment in message.children:
        name = segment.name
        if name == "MSH":
            found = [_apy(segment, 9, 1), _apy(segment, 10, 1)]
        elif name == "PID":
            for repetition in range(len(segment.pid_3)):
                rows[name] += [_apy(segment, 3, 1, repetition), _apy(segment, 3, 5, repetition)]
            rows[name] += [_apy(segment, 5, 1), _apy(segment, 7, 1)]
        elif name == "OBR":
            rows[name] += [_apy(segment, 3, 1), _apy(segment, 4, 1), _apy(segment, 25, 1)]
        elif name == "OBX":
            rows[name] += [_apy(segment, 3, 1), _apy(segment, 3, 4), _apy(segment, 6, 1), _apy(segment, 14, 1)]
            rows[name] += [_apy(segment, number, 1) for number in OBX]
            rows[name].append(segment.obx_5.to_er7().split("^")[-1])
    return found + rows["PID"] + rows["OBR"] + rows["OBX"]


def _apy(segment: object, number: int, position: int, repetition: int = 0) -> str:
    name = f"{segment.name}_{number}"  # type: ignore[attr-defined]
    fields = getattr(segment, name.lower())
    if repetition >= len(fields):
        return ""
    parts = fields[repetition].to_er7().split("^")
    return parts[position - 1].strip() if position <= len(parts) else ""


def every_er7(raw: bytes) -> int:
    """Return how many components there are, each of them cut and unescaped."""
    count = 0
    for segment in er7.read(raw):
        for number in range(1, len(segment.fields)):
            for repetition in range(1, len(segment.repetitions(number)) + 1):
                for part in segment.components(number, repetition):
                    segment.text(part)
                    count += 1
    return count


def every_hl7(raw: bytes) -> int:
    """Return how many components `hl7` has cut; nothing more is asked of it."""
    return len(hl7.parse(raw.decode()))


def run(figures: Figures, scale: float) -> None:
    """Measure each reader on each message."""
    tasks: tuple[tuple[str, dict[str, Callable[[bytes], object]]], ...] = (
        ("the intake's fields", {"er7": by_er7, "hl7": by_hl7, "hl7apy": by_hl7apy}),
        ("every component", {"er7": every_er7, "hl7": every_hl7}),
    )
    for name, raw in messages().items():
        assert by_er7(raw) == by_hl7(raw) == by_hl7apy(raw)
        for task, readers in tasks:
            medians = _medians(readers, raw, scale)
            for reader, median in medians.items():
                figures.add(
                    "reader", message=name, bytes=len(raw), task=task, reader=reader, cpu_us=round(median, 1),
                    times_er7=round(median / medians["er7"], 1),
                )  # fmt: skip


def _medians(readers: dict[str, Callable[[bytes], object]], raw: bytes, scale: float) -> dict[str, float]:
    """Return the median CPU microseconds of each, the runs taking turns."""
    spent: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(max(3, round(9 * scale))):
        for name, read in readers.items():
            spent[name] += _runs(read, raw, ROUNDS[name])
    return {name: statistics.median(times) for name, times in spent.items()}


def _runs(read: Callable[[bytes], object], raw: bytes, count: int) -> Sequence[float]:
    times = []
    for _ in range(count):
        started = time.process_time_ns()
        read(raw)
        times.append((time.process_time_ns() - started) / 1e3)
    return times
