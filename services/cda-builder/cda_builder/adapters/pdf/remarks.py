"""What is said of the whole report: what changed, what is to come, the conclusion; who performed and who signed."""

from cda_builder.adapters.pdf.fonts import BOLD, ITALIC, REGULAR
from cda_builder.adapters.pdf.look import INK, LEFT, LINE, NOTICE, NOTICE_GROUND, RIGHT, SOFT, Look
from cda_builder.adapters.pdf.pages import Block, Style, space, text_blocks
from cda_builder.adapters.pdf.sheet import Sheet
from labohub.standards.cda.builder import CrBio, Note, Subcontractor
from labohub.standards.cda.builder.times import french_time

_NOTICES = frozenset({"Modifications", "Compte rendu partiel"})
_PANELS = frozenset({"Conclusion"})


def note_blocks(notes: tuple[Note, ...], look: Look) -> list[Block]:
    """Return words about the whole report: what a reader must not miss stands in a panel."""
    blocks: list[Block] = []
    for note in notes:
        ground = NOTICE_GROUND if note.title in _NOTICES else look.tint if note.title in _PANELS else None
        bar = NOTICE if note.title in _NOTICES else look.accent if note.title in _PANELS else None
        indent = 10.0 if bar else 0.0
        title = Style(BOLD, 9, NOTICE if note.title in _NOTICES else look.accent, indent, bar, ground)
        said = Style(REGULAR, 8.6, INK, indent, bar, ground)
        if bar:
            blocks.append(space(4, said, sticky=True))
        blocks += text_blocks(note.title, title, sticky=True)
        blocks += [block for line in note.lines for block in text_blocks(line, said)]
        blocks += [space(3, said), space(7)] if bar else [space(6)]
    return blocks


def closing_blocks(report: CrBio, look: Look, *, with_mentions: bool) -> list[Block]:
    """Return what ends the report: general comments, who performed, documents that follow, and who answers for it."""
    blocks = note_blocks(report.closing, look)
    for other in _subcontractors(report):
        blocks += text_blocks(_performed(other), Style(REGULAR, 7.6, SOFT, 0))
    for each in report.attached:
        blocks += text_blocks(f"Document joint : {each.title}", Style(ITALIC, 8.2, INK, 0))
    if with_mentions:
        for mention in report.mentions:
            blocks += text_blocks(mention, Style(ITALIC, 7, SOFT, 0))
    rule = Block(9, _rule, sticky=True)
    sentence = f"Compte rendu validé par {report.biologist.printed}, le {french_time(report.effective_time)}."
    return [*blocks, rule, *text_blocks(sentence, Style(BOLD, 8.6, INK, 0))]


def _rule(sheet: Sheet, y: float) -> None:
    sheet.line((LEFT, y - 5), (RIGHT, y - 5), 0.6, LINE)


def _subcontractors(report: CrBio) -> list[Subcontractor]:
    """Return the other laboratories that performed exams, each once."""
    found = [
        observation.subcontractor
        for chapter in report.chapters
        for battery in chapter.batteries
        for observation in battery.everything()
        if observation.subcontractor
    ]
    return list({each.name: each for each in reversed(found)}.values())[::-1]


def _performed(other: Subcontractor) -> str:
    director = f", responsable : {other.director.printed}" if other.director else ""
    address = f", {' '.join(other.address)}" if other.address else ""
    return f"Examens sous-traités réalisés par {other.name}{address}{director}."
