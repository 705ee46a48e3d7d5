"""The PDF of a CR-BIO, from the same values as its XML: what one says, the other says."""

from cda_builder.adapters.pdf.archive import finished, new_canvas
from cda_builder.adapters.pdf.letterhead import NEXT_TOP, TITLE, Letterhead
from cda_builder.adapters.pdf.look import look_of
from cda_builder.adapters.pdf.pages import draw_pages, paginate
from cda_builder.adapters.pdf.remarks import closing_blocks, note_blocks
from cda_builder.adapters.pdf.results import chapter_blocks
from cda_builder.adapters.pdf.sheet import Sheet
from labohub.standards.cda.builder import CrBio
from labohub.standards.cda.presentation import Theme

_OWN = Theme()


def render_report(report: CrBio, theme: Theme = _OWN) -> bytes:
    """Return the report as the laboratory prints it: PDF/A-1b, the same bytes for the same values.

    Raises: CdaAttachmentUnreadable: a picture of a result, or the logo, cannot be read.
    """
    look = look_of(theme)
    letterhead = Letterhead(report, look)
    canvas, buffer = new_canvas(TITLE, report.laboratory.name, "CR-BIO", report.effective_time)
    blocks = note_blocks(report.opening, look)
    for chapter in report.chapters:
        blocks += chapter_blocks(chapter, look)
    blocks += closing_blocks(report, look, with_mentions=not letterhead.mentions_fit)
    draw_pages(Sheet(canvas), paginate(blocks, letterhead.first_top, NEXT_TOP), letterhead.frame)
    return finished(canvas, buffer)
