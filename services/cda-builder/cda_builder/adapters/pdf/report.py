"""The PDF of a CR-BIO, from the same values as its XML: what one says, the other says."""

from cda_builder.adapters.pdf.archive import finished, new_canvas
from cda_builder.adapters.pdf.identity import FIRST_TOP, NEXT_TOP, TITLE, frame_of
from cda_builder.adapters.pdf.pages import draw_pages, paginate
from cda_builder.adapters.pdf.results import chapter_blocks, closing_blocks, note_blocks
from labohub.standards.cda.builder import CrBio


def render_report(report: CrBio) -> bytes:
    """Return the report as the laboratory prints it: PDF/A-1b, the same bytes for the same values."""
    canvas, buffer = new_canvas(TITLE, report.laboratory.name, "CR-BIO", report.effective_time)
    blocks = note_blocks(report.opening)
    for chapter in report.chapters:
        blocks += chapter_blocks(chapter)
    blocks += closing_blocks(report)
    draw_pages(canvas, paginate(blocks, FIRST_TOP, NEXT_TOP), frame_of(report))
    return finished(canvas, buffer)
