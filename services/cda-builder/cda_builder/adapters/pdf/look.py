"""Colours, margins, and what a laboratory chooses of them: its accent and its logo."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader

from cda_builder.adapters.images import on_white
from cda_builder.core.errors import CdaAttachmentUnreadable
from labohub.errors import Misconfigured
from labohub.standards.cda.presentation import Theme

WIDTH: Final = float(A4[0])
HEIGHT: Final = float(A4[1])
LEFT: Final = 40.0
RIGHT: Final = WIDTH - 40.0
BOTTOM: Final = 60.0
LOGO: Final = (110.0, 38.0)  # at most
_LOGO_PIXELS: Final = (440, 152)


class Colour:
    """An RGB colour, each part from 0 to 1, as the operands of PDF."""

    __slots__ = ("operands", "parts")

    def __init__(self, *parts: float) -> None:
        self.parts = parts
        self.operands = " ".join(f"{part:.3f}" for part in parts)

    def on_white(self, share: float) -> "Colour":
        """Return the colour thinned with white; `share` is what remains of it."""
        return Colour(*(1 - share * (1 - part) for part in self.parts))


INK: Final = Colour(0.10, 0.13, 0.17)
SOFT: Final = Colour(0.35, 0.40, 0.46)
LINE: Final = Colour(0.84, 0.87, 0.89)
WHITE: Final = Colour(1, 1, 1)
ALERT: Final = Colour(0.66, 0.09, 0.09)
ALERT_GROUND: Final = Colour(0.995, 0.945, 0.94)
NOTICE: Final = Colour(0.71, 0.33, 0.04)
NOTICE_GROUND: Final = Colour(1.0, 0.965, 0.90)
GOOD: Final = Colour(0.09, 0.40, 0.22)


@dataclass(frozen=True, slots=True)
class Look:
    """A laboratory's look on paper."""

    accent: Colour
    tint: Colour
    logo: ImageReader | None = None


class LogoUnreadable(Misconfigured):
    """The logo of a laboratory is not an image that can be opened."""

    code = "cda.logo-unreadable"


def check_logos(themes: Iterable[Theme]) -> None:
    """Return when all logos can be drawn. Raises: LogoUnreadable."""
    try:
        for theme in themes:
            look_of(theme)
    except CdaAttachmentUnreadable:
        raise LogoUnreadable("CDA_BUILDER_LABORATORIES: a logo cannot be opened") from None


@lru_cache(64)
def look_of(theme: Theme) -> Look:
    """Return the look of a theme. Raises: CdaAttachmentUnreadable when the logo is no image."""
    accent = Colour(*(int(theme.accent[at : at + 2], 16) / 255 for at in (1, 3, 5)))
    if not theme.logo:
        return Look(accent, accent.on_white(0.07))
    picture = on_white(theme.logo.partition(",")[2])
    picture.thumbnail(_LOGO_PIXELS)
    return Look(accent, accent.on_white(0.07), ImageReader(picture))
