"""The page of a document, read by an independent HTML reader."""

from pathlib import Path

import html5lib
import pytest
from lxml import etree

from labohub.standards.cda import read_header
from labohub.standards.cda.header import CdaMalformed
from labohub.standards.cda.presentation import Theme, ThemeRefused, self_presenting, to_html
from tests.support.presentation import PIXEL, document

SAMPLES = sorted((Path(__file__).resolve().parents[5].parent / "shared/data/cda").glob("*.xml"))


def read(page: bytes) -> etree._Element:
    return html5lib.parse(page, treebuilder="lxml", namespaceHTMLElements=False).getroot()


def words(element: etree._Element | None) -> str:
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def test_the_page_says_who_by_whom_and_that_it_replaces() -> None:
    page = read(to_html(document(), Theme(mentions="Accréditation 8-0000 <b>")))
    said = words(page.find("body"))
    assert "LEROUX CLAIRE" in said
    assert "MARCHAND" in said
    assert "14/07/1985" in said
    assert "2850769383142 06" in said
    assert "LBM des Tilleuls & Cie" in said
    assert "12/03/2026 à 10:15" in said
    assert "annule et remplace" in said
    assert "Compte rendu partiel" in said
    assert "Accréditation 8-0000 <b>" in said  # as words, never as markup
    assert page.findall(".//b") == []


def test_what_is_out_of_range_is_marked_by_a_sign_and_words_and_the_rest_is_not() -> None:
    rows = read(to_html(document())).findall(".//tbody/tr")
    marks = [
        [(mark.text, mark.get("aria-label")) for mark in row.iter("span") if mark.get("class") == "mark"]
        for row in rows
    ]
    assert marks == [
        [("\u25b2", "au-dessus des valeurs de référence")],
        [("\u25bc", "en dessous des valeurs de référence")],
        [],
    ]
    assert [words(cell) for cell in rows[0].iter("td")] == ["Sodium", "\u25b2 151 mmol/L", "136 - 145"]
    assert [words(cell) for cell in rows[1].iter("td")] == ["\u25bc Potassium", "3.1 mmol/L", "3.5 - 5.1"]


def test_an_image_is_shown_from_the_document_itself() -> None:
    image = (
        '<entry><observationMedia ID="curve" classCode="OBS" moodCode="EVN">'
        f'<value mediaType="image/png" representation="B64">{PIXEL[:40]}\n{PIXEL[40:]}</value>'
        "</observationMedia></entry>"
    )
    [shown] = read(to_html(document(entries=image))).findall(".//main//img")
    assert shown.get("src") == f"data:image/png;base64,{PIXEL}"


HOSTILE = [
    '<text><content>x</content><linkHtml href="javascript:alert(1)">lien</linkHtml></text>',
    '<text><script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script><iframe src="http://example.org"/></text>',
    '<text><table><tbody onload="alert(1)"><tr><td onclick="x()" style="background:url(http://example.org)">v</td></tr></tbody></table></text>',
    '<text><content styleCode="Bold&quot; onmouseover=&quot;x">v</content></text>',
    '<text><img src="http://example.org/a.png" xmlns="http://www.w3.org/1999/xhtml"/><object data="http://example.org"/></text>',
    '<text><paragraph>&lt;img src=x onerror=alert(1)&gt;</paragraph></text>',
]  # fmt: skip
ATTRIBUTES = {
    "class",
    "lang",
    "charset",
    "name",
    "content",
    "aria-label",
    "role",
    "tabindex",
    "scope",
    "colspan",
    "rowspan",
    "alt",
    "src",
}


@pytest.mark.parametrize("narrative", HOSTILE)
def test_nothing_of_a_hostile_document_becomes_active(narrative: str) -> None:
    page = read(to_html(document(narrative)))
    elements = [each for each in page.iter() if isinstance(each.tag, str)]
    assert not {each.tag for each in elements} & {"script", "iframe", "object", "embed", "a", "form", "link", "base"}
    assert {name for each in elements for name in each.attrib} <= ATTRIBUTES
    assert all(each.get("src", "data:").startswith("data:") for each in elements)


@pytest.mark.parametrize("value", ["image/svg+xml", "text/html", 'image/png" onload="x'])
def test_only_plain_images_are_shown(value: str) -> None:
    kind = value.replace('"', "&quot;")
    media = (
        '<entry><observationMedia ID="curve" classCode="OBS" moodCode="EVN">'
        f'<value mediaType="{kind}" representation="B64">'
        "PHN2Zz4=</value></observationMedia></entry>"
    )
    assert read(to_html(document(entries=media))).findall(".//main//img") == []


def test_a_stylesheet_that_the_document_names_or_holds_is_never_run() -> None:
    named = document(before='<?xml-stylesheet type="text/xsl" href="file:///etc/passwd"?>')
    assert to_html(named) == to_html(document())
    wrapped = self_presenting(document()).replace(b"<html ", b"<evil/><html ", 1)
    assert b"evil" in wrapped
    assert to_html(wrapped) == to_html(document())


def test_the_form_that_presents_itself_holds_the_document_and_shows_the_same_page() -> None:
    theme = Theme(accent="#123456", mentions="Mention <légale> & autre")
    file = etree.fromstring(self_presenting(document(), theme))
    assert file.tag == "{http://www.w3.org/1999/XSL/Transform}stylesheet"
    assert file.getprevious().text == 'type="text/xsl" href="#"'
    inside = file.find("{urn:asip-sante:ci-sis}Contenu/{urn:hl7-org:v3}ClinicalDocument")
    assert etree.tostring(inside, method="c14n", exclusive=True, with_tail=False) == etree.tostring(
        etree.fromstring(document()), method="c14n", exclusive=True
    )
    shown = etree.XSLT(file)(etree.fromstring(etree.tostring(file)))
    expected = html5lib.parse(to_html(document(), theme), treebuilder="lxml", namespaceHTMLElements=False)
    assert words(shown.getroot().find("body")) == words(expected.getroot().find("body"))
    assert shown.getroot().findtext(".//style") == expected.getroot().findtext(".//style")


@pytest.mark.parametrize(
    "wrong",
    [
        {"accent": "red"},
        {"accent": "#12345"},
        {"logo": "https://example.org/logo.png"},
        {"logo": "data:image/svg+xml;base64,AAAA"},
    ],
)
def test_a_theme_that_fetches_or_injects_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ThemeRefused):
        Theme(**wrong)


def test_what_holds_no_clinical_document_is_refused() -> None:
    with pytest.raises(CdaMalformed):
        to_html(b"<html/>")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_word_of_an_official_narrative_is_on_the_page(path: Path) -> None:
    content = path.read_bytes()
    page = words(read(to_html(content)).find("body"))
    header = read_header(etree.fromstring(content))
    assert header.patient.family_birth in page
    cells = etree.fromstring(content).iterfind(".//{urn:hl7-org:v3}text//{urn:hl7-org:v3}td")
    assert [said for said in map(words, cells) if said not in page] == []
