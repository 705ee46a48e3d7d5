"""One result as a row: name, value, unit, range, where it stands, earlier results; what is said of it underneath."""

from dataclasses import dataclass
from typing import Final

from reportlab.lib.utils import ImageReader

from cda_builder.adapters.images import on_white
from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR, drawable, width, wrap
from cda_builder.adapters.pdf.look import ALERT, ALERT_GROUND, INK, LEFT, LINE, NOTICE, RIGHT, SOFT
from cda_builder.adapters.pdf.marks import TREND, draw_arrow, draw_gauge, draw_trend
from cda_builder.adapters.pdf.pages import Block, Style, text_blocks
from cda_builder.adapters.pdf.sheet import Sheet
from labohub.standards.cda.builder import Bound, Image, Number, Observation, Previous, Quantity
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.words import interpretation_text, previous_text, state_text

EXAM: Final = LEFT + 6
VALUE: Final = LEFT + 178  # words begin here
VALUE_END: Final = LEFT + 222  # numbers end here
UNIT: Final = LEFT + 227
RANGE: Final = LEFT + 291
_GAUGE: Final = LEFT + 354
PREVIOUS: Final = LEFT + 388
_PREVIOUS_END: Final = LEFT + 412
_TREND: Final = RIGHT - TREND[0] - 2
_NAME_WIDTH: Final = VALUE - EXAM - 18
_ORDINARY: Final = frozenset({"N", "S", "NEG", "ND"})
_HIGH, _LOW = frozenset({"H", "HH", "HU", "HX", ">", "U"}), frozenset({"L", "LL", "LU", "LX", "<", "D"})
_MAX_LINES: Final = 20  # of a value or a range beside its name; what is longer goes underneath


def comment_style(indent: float) -> Style:
    """Return how remarks are written."""
    return Style(ITALIC, 7.8, INK, indent=indent + 8)


def is_out(observation: Observation) -> bool:
    """Return whether a result has a flag that is no ordinary one."""
    return any(flag not in _ORDINARY for flag in observation.interpretations)


def row_blocks(observation: Observation, head: Block) -> list[Block]:
    """Return the blocks of a result; `head` is drawn again where it goes on another page."""
    row, below = _row(observation)
    lines = [*below, *observation.comments]
    blocks = [Block(row.height, row.draw, sticky=bool(lines), repeat=head)]
    blocks += [block for line in lines for block in text_blocks(line, comment_style(6), repeat=head)]
    if observation.image:
        blocks.append(picture_block(observation.image, head))
    ruled = blocks.pop()
    return [*blocks, _ruled(ruled)]


def _ruled(block: Block) -> Block:
    height = block.height + 1

    def draw(sheet: Sheet, y: float) -> None:
        block.draw(sheet, y)
        sheet.line((LEFT, y - height), (RIGHT, y - height), 0.4, LINE)

    return Block(height, draw, repeat=block.repeat)


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands in the columns, cut to their widths. `aside`: the value stands in its own, not across the others."""

    observation: Observation
    names: list[str]
    notes: list[str]
    values: list[str]
    unit: list[str]
    ranges: list[str]
    words: list[str]
    state: str
    earlier: list[Previous]
    aside: bool

    @property
    def said(self) -> float:
        """Return the height of the value and what stands beside it: the words begin underneath."""
        return max(11.2 * len(self.values), 9.6 * len(self.unit))

    @property
    def height(self) -> float:
        right = self.said + 8.6 * (len(self.words) + bool(self.state))
        left = 11.2 * len(self.names) + 8.4 * len(self.notes)
        return max(left, right, 9.6 * len(self.ranges), 9.6 * len(self.earlier)) + 4.6

    def draw(self, sheet: Sheet, y: float) -> None:
        """Draw it from its top edge."""
        out = is_out(self.observation)
        colour, font = (ALERT, BOLD) if out else (INK, REGULAR)
        if out:
            sheet.box((LEFT, y - 0.4), (RIGHT - LEFT, self.height + 0.4), ALERT_GROUND)
        base = y - 10.4
        sheet.lines((EXAM, base), self.names, REGULAR, 8.8, step=11.2)
        notes = base - 11.2 * len(self.names) + 1.8
        sheet.lines((EXAM, notes), self.notes, ITALIC, 6.9, step=8.4, colour=SOFT)
        start = VALUE
        if self.aside and _is_number(self.observation):
            start = VALUE_END - width(drawable(self.values[0], font), font, 9.4)
        sheet.lines((start, base), self.values, font, 9.4, step=11.2, colour=colour)
        if out:
            draw_arrow(sheet, start - 9.5, base + 0.2, _direction(self.observation), colour)
        sheet.lines((UNIT, base), self.unit, REGULAR, 8, step=9.6, colour=SOFT)
        sheet.lines((RANGE, base), self.ranges, REGULAR, 8, step=9.6)
        if self.aside:
            draw_gauge(sheet, _GAUGE, base + 2.6, self.observation, colour)
        place = base - self.said + 2.2
        sheet.lines((VALUE, place), self.words, font, 7, step=8.6, colour=colour)
        sheet.text((VALUE, place - 8.6 * len(self.words)), self.state, BOLD, 7, NOTICE)
        for rank, each in enumerate(self.earlier):
            _draw_previous(sheet, base - 9.6 * rank, each, self.observation)
        if self.earlier:
            draw_trend(sheet, _TREND, base - 2.5, self.observation)


def _row(observation: Observation) -> tuple[_Row, list[str]]:
    """Return the row, and what has no room in it and is said underneath."""
    font = BOLD if is_out(observation) else REGULAR
    state = state_text(observation)
    printed = state if observation.aborted else observation.printed
    limits = observation.range.printed if observation.range else ""
    aside = width(drawable(printed, font), font, 9.4) <= (VALUE_END if _is_number(observation) else RANGE - 4) - VALUE
    aside = aside and "\n" not in printed and (_is_number(observation) or not observation.printed_unit)
    whole = printed if aside else f"{printed} {observation.printed_unit}".strip()
    values = wrap(whole, font, 9.4, RIGHT - VALUE - 4)
    ranges = wrap(limits, REGULAR, 8, (_GAUGE if _is_gauged(observation) else PREVIOUS) - RANGE - 4) if limits else []
    across = not aside and (len(values) > 1 or width(values[0], font, 9.4) > RANGE - VALUE - 4)
    below = ["\n".join(values[_MAX_LINES:])] if len(values) > _MAX_LINES else []
    if limits and (across or len(ranges) > _MAX_LINES):
        below.append(f"Valeurs de référence : {limits}")
        ranges = []
    earlier = [] if across else [each for each in observation.previous if _fits(each, observation)]
    if len(earlier) < len(observation.previous) or len(earlier) > _MAX_LINES:
        below += [f"Antériorité : {previous_text(each, observation)}" for each in observation.previous]
        earlier = []
    notes = [line for each in _notes(observation) for line in wrap(each, ITALIC, 6.9, _NAME_WIDTH)]
    if len(notes) > _MAX_LINES:
        below, notes = [*_notes(observation), *below], []
    flags = interpretation_text(observation) if observation.interpretations[:1] != ("N",) else ""
    row = _Row(
        observation=observation,
        names=wrap(observation.label, REGULAR, 8.8, _NAME_WIDTH),
        notes=notes,
        values=values[:_MAX_LINES],
        unit=wrap(observation.printed_unit, REGULAR, 8, RANGE - UNIT - 3) if aside and observation.printed_unit else [],
        ranges=ranges,
        words=wrap(flags, font, 7, _GAUGE - VALUE - 6) if flags else [],
        state="" if observation.aborted else state.capitalize(),
        earlier=earlier,
        aside=aside,
    )
    return row, below


def _notes(observation: Observation) -> list[str]:
    """Return what is said under the name."""
    notes = [observation.method] if observation.method else []
    notes += [] if observation.accredited else ["Hors accréditation"]
    notes += ["Validation automatique"] if observation.automatic else []
    return notes + ([f"Réalisé par {observation.subcontractor.name}"] if observation.subcontractor else [])


def _is_number(observation: Observation) -> bool:
    return isinstance(observation.value, Quantity | Number | Bound) and not observation.aborted


def _is_gauged(observation: Observation) -> bool:
    limits = observation.range
    return limits is not None and bool(limits.low and limits.high)


def _value_and_unit(previous: Previous, observation: Observation) -> str:
    unit = "" if previous.printed_unit == observation.printed_unit else f" {previous.printed_unit}"
    return f"{previous.printed}{unit}"


def _when(previous: Previous) -> str:
    return french_time(previous.effective_time) if previous.effective_time else "date non connue"


def _fits(previous: Previous, observation: Observation) -> bool:
    """Return whether an earlier result has room in its column."""
    if "\n" in previous.printed:
        return False
    value = width(drawable(_value_and_unit(previous, observation)), REGULAR, 8)
    when = width(_when(previous), REGULAR, 7)
    room = (RIGHT if len(observation.previous) < 2 else _TREND) - _PREVIOUS_END - 6
    return value <= _PREVIOUS_END - PREVIOUS + 6 and when <= room


def _draw_previous(sheet: Sheet, y: float, previous: Previous, observation: Observation) -> None:
    value = _value_and_unit(previous, observation)
    sheet.text((_PREVIOUS_END, y), value, REGULAR, 8, SOFT, right=True)
    sheet.text((_PREVIOUS_END + 4, y), _when(previous), REGULAR, 7, SOFT)


def picture_block(image: Image, head: Block) -> Block:
    """Return a picture, at most as wide as the page and a third as high."""
    drawn = ImageReader(on_white(image.data))
    wide, high = drawn.getSize()
    scale = min((RIGHT - EXAM - 12) / wide, 230 / high, 0.75)

    def draw(sheet: Sheet, y: float) -> None:
        sheet.image(drawn, (EXAM + 6, y - 5), (wide * scale, high * scale))

    return Block(high * scale + 12, draw, repeat=head)


def _direction(observation: Observation) -> int:
    if any(flag in _HIGH for flag in observation.interpretations):
        return 1
    return -1 if any(flag in _LOW for flag in observation.interpretations) else 0
