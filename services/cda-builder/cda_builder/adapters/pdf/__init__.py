"""Reports as PDF/A-1b: embedded fonts, sRGB output intent, XMP metadata, no transparency. Deterministic."""

from cda_builder.adapters.pdf.narrative import render_narrative
from cda_builder.adapters.pdf.report import render_report

__all__ = ["render_narrative", "render_report"]
