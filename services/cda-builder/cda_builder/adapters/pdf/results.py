"""The results of a report as blocks: abnormal values are bold, marked by an arrow and said in words."""

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.images import on_white
from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR, drawable, width, wrap
from cda_builder.adapters.pdf.gauge import draw_arrow, draw_gauge
from cda_builder.adapters.pdf.pages import (
    ACCENT,
    ALERT,
    INK,
    LEFT,
    LINE,
    RIGHT,
    SOFT,
    WHITE,
    Block,
    Colour,
    Point,
    panel,
    rule,
    text,
)
from labohub.standards.cda.builder import Battery, Chapter, CrBio, Image, Note, Observation
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.words import interpretation_text, previous_text, specimen_line, state_text

EXAM, VALUE, UNIT, RANGE, FLAG = LEFT + 6, LEFT + 180, LEFT + 250, LEFT + 318, LEFT + 394
_NAME_WIDTH = VALUE - EXAM - 16
_CRITICAL = frozenset({"HH", "LL", "AA"})
_GAP = Block(9, lambda canvas, y: rule(canvas, y - 6, 0.8, ACCENT))
_HIGH, _LOW = frozenset({"H", "HH", "HU", "HX", ">"}), frozenset({"L", "LL", "LU", "LX", "<"})


def chapter_blocks(chapter: Chapter) -> list[Block]:
    """Return the blocks of a chapter."""
    title = drawable(chapter.title.upper(), BOLD)

    def heading(canvas: Canvas, y: float) -> None:
        panel(canvas, (LEFT, y - 4), (RIGHT - LEFT, 17), colour=ACCENT)
        text(canvas, (EXAM, y - 16), title, BOLD, 9.5, colour=WHITE)
        for x, column in ((VALUE, "Résultat"), (UNIT, "Unité"), (RANGE, "Références")):
            text(canvas, (x, y - 15.5), column, REGULAR, 7, colour=WHITE)

    head = Block(25, heading, sticky=True)
    blocks = [head]
    for before, battery in zip((None, *chapter.batteries), chapter.batteries, strict=False):
        if battery.single and before is not None and not before.single:
            blocks.append(_GAP)  # a lone exam is no part of the battery above it
        blocks += _battery(battery, head)
    for specimen in dict.fromkeys(s for battery in chapter.batteries for s in battery.specimens):
        blocks.append(_line(specimen_line(specimen), REGULAR, 7, SOFT, repeat=None))
    for validation in chapter.validations:
        sentence = f"Validé par {validation.by.printed} le {french_time(validation.at)}."
        blocks.append(_line(sentence, REGULAR, 7, SOFT, repeat=None))
    return blocks


def note_blocks(notes: tuple[Note, ...]) -> list[Block]:
    """Return words about the whole report."""
    blocks = []
    for note in notes:
        blocks.append(_line(note.title, BOLD, 8.5, ACCENT, repeat=None, sticky=True))
        blocks += [_line(part, REGULAR, 8, INK, repeat=None) for line in note.lines for part in line.split("\n")]
    return blocks


def closing_blocks(report: CrBio) -> list[Block]:
    """Return what ends the report: general comments, documents that follow, and who answers for it."""
    blocks = note_blocks(report.closing)
    blocks += [_line(f"Document joint : {each.title}", ITALIC, 8, INK, repeat=None) for each in report.attached]
    sentence = f"Compte rendu validé par {report.biologist.printed}, le {french_time(report.effective_time)}."

    def closing(canvas: Canvas, y: float) -> None:
        rule(canvas, y - 10)
        text(canvas, (LEFT, y - 24), drawable(sentence, BOLD), BOLD, 8)

    return [*blocks, Block(32, closing)]


def _battery(battery: Battery, head: Block) -> list[Block]:
    blocks = []
    if not battery.single:
        label = drawable(battery.label, BOLD)

        def heading(canvas: Canvas, y: float) -> None:
            text(canvas, (EXAM, y - 14), label, BOLD, 9, colour=ACCENT)

        blocks.append(Block(19, heading, sticky=True, repeat=head))
    for observation in battery.observations:
        blocks += _result(observation, head)
    for isolate in battery.isolates:
        blocks.append(_line(f"Germe isolé : {isolate.label}", BOLD, 8.5, ACCENT, repeat=head, sticky=True))
        for observation in isolate.observations:
            blocks += _result(observation, head)
        for antibiogram in isolate.antibiograms:
            blocks += _battery(antibiogram, head)
        blocks += [_line(f"{label} : en cours", ITALIC, 8, SOFT, repeat=head) for label in isolate.pending]
    blocks += [_line(f"{label} : en cours", ITALIC, 8, SOFT, repeat=head) for label in battery.pending]
    blocks += [_line(comment, ITALIC, 7.5, INK, repeat=head) for comment in battery.comments]
    return blocks


def _result(observation: Observation, head: Block) -> list[Block]:
    names = wrap(observation.label, REGULAR, 8.5, _NAME_WIDTH)
    flagged = any(flag not in ("N", "ND", "NEG") for flag in observation.interpretations)
    font = BOLD if flagged else REGULAR
    printed = state_text(observation) if observation.aborted else observation.printed
    long = width(drawable(printed, font), font, 9) > UNIT - VALUE - 4
    values = wrap(printed, font, 9, (RIGHT if long else UNIT) - VALUE - 4)
    below = [observation.method] if observation.method else []
    below += [] if observation.accredited else ["Hors accréditation"]
    below += ["Validation automatique"] if observation.automatic else []
    if observation.subcontractor:
        below.append(f"Réalisé par {observation.subcontractor.name}")
    notes = [line for each in below for line in wrap(each, ITALIC, 6.8, _NAME_WIDTH)]
    ranges = wrap(observation.range.printed if observation.range else "", REGULAR, 8, FLAG - RANGE - 8)
    words = wrap(interpretation_text(observation) if flagged else "", BOLD, 6.8, RIGHT - FLAG - 2)
    height = max(11 * len(names) + 8.5 * len(notes), 11 * len(values), 10 * len(ranges)) + 5

    def draw(canvas: Canvas, y: float) -> None:
        base = y - 11
        _column(canvas, (EXAM, base), names, REGULAR, 8.5, step=11)
        _column(canvas, (EXAM, base - 11 * len(names) + 1.5), notes, ITALIC, 6.8, step=8.5, colour=SOFT)
        colour = ALERT if any(flag in _CRITICAL for flag in observation.interpretations) else INK
        _column(canvas, (VALUE, base), values, font, 9, step=11, colour=colour)
        if flagged:
            draw_arrow(canvas, VALUE - 9, base, _direction(observation), colour)
        if not long:
            text(canvas, (UNIT, base), drawable(observation.printed_unit), REGULAR, 8, colour=SOFT)
            _column(canvas, (RANGE, base), ranges, REGULAR, 8, step=10)
            draw_gauge(canvas, FLAG, base + 2.5, observation)
            _column(
                canvas, (FLAG + 34 if observation.range else FLAG, base), words[:1], BOLD, 6.8, step=8, colour=colour
            )
        rule(canvas, y - height, 0.3, LINE)

    blocks = [Block(height, draw, repeat=head)]
    state = "" if observation.aborted else state_text(observation).capitalize()
    earlier = [f"Antériorité : {previous_text(each, observation)}" for each in observation.previous]
    lines = [line for line in (state, *earlier, *observation.comments) if line]
    blocks += [_line(line, ITALIC, 7.5, INK, repeat=head) for line in lines]
    return blocks + ([_picture(observation.image, head)] if observation.image else [])


def _picture(image: Image, head: Block) -> Block:
    """Return a picture, at most as wide as the page and a third as high."""
    drawn = ImageReader(on_white(image.data))
    wide, high = drawn.getSize()
    scale = min((RIGHT - EXAM - 12) / wide, 220 / high, 1.0)

    def draw(canvas: Canvas, y: float) -> None:
        canvas.drawImage(drawn, EXAM + 6, y - high * scale - 4, wide * scale, high * scale)

    return Block(high * scale + 10, draw, repeat=head)


def _direction(observation: Observation) -> int:
    if any(flag in _HIGH for flag in observation.interpretations):
        return 1
    return -1 if any(flag in _LOW for flag in observation.interpretations) else 0


def _column(
    canvas: Canvas, at: Point, lines: list[str], font: str, size: float, *, step: float = 0.0, colour: Colour = INK
) -> None:
    """Write lines one under another, `step` points apart (by default the size and two)."""
    for index, line in enumerate(lines):
        text(canvas, (at[0], at[1] - index * (step or size + 2)), line, font, size, colour=colour)


def _line(words: str, font: str, size: float, colour: Colour, *, repeat: Block | None, sticky: bool = False) -> Block:
    lines = wrap(words, font, size, RIGHT - EXAM - 12)

    def draw(canvas: Canvas, y: float) -> None:
        _column(canvas, (EXAM + 6, y - size - 2), lines, font, size, step=size + 2, colour=colour)

    return Block((size + 2) * len(lines) + 3, draw, sticky=sticky, repeat=repeat)
