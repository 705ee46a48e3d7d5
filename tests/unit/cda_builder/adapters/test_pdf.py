"""The PDF, read by an independent library: its words, its fonts, its pages, and what PDF/A-1 asks for."""

import io
import re
import struct
import time

import pytest
from lxml import etree
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from cda_builder.adapters.pdf import render_narrative, render_report
from cda_builder.adapters.pdf.colour import srgb_profile
from cda_builder.adapters.pdf.marks import trend_of
from labohub.contracts.laboratory import PreviousResult
from labohub.standards import xml
from labohub.standards.cda import read_header
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.cda.presentation import Theme
from tests.support.cda import IDENTITY, PDF, POTASSIUM, TRAITS, battery, model_of, result, results_of
from tests.support.microbiology import COLI, antibiogram, antibiotic, culture, germ, png

LONG = results_of(*(battery(*(result(comments=("Contrôlé.",)) for _ in range(10))) for _ in range(5)))


def read(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data), strict=True)


def words(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(data).pages).split())


def test_every_result_is_printed_with_its_unit_range_flag_and_comment() -> None:
    results = results_of(
        battery(result(), result(POTASSIUM, "5.60", reference_range="3.5-5.1", flags=("H",), comments=("Hémolyse.",)))
    )

    said = words(render_report(model_of(results)))

    for expected in ("Sodium", "139", "mmol/L", "5.60", "3.5-5.1", "Anormalement haut", "Hémolyse.", "KERADEC"):
        assert expected in said


def test_the_patient_and_the_matricule_are_printed_only_when_qualified() -> None:
    qualified = words(render_report(model_of(results_of())))
    other = words(render_report(model_of(results_of(), IDENTITY.model_copy(update={"ins": None}))))

    assert "VASSEUR" in qualified
    assert "D'ARTOIS" in qualified
    assert "2850769383142 06" in qualified
    assert "2850769383142" not in other


def test_a_long_report_has_numbered_pages_and_names_the_patient_on_each() -> None:
    reader = read(render_report(model_of(LONG)))
    total = len(reader.pages)

    assert total > 1
    for number, page in enumerate(reader.pages, 1):
        text = " ".join(page.extract_text().split())
        assert f"Page {number} / {total}" in text
        assert "VASSEUR" in text


def test_no_result_is_lost_between_pages() -> None:
    assert words(render_report(model_of(LONG))).count("Contrôlé.") == 50


def test_it_declares_pdf_a_1b_with_an_output_intent_and_equal_metadata() -> None:
    reader = read(render_report(model_of(results_of())))
    catalog = reader.root_object

    metadata = catalog["/Metadata"]
    assert isinstance(metadata, StreamObject)
    packet = etree.fromstring(metadata.get_data().strip())
    names = {
        "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
    }
    assert packet.findtext(".//pdfaid:part", namespaces=names) == "1"
    assert packet.findtext(".//pdfaid:conformance", namespaces=names) == "B"
    assert reader.metadata is not None
    assert packet.xpath("string(.//dc:title)", namespaces=names) == reader.metadata.title
    assert packet.findtext(".//xmp:CreateDate", namespaces=names) == "2026-03-14T10:12:30Z"
    assert reader.metadata.get("/CreationDate") == "D:20260314101230Z"
    intents = catalog["/OutputIntents"]
    assert isinstance(intents, ArrayObject)
    intent = intents[0].get_object()
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_object().get_data() == srgb_profile()
    assert "/Filter" not in metadata


def test_every_stream_ends_with_a_line_end_and_lies_where_the_table_says() -> None:
    data = render_report(model_of(LONG))
    ends = [match.start() for match in re.finditer(rb"endstream\s+endobj", data)]
    reader = read(data)

    assert len(ends) > 5
    assert all(data[end - 1 : end] == b"\n" for end in ends)
    offsets = reader.xref[0]
    assert all(data[offset:].startswith(b"%d 0 obj" % number) for number, offset in offsets.items())
    assert reader.trailer["/Size"] == len(offsets) + 1  # type: ignore[comparison-overlap]


def test_every_font_is_embedded() -> None:
    for page in read(render_report(model_of(LONG))).pages:
        fonts = page["/Resources"]["/Font"]  # type: ignore[index]
        assert isinstance(fonts, DictionaryObject)
        for font in fonts.values():
            assert "/FontFile2" in font.get_object()["/FontDescriptor"].get_object()


def test_the_colour_profile_is_well_formed() -> None:
    profile = srgb_profile()
    size, version = struct.unpack(">I4xI", profile[:12])
    (count,) = struct.unpack(">I", profile[128:132])
    places = [struct.unpack(">4sII", profile[132 + 12 * i : 144 + 12 * i]) for i in range(count)]

    assert (size, version, profile[36:40], count) == (len(profile), 0x02100000, b"acsp", 9)
    assert all(offset + length <= size and offset % 4 == 0 for _, offset, length in places)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_report(model_of(LONG)) == render_report(model_of(LONG.model_copy(deep=True)))


def test_words_of_any_length_stay_on_the_page() -> None:
    """A comment of pages, a value of lines, names that fill a line: each word is there, and nothing is drawn below."""
    comment = " ".join(f"mot{number}" for number in range(3000))
    value = "\n".join(f"ligne {number}" for number in range(90))
    method = " ".join(f"étape{number}" for number in range(400))
    traits = TRAITS.model_copy(update={"used_name": "DE LA FONTAINE DES TROIS RIVIERES-MONTMORENCY DE BEAUFORT"})
    results = results_of(
        battery(
            result(comments=(comment,), method=method),
            result(("T", "Texte", "", ""), value, "", value_type="ST", reference_range=value),
        )
    )

    pages = read(render_report(model_of(results, IDENTITY.model_copy(update={"traits": traits})))).pages

    said = " ".join(" ".join(page.extract_text() for page in pages).split())
    for expected in (comment.split()[-1], "ligne 89", "étape399", "DE BEAUFORT"):
        assert expected in said
    assert [number for number in range(3000) if f"mot{number} " not in said + " "] == []
    for page in pages:
        places = [float(y) for y in re.findall(rb"BT [\d.]+ (-?[\d.]+) Td", page.get_contents().get_data())]  # type: ignore[union-attr]
        assert min(places) > 8


def test_a_word_without_end_is_cut_in_no_time() -> None:
    word = "ACGT" * 30_000
    report = model_of(results_of(battery(result(("S", "Séquence", "", ""), word, "", value_type="ST"))))

    started = time.process_time()
    content = render_report(report)
    spent = time.process_time() - started

    said = "".join("".join(page.extract_text().split()) for page in read(content).pages)
    assert said.count("ACGT") > 29_000  # some are cut
    assert spent < 2  # seconds of CPU


def test_a_theme_gives_its_colour_and_its_logo() -> None:
    model = model_of(results_of())
    themed = read(render_report(model, Theme("#5b2a86", f"data:image/png;base64,{png(40, 20)}"))).pages[0]
    plain = read(render_report(model)).pages[0]

    assert len(themed.images) == 1
    assert len(plain.images) == 0
    purple = b"0.357 0.165 0.525 rg"
    assert purple in themed.get_contents().get_data()  # type: ignore[union-attr]
    assert purple not in plain.get_contents().get_data()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "drawn"),
    [("E\u0301lodie", "Élodie"), ("Łucja Ștefan", "Łucja Ștefan"), ("γ-GT ≥ 3 µg", "γ-GT ≥ 3 µg"), ("a\u200db", "ab")],
)
def test_letters_of_european_names_and_exams_are_drawn_as_they_are(written: str, drawn: str) -> None:
    assert drawn in words(render_report(model_of(results_of(battery(result(("A", written, "", "")))))))


def test_a_trend_needs_three_dated_numbers_in_order() -> None:
    def trend(*dates: str) -> int:
        earlier = tuple(PreviousResult(value_type="NM", value="140", unit="mmol/L", observed_at=each) for each in dates)
        (chapter,) = model_of(results_of(battery(result(previous=earlier)))).chapters
        return len(trend_of(chapter.batteries[0].observations[0]))

    assert trend("20251103", "20250101") == 3
    assert trend("20251103") == 2  # drawn from three on
    assert trend("20250101", "20251103") == 0
    assert trend("20251103", "2025") == 0


def test_a_page_that_goes_on_with_an_antibiogram_names_its_germ_again() -> None:
    drugs = [antibiotic(f"Antibiotique {number}", "^1", "S") for number in range(90)]
    report = model_of(results_of(culture(*germ("1", COLI, "^10000")), antibiogram("1", *drugs)))

    pages = [page.extract_text() for page in read(render_report(report)).pages]

    with_drugs = [page for page in pages if "Antibiotique " in page]
    assert len(with_drugs) > 1
    assert all("Germe isolé : Escherichia coli" in page for page in with_drugs)


@pytest.mark.parametrize("label", ["Exam\u00adен", "Ł ő ș", "日本", "x" * 200])
def test_odd_names_are_drawn_somehow(label: str) -> None:
    assert render_report(model_of(results_of(battery(result(("A", label, "", "")))))).startswith(b"%PDF-1.4")


def test_a_narrative_is_rendered_word_for_word() -> None:
    root = xml.parse(build_cr_bio(model_of(results_of()), PDF))

    said = words(render_narrative(root, read_header(root)))

    for expected in ("Sodium | 139 | mmol/L", "Potassium | 5.6 | mmol/L | Anormalement haut | 3.5-5.1", "VASSEUR"):
        assert expected in said
