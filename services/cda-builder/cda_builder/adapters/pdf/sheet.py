"""What is drawn on: short operators written straight into the page, since a report holds thousands of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.pdf.fonts import drawable, width
from cda_builder.adapters.pdf.look import INK, LINE, Colour

Point = tuple[float, float]
_ESCAPED: Final = {each: f"\\{each:03o}" for each in (*range(32), *range(127, 256), *b"()\\")}


class Sheet:
    """The pages of a PDF, from the first on. Places are points from the bottom left corner."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._words: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._begin()

    def _begin(self) -> None:
        self._code: list[str] = self._canvas._code
        self._fill: Colour | None = None
        self._font: tuple[str, float] | None = None

    def next_page(self) -> None:
        """End a page."""
        self._canvas.showPage()
        self._begin()

    def text(self, at: Point, words: str, font: str, size: float, colour: Colour = INK, *, right: bool = False) -> None:
        """Write a line on its base line, from its left end or up to its right one."""
        if not words:
            return
        x = at[0] - width(drawable(words, font), font, size) if right else at[0]
        self._take(colour)
        parts = self._words.get((font, words))
        if parts is None:
            parts = self._words[font, words] = self._encoded(font, words)
        shown = []
        for name, escaped in parts:
            if self._font != (name, size):
                self._font = (name, size)
                shown.append(f"{name} {size:g} Tf ")
            shown.append(f"({escaped}) Tj ")
        self._code.append(f"BT {x:.2f} {at[1]:.2f} Td {''.join(shown)}ET")

    def lines(
        self, at: Point, lines: Sequence[str], font: str, size: float, *, step: float, colour: Colour = INK
    ) -> None:
        """Write lines one under another, `step` points apart."""
        for index, line in enumerate(lines):
            self.text((at[0], at[1] - index * step), line, font, size, colour)

    def line(self, start: Point, end: Point, thickness: float = 0.5, colour: Colour = LINE) -> None:
        """Draw a straight line."""
        self.path((start, end), thickness, colour)

    def path(self, points: Iterable[Point], thickness: float, colour: Colour) -> None:
        """Draw lines from point to point."""
        steps = " l ".join(f"{x:.2f} {y:.2f}" for x, y in points).replace(" l ", " m ", 1)
        self._code.append(f"{colour.operands} RG {thickness:g} w {steps} l S")

    def shape(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._take(colour)
        steps = " l ".join(f"{x:.2f} {y:.2f}" for x, y in points).replace(" l ", " m ", 1)
        self._code.append(f"{steps} l f")

    def boxes(self, boxes: Iterable[tuple[Point, Point]], colour: Colour) -> None:
        """Fill rectangles, each given by its top left corner and its size."""
        self._take(colour)
        rectangles = [f"{x:.2f} {y - high:.2f} {wide:.2f} {high:.2f} re" for (x, y), (wide, high) in boxes]
        self._code.append(f"{' '.join(rectangles)} f")

    def box(self, corner: Point, size: Point, colour: Colour) -> None:
        """Fill a rectangle, given its top left corner and its size."""
        self.boxes(((corner, size),), colour)

    def image(self, image: ImageReader, corner: Point, size: Point) -> None:
        """Draw an image, given its top left corner and its size."""
        self._canvas.drawImage(image, corner[0], corner[1] - size[1], *size)

    def _take(self, colour: Colour) -> None:
        if self._fill is not colour:
            self._fill = colour
            self._code.append(f"{colour.operands} rg")

    def _encoded(self, font: str, words: str) -> list[tuple[str, str]]:
        """Return the words in the codes of the font's subsets, each part with its subset's name."""
        face, document = pdfmetrics.getFont(font), self._canvas._doc
        return [
            (face.getSubsetInternalName(subset, document), codes.decode("latin-1").translate(_ESCAPED))
            for subset, codes in face.splitString(drawable(words, font), document)
        ]
