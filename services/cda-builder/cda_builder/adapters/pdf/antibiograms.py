"""An antibiogram as a table: category as a letter on a ground and in words, concentration, critical values."""

from typing import Final

from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR, width, wrap
from cda_builder.adapters.pdf.look import ALERT, GOOD, INK, LEFT, LINE, NOTICE, RIGHT, SOFT, WHITE, Colour, Look
from cda_builder.adapters.pdf.pages import Block, Style, stacked, text_blocks
from cda_builder.adapters.pdf.rows import comment_style, picture_block
from cda_builder.adapters.pdf.sheet import Sheet
from labohub.standards.cda.builder import Battery, Observation
from labohub.standards.cda.builder.words import interpretation_text, previous_text, state_text

_NAME: Final = LEFT + 18
_CATEGORY: Final = LEFT + 202
_WORDS: Final = LEFT + 218
_VALUE: Final = LEFT + 352
_RANGE: Final = LEFT + 440
_MAX_LINES: Final = 6  # under a name; what is longer goes underneath
_COLOURS: Final = {"S": GOOD, "I": NOTICE, "SDD": NOTICE, "R": ALERT, "NS": ALERT}


def antibiogram_blocks(antibiogram: Battery, head: Block, look: Look) -> list[Block]:
    """Return the blocks of an antibiogram."""
    methods = list(dict.fromkeys(each.method for each in antibiogram.observations))
    common = methods[0] if len(methods) == 1 else ""
    title = _title(antibiogram, common, head, look)
    blocks = [title]
    again = stacked(head, title)
    for observation in antibiogram.observations:
        blocks += _row(observation, again, show_method=not common)
    for label in antibiogram.pending:
        blocks += text_blocks(f"{label} : en cours", Style(ITALIC, 8.4, SOFT, indent=18), repeat=again)
    for comment in antibiogram.comments:
        blocks += text_blocks(comment, comment_style(12), repeat=again)
    return blocks


def _title(antibiogram: Battery, method: str, head: Block, look: Look) -> Block:
    methods = wrap(method, ITALIC, 7, RIGHT - _NAME) if method else []
    height = 28 + 9 * len(methods)

    def draw(sheet: Sheet, y: float) -> None:
        sheet.text((_NAME, y - 13), antibiogram.label, BOLD, 8.8, look.accent)
        sheet.lines((_NAME, y - 22.5), methods, ITALIC, 7, step=9, colour=SOFT)
        base = y - height + 6
        for x, column in ((_NAME, "Antibiotique"), (_CATEGORY, "Catégorie"), (_VALUE, "CMI ou diamètre")):
            sheet.text((x, base), column, REGULAR, 6.6, SOFT)
        if any(each.range for each in antibiogram.observations):
            sheet.text((_RANGE, base), "Valeurs critiques", REGULAR, 6.6, SOFT)
        sheet.line((_NAME, base - 3.5), (RIGHT, base - 3.5), 0.6, SOFT)

    return Block(height, draw, sticky=True, repeat=head)


def _row(observation: Observation, head: Block, *, show_method: bool) -> list[Block]:
    names = wrap(observation.label, REGULAR, 8.6, _CATEGORY - _NAME - 8)
    below = [observation.method] if show_method and observation.method else []
    below += [f"Réalisé par {observation.subcontractor.name}"] if observation.subcontractor else []
    below += [] if observation.accredited else ["Hors accréditation"]
    below += ["Validation automatique"] if observation.automatic else []
    notes = [line for each in below for line in wrap(each, ITALIC, 6.9, _CATEGORY - _NAME - 8)]
    remarks = below if len(notes) > _MAX_LINES else []
    notes = [] if remarks else notes
    category = next((each for each in observation.interpretations if each in _COLOURS), "")
    meaning = interpretation_text(observation)
    font = BOLD if category in ("R", "NS") else REGULAR
    words = wrap(meaning, font, 8, _VALUE - _WORDS - 8) if meaning else []
    printed = state_text(observation) if observation.aborted else observation.printed
    printed = "" if printed in words and not observation.aborted else f"{printed} {observation.printed_unit}".strip()
    values = wrap(printed, REGULAR, 8.6, (_RANGE if observation.range else RIGHT) - _VALUE - 6) if printed else []
    ranges = wrap(observation.range.printed, REGULAR, 8, RIGHT - _RANGE - 4) if observation.range else []
    height = max(11 * len(names) + 8.4 * len(notes), 10.4 * len(words), 10.8 * len(values), 9.6 * len(ranges)) + 3.6
    colour = _COLOURS.get(category, INK)

    def draw(sheet: Sheet, y: float) -> None:
        base = y - 9.6
        sheet.lines((_NAME, base), names, REGULAR, 8.6, step=11)
        sheet.lines((_NAME, base - 11 * len(names) + 2), notes, ITALIC, 6.9, step=8.4, colour=SOFT)
        if category:
            _letter(sheet, (_CATEGORY, base + 8), category, colour)
        sheet.lines((_WORDS if category else _CATEGORY, base), words, font, 8, step=10.4, colour=colour)
        sheet.lines((_VALUE, base), values, REGULAR, 8.6, step=10.8)
        sheet.lines((_RANGE, base), ranges, REGULAR, 8, step=9.6)
        sheet.line((_NAME, y - height), (RIGHT, y - height), 0.4, LINE)

    state = "" if observation.aborted else state_text(observation).capitalize()
    earlier = [f"Antériorité : {previous_text(each, observation)}" for each in observation.previous]
    lines = [line for line in (*remarks, state, *earlier, *observation.comments) if line]
    blocks = [Block(height, draw, sticky=bool(lines), repeat=head)]
    blocks += [block for line in lines for block in text_blocks(line, comment_style(12), repeat=head)]
    return blocks + ([picture_block(observation.image, head)] if observation.image else [])


def _letter(sheet: Sheet, corner: tuple[float, float], category: str, colour: Colour) -> None:
    wide = max(width(category, BOLD, 7) + 5, 10.5)
    sheet.box(corner, (wide, 10.2), colour)
    sheet.text((corner[0] + (wide - width(category, BOLD, 7)) / 2, corner[1] - 7.6), category, BOLD, 7, WHITE)
