"""A plain PDF of a document that holds none: its header's facts and its narrative, as written."""

from lxml import etree
from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.pdf.archive import finished, new_canvas
from cda_builder.adapters.pdf.fonts import BOLD, REGULAR, drawable, wrap
from cda_builder.adapters.pdf.pages import (
    ACCENT,
    HEIGHT,
    INK,
    LEFT,
    RIGHT,
    SOFT,
    Block,
    Frame,
    draw_pages,
    paginate,
    right_text,
    rule,
    text,
)
from labohub.standards.cda import Header, document_element
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.names import HL7

_C = f"{{{HL7}}}"
_BREAKING = frozenset(f"{_C}{tag}" for tag in ("paragraph", "tr", "item", "caption", "br", "table", "list"))


def render_narrative(root: etree._Element, header: Header) -> bytes:
    """Return a plain rendering of a document's narrative: every word of it, in order."""
    laboratory = header.custodian.name if header.custodian else ""
    canvas, buffer = new_canvas(header.title, laboratory, "CDA", _moment(header.effective_time))
    blocks: list[Block] = []
    for section in document_element(root).iter(f"{_C}section"):
        title = _words(section.find(f"{_C}title"))
        if title:
            blocks.append(_block(title, BOLD, 10, sticky=True))
        narrative = section.find(f"{_C}text")
        if narrative is not None:
            blocks += [_block(line, REGULAR, 8.5) for line in _lines(narrative)]
    draw_pages(canvas, paginate(blocks, HEIGHT - 150, HEIGHT - 70), _frame(header, laboratory))
    return finished(canvas, buffer)


def _moment(written: str) -> str:
    """Return a time with seconds and offset, for the file's own date; midnight UTC when the document has less."""
    digits = "".join(c for c in written[:14] if c.isdigit())
    return digits + written[14:] if len(digits) == 14 and len(written) == 19 else f"{digits[:8]:0<8}000000+0000"


def _words(element: etree._Element | None) -> str:
    return "" if element is None else " ".join("".join(str(part) for part in element.itertext()).split())


def _lines(narrative: etree._Element) -> list[str]:
    """Return the text by line: one a paragraph, a row (cells apart by ` | `) or an item."""
    lines = [""]

    def walk(element: etree._Element, in_cell: bool) -> None:
        breaking = element.tag in _BREAKING and not in_cell
        if breaking:
            lines.append("")
        elif element.tag in _BREAKING:
            lines[-1] += " "
        lines[-1] += element.text or ""
        for child in element:
            if child.tag in (f"{_C}td", f"{_C}th") and lines[-1].strip():
                lines[-1] += " | "
            walk(child, in_cell or child.tag in (f"{_C}td", f"{_C}th"))
            lines[-1] += child.tail or ""
        if breaking:
            lines.append("")

    walk(narrative, False)
    return [line for line in (" ".join(each.split()) for each in lines) if line.strip(" |")]


def _block(words: str, font: str, size: float, *, sticky: bool = False) -> Block:
    lines = wrap(words, font, size, RIGHT - LEFT)

    def draw(canvas: Canvas, y: float) -> None:
        for index, line in enumerate(lines):
            text(canvas, (LEFT, y - (size + 3) * (index + 1)), line, font, size, colour=ACCENT if sticky else INK)

    return Block((size + 3) * len(lines) + 4, draw, sticky=sticky)


def _frame(header: Header, laboratory: str) -> Frame:
    patient = header.patient
    name = f"{patient.family_used or patient.family_birth} {patient.given_used or patient.given_birth}".strip()

    def frame(canvas: Canvas, page: int, of: int) -> None:
        text(canvas, (LEFT, HEIGHT - 48), drawable(laboratory, BOLD), BOLD, 11, colour=ACCENT)
        rule(canvas, HEIGHT - 56, 1, ACCENT)
        if page == 1:
            text(canvas, (LEFT, HEIGHT - 80), drawable(header.title, BOLD), BOLD, 13)
            text(canvas, (LEFT, HEIGHT - 98), drawable(f"{name}, né(e) le {french_time(patient.birth_time)}"), BOLD, 9)
            signer = header.legal_authenticator.person if header.legal_authenticator else None
            line = f"Document du {french_time(header.effective_time)}"
            line += f", validé par {signer.given} {signer.family}" if signer else ""
            text(canvas, (LEFT, HEIGHT - 112), drawable(line), REGULAR, 8, colour=SOFT)
        rule(canvas, 46)
        text(canvas, (LEFT, 30), drawable(f"{name}   Document {header.id.oid}"), REGULAR, 6.5, colour=SOFT)
        right_text(canvas, (RIGHT, 30), f"Page {page} / {of}", BOLD, 8)

    return frame
