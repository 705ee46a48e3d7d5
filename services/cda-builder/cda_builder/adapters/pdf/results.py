"""A chapter as blocks. Abnormal values are bold, on a tint, marked by an arrow and said in words."""

from dataclasses import replace

from cda_builder.adapters.pdf.antibiograms import antibiogram_blocks
from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR
from cda_builder.adapters.pdf.look import LEFT, LINE, RIGHT, SOFT, Look
from cda_builder.adapters.pdf.pages import Block, Style, space, stacked, text_blocks
from cda_builder.adapters.pdf.rows import PREVIOUS, RANGE, UNIT, VALUE_END, comment_style, row_blocks
from cda_builder.adapters.pdf.sheet import Sheet
from labohub.standards.cda.builder import Battery, Chapter, Isolate, Specimen
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.words import specimen_line

_SMALL = Style(REGULAR, 7.2, SOFT)


def chapter_blocks(chapter: Chapter, look: Look) -> list[Block]:
    """Return the blocks of a chapter."""
    head = _heading(chapter, look)
    blocks = [head]
    for before, battery in zip((None, *chapter.batteries), chapter.batteries, strict=False):
        if battery.single and before is not None and not before.single:
            blocks.append(_GAP)  # a lone exam is no part of the battery above it
        draw = antibiogram_blocks if battery.is_antibiogram else battery_blocks
        blocks += draw(battery, head, look)
    specimens = [specimen for battery in chapter.batteries for specimen in _specimens(battery)]
    closing = [specimen_line(each) for each in dict.fromkeys(specimens)]
    closing += [f"Validé par {each.by.printed} le {french_time(each.at)}." for each in chapter.validations]
    blocks.append(space(3))
    for line in closing:
        blocks += text_blocks(line, _SMALL)
    return [*blocks, space(8)]


def battery_blocks(battery: Battery, head: Block, look: Look) -> list[Block]:
    """Return the blocks of a battery; `head` is drawn again where it goes on another page."""
    blocks: list[Block] = []
    if not battery.single:
        title = stacked(space(4), *text_blocks(battery.label, Style(BOLD, 9, look.accent)))
        blocks.append(replace(title, repeat=head))
        head = stacked(head, title)
    for observation in battery.observations:
        blocks += row_blocks(observation, head)
    for isolate in battery.isolates:
        blocks += _isolate(isolate, head, look)
    for label in battery.pending:
        blocks += text_blocks(f"{label} : en cours", Style(ITALIC, 8.4, SOFT), repeat=head)
    for comment in battery.comments:
        blocks += text_blocks(comment, comment_style(6), repeat=head)
    return blocks


def _isolate(isolate: Isolate, head: Block, look: Look) -> list[Block]:
    style = Style(BOLD, 9.2, look.accent, indent=10, ground=look.tint, bar=look.accent)
    title = stacked(space(6), space(3, style), *text_blocks(f"Germe isolé : {isolate.label}", style))
    blocks = [replace(title, repeat=head)]
    head = stacked(head, title)  # each page names the germ that its rows speak of
    for observation in isolate.observations:
        blocks += row_blocks(observation, head)
    for antibiogram in isolate.antibiograms:
        blocks += antibiogram_blocks(antibiogram, head, look)
    return blocks


def _specimens(battery: Battery) -> list[Specimen]:
    antibiograms = [each for isolate in battery.isolates for each in isolate.antibiograms]
    own = [specimen for observation in battery.everything() for specimen in observation.specimens]
    return [*battery.specimens, *own, *(specimen for each in antibiograms for specimen in each.specimens)]


def _heading(chapter: Chapter, look: Look) -> Block:
    columns = _columns(chapter)
    lines = text_blocks(chapter.title, Style(BOLD, 11.5, look.accent, indent=0))
    height = sum(each.height for each in lines) + 10

    def draw(sheet: Sheet, y: float) -> None:
        top = y - 5
        for line in lines:
            line.draw(sheet, top)
            top -= line.height
        base = y - height + 6.5
        for x, column, right in columns:
            sheet.text((x, base + 3), column, REGULAR, 6.6, SOFT, right=right)
        sheet.box((LEFT, base), (RIGHT - LEFT, 1), look.accent)

    return Block(height, draw, sticky=True)


def _columns(chapter: Chapter) -> list[tuple[float, str, bool]]:
    """Return the titles of the columns that something stands in: place, words, whether they end there."""
    results = [
        observation
        for battery in chapter.batteries
        for observation in (*battery.observations, *(o for isolate in battery.isolates for o in isolate.observations))
    ]
    columns = [(VALUE_END, "Résultat", True)]
    columns += [(UNIT, "Unité", False)] if any(each.printed_unit for each in results) else []
    columns += [(RANGE, "Valeurs de référence", False)] if any(each.range for each in results) else []
    return columns + ([(PREVIOUS, "Antériorités", False)] if any(each.previous for each in results) else [])


_GAP = Block(8, lambda sheet, y: sheet.line((LEFT, y - 5), (RIGHT, y - 5), 0.8, LINE))
