"""Small marks: an arrow for what is out of range, a gauge for where a value stands."""

from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.pdf.pages import INK, LINE, SOFT, fill
from labohub.standards.cda.builder import Observation, Quantity

_LENGTH = 28.0


def draw_arrow(canvas: Canvas, x: float, y: float, direction: int, colour: tuple[float, float, float]) -> None:
    """Draw a triangle that points up or down; a diamond when the flag has no direction."""
    fill(canvas, colour)
    path = canvas.beginPath()
    points: tuple[tuple[float, float], ...]
    if direction > 0:
        points = ((x, y), (x + 6, y), (x + 3, y + 6))
    elif direction < 0:
        points = ((x, y + 6), (x + 6, y + 6), (x + 3, y))
    else:
        points = ((x, y + 3), (x + 3, y + 6), (x + 6, y + 3), (x + 3, y))
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def draw_gauge(canvas: Canvas, x: float, y: float, observation: Observation) -> None:
    """Draw where a number stands against its range: the middle half of the line is the range."""
    limits, value = observation.range, observation.value
    if limits is None or not isinstance(value, Quantity) or not (limits.low and limits.high):
        return
    low, high, number = float(limits.low), float(limits.high), float(value.value)
    if high <= low:
        return
    place = min(max(0.25 + 0.5 * (number - low) / (high - low), 0.02), 0.98)
    canvas.setStrokeColorRGB(*LINE)
    canvas.setLineWidth(1)
    canvas.line(x, y, x + _LENGTH, y)
    canvas.setStrokeColorRGB(*SOFT)
    canvas.setLineWidth(2.4)
    canvas.line(x + _LENGTH * 0.25, y, x + _LENGTH * 0.75, y)
    fill(canvas, INK)
    canvas.circle(x + _LENGTH * place, y, 2, stroke=0, fill=1)
