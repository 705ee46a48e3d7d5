"""Pages: blocks of known height put one under another, headers and footers around them, page x of y."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

WIDTH: Final = float(A4[0])
HEIGHT: Final = float(A4[1])
LEFT: Final = 42.0
RIGHT: Final = WIDTH - 42.0
BOTTOM: Final = 62.0

INK: Final = (0.10, 0.13, 0.17)
SOFT: Final = (0.36, 0.41, 0.47)
ACCENT: Final = (0.04, 0.33, 0.43)
TINT: Final = (0.91, 0.95, 0.96)
LINE: Final = (0.80, 0.84, 0.86)
ALERT: Final = (0.72, 0.11, 0.11)
WHITE: Final = (1.0, 1.0, 1.0)

Point = tuple[float, float]
Colour = tuple[float, float, float]
Draw = Callable[[Canvas, float], None]  # at the top edge y
Frame = Callable[[Canvas, int, int], None]  # page, of


@dataclass(frozen=True, slots=True)
class Block:
    """Something drawn in one piece. `sticky` stays with the next one; `repeat` is drawn again on a new page."""

    height: float
    draw: Draw
    sticky: bool = False
    repeat: "Block | None" = None


def paginate(blocks: Sequence[Block], first_top: float, next_top: float) -> list[list[tuple[float, Block]]]:
    """Return the pages: each a list of (top edge, block). A heading never ends a page."""
    pages: list[list[tuple[float, Block]]] = [[]]
    y, index = first_top, 0
    while index < len(blocks):
        group = [blocks[index]]
        while group[-1].sticky and index + len(group) < len(blocks):
            group.append(blocks[index + len(group)])
        if y - sum(block.height for block in group) < BOTTOM and pages[-1]:
            pages.append([])
            y = next_top
            if group[0].repeat is not None:
                pages[-1].append((y, group[0].repeat))
                y -= group[0].repeat.height
        for block in group:
            pages[-1].append((y, block))
            y -= block.height
        index += len(group)
    return pages


def draw_pages(canvas: Canvas, pages: Sequence[Sequence[tuple[float, Block]]], frame: Frame) -> None:
    """Draw all pages, each with its frame."""
    for number, page in enumerate(pages, 1):
        frame(canvas, number, len(pages))
        for y, block in page:
            block.draw(canvas, y)
        canvas.showPage()


def fill(canvas: Canvas, colour: Colour) -> None:
    """Take a colour for what is filled, unless it is the current one: it is written into the file each time."""
    if canvas._fillColorObj != colour:
        canvas.setFillColorRGB(*colour)


def text(canvas: Canvas, at: Point, words: str, font: str, size: float, *, colour: Colour = INK) -> None:
    """Write a line from its left end on its base line."""
    fill(canvas, colour)
    canvas.setFont(font, size)
    canvas.drawString(at[0], at[1], words)


def right_text(canvas: Canvas, at: Point, words: str, font: str, size: float, *, colour: Colour = INK) -> None:
    """Write a line up to its right end on its base line."""
    fill(canvas, colour)
    canvas.setFont(font, size)
    canvas.drawRightString(at[0], at[1], words)


def rule(canvas: Canvas, y: float, thickness: float = 0.5, colour: Colour = LINE) -> None:
    """Draw a line across the page."""
    canvas.setStrokeColorRGB(*colour)
    canvas.setLineWidth(thickness)
    canvas.line(LEFT, y, RIGHT, y)


def panel(canvas: Canvas, corner: Point, size: Point, *, colour: Colour = TINT) -> None:
    """Fill a rectangle, given its top left corner, its width and its height."""
    fill(canvas, colour)
    canvas.rect(corner[0], corner[1] - size[1], size[0], size[1], stroke=0, fill=1)
