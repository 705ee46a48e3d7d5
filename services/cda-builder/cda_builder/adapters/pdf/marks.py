"""Small drawings: an arrow for what is out of range, where a value stands, how it moved, the datamatrix INS."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from cda_builder.adapters.pdf.look import INK, LINE, SOFT, WHITE, Colour
from cda_builder.adapters.pdf.sheet import Point, Sheet
from labohub.standards.cda.builder import Number, Observation, Quantity, Value

GAUGE = 26.0
TREND: Point = (25.0, 11.0)
_BAND = Colour(0.88, 0.91, 0.93)
_NORMAL = Colour(0.72, 0.78, 0.81)
_BLACK = Colour(0, 0, 0)


def draw_arrow(sheet: Sheet, x: float, y: float, direction: int, colour: Colour) -> None:
    """Draw a triangle that points up or down; a diamond when the flag has no direction."""
    points = [(x, y + 3), (x + 2.8, y + 6), (x + 5.6, y + 3), (x + 2.8, y)]
    if direction > 0:
        points = [(x, y), (x + 5.6, y), (x + 2.8, y + 6)]
    elif direction < 0:
        points = [(x, y + 6), (x + 5.6, y + 6), (x + 2.8, y)]
    sheet.shape(points, colour)


def draw_gauge(sheet: Sheet, x: float, y: float, observation: Observation, colour: Colour) -> None:
    """Draw where a number stands against its range: the middle half of the line is the range."""
    limits, number = observation.range, _number(observation.value)
    if limits is None or number is None or not (limits.low and limits.high):
        return
    low, high = float(limits.low), float(limits.high)
    if high <= low:
        return
    place = min(max(0.25 + 0.5 * (number - low) / (high - low), 0.05), 0.95)
    sheet.box((x, y + 0.5), (GAUGE, 1), LINE)
    sheet.box((x + GAUGE * 0.25, y + 1.5), (GAUGE * 0.5, 3), _NORMAL)
    sheet.box((x + GAUGE * place - 1.1, y + 3.5), (2.2, 7), colour)


def draw_trend(sheet: Sheet, x: float, y: float, observation: Observation) -> None:
    """Draw how a number moved, when it has three points or more: the last one is this report's, the band its range."""
    points = trend_of(observation)
    if len(points) < 3:
        return
    limits = observation.range
    bounds = [float(each) for each in ((limits.low, limits.high) if limits else ()) if each]
    numbers = [number for _, number in points]
    lowest, highest = min(numbers), max(numbers)
    margin = (highest - lowest or abs(highest) or 1.0) * 0.15
    bottom, top = lowest - margin, highest + margin

    def height(number: float) -> float:
        return y + TREND[1] * min(max((number - bottom) / (top - bottom), 0), 1)

    if len(bounds) == 2 and height(bounds[1]) > height(bounds[0]):
        sheet.box((x, height(bounds[1])), (TREND[0], height(bounds[1]) - height(bounds[0])), _BAND)
    first, last = points[0][0], points[-1][0]
    places = [(x + TREND[0] * (moment - first) / (last - first), height(number)) for moment, number in points]
    sheet.path(places, 0.8, SOFT)
    sheet.boxes([((px - 1.3, py + 1.3), (2.6, 2.6)) for px, py in places[-1:]], INK)


def trend_of(observation: Observation) -> list[tuple[float, float]]:
    """Return the comparable numbers with their day, oldest first; none when a time is missing or does not advance."""
    points = [
        (_day(each.effective_time), _number(each.value)) for each in reversed(observation.previous) if each.comparable
    ]
    points.append((_day(observation.effective_time), _number(observation.value)))
    found = [(day, number) for day, number in points if day and number is not None]
    advances = all(one[0] < other[0] for one, other in pairwise(found))
    return found if advances and len(found) == len(points) else []


def draw_symbol(sheet: Sheet, corner: Point, side: float, rows: Sequence[str]) -> None:
    """Draw a Data Matrix on white, its quiet zone included in `side`."""
    module = side / (len(rows) + 4)
    sheet.box(corner, (side, side), WHITE)
    runs = []
    for line, row in enumerate(rows):
        start = row.find("1")
        while start >= 0:
            end = row.find("0", start)
            end = len(row) if end < 0 else end
            place = (corner[0] + (start + 2) * module, corner[1] - (line + 2) * module)
            runs.append((place, ((end - start) * module, module)))
            start = row.find("1", end)
    sheet.boxes(runs, _BLACK)


def _number(value: Value | None) -> float | None:
    return float(value.value) if isinstance(value, Quantity | Number) else None


def _day(time: str) -> float:
    """Return the day, with its fraction, of a CDA time; 0 without a full date."""
    if len(time) < 8 or not time[:8].isdigit():
        return 0.0
    try:
        day = date(int(time[:4]), int(time[4:6]), int(time[6:8])).toordinal()
    except ValueError:
        return 0.0
    hour = time[8:12]
    return day + (int(hour[:2]) / 24 + int(hour[2:]) / 1440 if len(hour) == 4 and hour.isdigit() else 0.0)
