"""Pages: blocks of known height put one under another, headers and footers around them, page x of y."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cda_builder.adapters.pdf.fonts import wrap
from cda_builder.adapters.pdf.look import BOTTOM, INK, LEFT, RIGHT, Colour
from cda_builder.adapters.pdf.sheet import Sheet

Draw = Callable[[Sheet, float], None]  # at the top edge y
Frame = Callable[[Sheet, int, int], None]  # page, of
_LINES_TOGETHER = 8  # a longer text may be divided between pages


@dataclass(frozen=True, slots=True)
class Block:
    """Something drawn in one piece. `sticky` stays with the next one; `repeat` is drawn again on a new page."""

    height: float
    draw: Draw
    sticky: bool = False
    repeat: "Block | None" = None


def paginate(blocks: Sequence[Block], first_top: float, next_top: float) -> list[list[tuple[float, Block]]]:
    """Return the pages: each a list of (top edge, block). A heading ends one only when what follows fills a page."""
    pages: list[list[tuple[float, Block]]] = [[]]
    y, index = first_top, 0
    while index < len(blocks):
        group = [blocks[index]]
        while group[-1].sticky and index + len(group) < len(blocks):
            group.append(blocks[index + len(group)])
        height = sum(block.height for block in group)
        repeat = group[0].repeat
        if height > next_top - BOTTOM - (repeat.height if repeat else 0):
            group, height = group[:1], group[0].height
        if y - height < BOTTOM and (pages[-1] or len(pages) == 1):  # the first page has less room
            pages.append([])
            y = next_top
            if repeat is not None:
                pages[-1].append((y, repeat))
                y -= repeat.height
        for block in group:
            pages[-1].append((y, block))
            y -= block.height
        index += len(group)
    return pages


def draw_pages(sheet: Sheet, pages: Sequence[Sequence[tuple[float, Block]]], frame: Frame) -> None:
    """Draw all pages, each with its frame."""
    for number, page in enumerate(pages, 1):
        frame(sheet, number, len(pages))
        for y, block in page:
            block.draw(sheet, y)
        sheet.next_page()


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is written. `bar`: a line on its left; `ground`: what is under it, from margin to margin."""

    font: str
    size: float
    colour: Colour = INK
    indent: float = 6.0
    bar: Colour | None = None
    ground: Colour | None = None


def text_blocks(words: str, style: Style, *, repeat: Block | None = None, sticky: bool = False) -> list[Block]:
    """Return a text as blocks of a few lines each; `sticky`: its end stays with what follows."""
    lines = wrap(words, style.font, style.size, RIGHT - LEFT - style.indent - 6)
    parts = [lines[at : at + _LINES_TOGETHER] for at in range(0, len(lines), _LINES_TOGETHER)]
    return [_text_block(part, style, repeat, sticky and part is parts[-1]) for part in parts]


def _text_block(lines: list[str], style: Style, repeat: Block | None, sticky: bool) -> Block:
    step = round(style.size * 1.3, 1)
    height = step * len(lines) + 3

    def draw(sheet: Sheet, y: float) -> None:
        if style.ground is not None:
            sheet.box((LEFT, y), (RIGHT - LEFT, height + 0.2), style.ground)
        if style.bar is not None:
            sheet.box((LEFT, y), (2.5, height + 0.2), style.bar)
        sheet.lines(
            (LEFT + style.indent, y - style.size - 1), lines, style.font, style.size, step=step, colour=style.colour
        )

    return Block(height, draw, sticky=sticky, repeat=repeat)


def space(height: float, style: Style | None = None, *, sticky: bool = False, repeat: Block | None = None) -> Block:
    """Return room between blocks, or inside a panel of a style."""

    def draw(sheet: Sheet, y: float) -> None:
        if style is not None and style.ground is not None:
            sheet.box((LEFT, y), (RIGHT - LEFT, height + 0.2), style.ground)
        if style is not None and style.bar is not None:
            sheet.box((LEFT, y), (2.5, height + 0.2), style.bar)

    return Block(height, draw, sticky=sticky, repeat=repeat)


def stacked(*blocks: Block) -> Block:
    """Return blocks as one, each under the one before."""

    def draw(sheet: Sheet, y: float) -> None:
        for block in blocks:
            block.draw(sheet, y)
            y -= block.height

    return Block(sum(block.height for block in blocks), draw, sticky=True)
