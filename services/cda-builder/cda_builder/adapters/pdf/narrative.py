"""A plain PDF of a document that holds none: its header's facts and its narrative, as written."""

from lxml import etree

from cda_builder.adapters.pdf.archive import finished, new_canvas
from cda_builder.adapters.pdf.fonts import BOLD, REGULAR
from cda_builder.adapters.pdf.look import HEIGHT, INK, LEFT, RIGHT, SOFT, Look, look_of
from cda_builder.adapters.pdf.pages import Block, Frame, Style, draw_pages, paginate, text_blocks
from cda_builder.adapters.pdf.sheet import Sheet
from labohub.standards.cda import Header, document_element
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.names import HL7
from labohub.standards.cda.presentation import Theme

_C = f"{{{HL7}}}"
_BREAKING = frozenset(f"{_C}{tag}" for tag in ("paragraph", "tr", "item", "caption", "br", "table", "list"))


def render_narrative(root: etree._Element, header: Header) -> bytes:
    """Return a plain rendering of a document's narrative: every word of it, in order."""
    laboratory = header.custodian.name if header.custodian else ""
    canvas, buffer = new_canvas(header.title, laboratory, "CDA", _moment(header.effective_time))
    look = look_of(Theme())
    heading, words = Style(BOLD, 10, look.accent, 0), Style(REGULAR, 8.5, INK, 0)
    blocks: list[Block] = []
    for section in document_element(root).iter(f"{_C}section"):
        title = _words(section.find(f"{_C}title"))
        if title:
            blocks += text_blocks(title, heading, sticky=True)
        narrative = section.find(f"{_C}text")
        if narrative is not None:
            blocks += [block for line in _lines(narrative) for block in text_blocks(line, words)]
    pages = paginate(blocks, HEIGHT - 150, HEIGHT - 70)
    draw_pages(Sheet(canvas), pages, _frame(header, laboratory, look))
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


def _frame(header: Header, laboratory: str, look: Look) -> Frame:
    patient = header.patient
    name = f"{patient.family_used or patient.family_birth} {patient.given_used or patient.given_birth}".strip()

    def frame(sheet: Sheet, page: int, of: int) -> None:
        sheet.text((LEFT, HEIGHT - 48), laboratory, BOLD, 11, look.accent)
        sheet.line((LEFT, HEIGHT - 56), (RIGHT, HEIGHT - 56), 1, look.accent)
        if page == 1:
            sheet.text((LEFT, HEIGHT - 80), header.title, BOLD, 13)
            sheet.text((LEFT, HEIGHT - 98), f"{name}, né(e) le {french_time(patient.birth_time)}", BOLD, 9)
            signer = header.legal_authenticator.person if header.legal_authenticator else None
            line = f"Document du {french_time(header.effective_time)}"
            line += f", validé par {signer.given} {signer.family}" if signer else ""
            sheet.text((LEFT, HEIGHT - 112), line, REGULAR, 8, SOFT)
        sheet.line((LEFT, 46), (RIGHT, 46))
        sheet.text((LEFT, 30), f"{name}   Document {header.id.oid}", REGULAR, 6.5, SOFT)
        sheet.text((RIGHT, 30), f"Page {page} / {of}", BOLD, 8, right=True)

    return frame
