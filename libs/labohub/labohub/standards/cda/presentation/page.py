"""The page of a document, made here: a stylesheet named or held by the document is never run."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lxml import etree

from labohub.errors import Misconfigured
from labohub.standards import xml
from labohub.standards.cda.header import document_element

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_LOGO = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/]+={0,2}")
ACCENT = "#0a546e"
MAX_LOGO_CHARACTERS = 200_000
MIN_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3


class ThemeRefused(Misconfigured):
    """A colour that is not #rrggbb or too light to be read on white, or a logo that is no image in a data URI."""

    code = "presentation.theme-refused"


@dataclass(frozen=True, slots=True)
class Theme:
    """A laboratory's own look. Raises: ThemeRefused."""

    accent: str = ACCENT  # of names and titles: dark enough to be read on white
    logo: str = ""  # data:image/png;base64,…: nothing is fetched
    mentions: str = ""  # at the foot: accreditation, legal mentions

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.accent):
            raise ThemeRefused("the colour is not #rrggbb")
        if _contrast(self.accent) < MIN_CONTRAST:
            raise ThemeRefused("the colour is too light to be read on white")
        if self.logo and (len(self.logo) > MAX_LOGO_CHARACTERS or not _LOGO.fullmatch(self.logo)):
            raise ThemeRefused("the logo is not a small PNG, JPEG or GIF in a data URI")


def _contrast(colour: str) -> float:
    """Return the contrast of a colour with white. Source: WCAG 2.2, relative luminance."""
    levels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in levels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def to_html(cda: bytes, theme: Theme | None = None) -> bytes:
    """Return the page of a CDA, in UTF-8: complete in itself, without script, link or form.

    Raises: XmlMalformed; CdaMalformed when there is no clinical document inside.
    """
    document = document_element(xml.parse(cda))
    parameters = {name: etree.XSLT.strparam(value) for name, value in theme_values(theme or Theme()).items()}
    page = _transformation()(etree.ElementTree(_apart(document)), **parameters)  # type: ignore[arg-type]  # the stubs know no parameter
    return b"<!DOCTYPE html>\n" + etree.tostring(page, method="html", encoding="utf-8")


def theme_values(theme: Theme) -> dict[str, str]:
    """Return the stylesheet's parameters."""
    return {"accent": theme.accent, "logo": theme.logo, "mentions": theme.mentions, "css": style_sheet()}


@cache
def style_sheet() -> str:
    """Return the CSS of the page."""
    return resource("report.css").decode()


def resource(name: str) -> bytes:
    """Return a file of this package."""
    return files(__package__).joinpath(name).read_bytes()


def _apart(document: etree._Element) -> etree._Element:
    """Return the document as a root of its own: what surrounds it in an auto-présentable file is not looked at."""
    return document if document.getparent() is None else xml.parse(etree.tostring(document, with_tail=False))


@cache
def _transformation() -> etree.XSLT:
    nothing: etree.XSLTAccessControl = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined]  # absent from the stubs
    return etree.XSLT(etree.fromstring(resource("report.xsl")), access_control=nothing)
