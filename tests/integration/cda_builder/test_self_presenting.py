"""The auto-présentable form: the document inside the laboratory's own stylesheet, for 2021.01."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lxml import etree

from labohub.contracts.events import DocumentBuilt
from labohub.standards import xml
from labohub.standards.cda import read_header
from labohub.standards.cda.presentation import to_html
from labohub.standards.xds import from_cda
from tests.support.cda import CISIS, CdaRig
from tests.support.showcase import KINDS, LABORATORY

PROFILE = LABORATORY.model_copy(update={"volet": "2021.01", "self_presenting": True, "accent": "#5b2a86"})
RULES = [pytest.param(None, id="own")] + ([pytest.param(CISIS, id="official")] if CISIS.is_dir() else [])
XSL = "{http://www.w3.org/1999/XSL/Transform}stylesheet"


@pytest.fixture(params=RULES)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CdaRig]:
    rig = CdaRig(tmp_path, request.param, profile=PROFILE)
    await rig.start()
    yield rig
    await rig.stop()


async def built(rig: CdaRig, kind: str) -> tuple[DocumentBuilt, bytes]:
    await rig.structure(KINDS[kind])
    event = (await rig.work())[-1]
    assert isinstance(event, DocumentBuilt), event
    return event, await rig.blobs.read(event.document)


@pytest.mark.parametrize("kind", ["biochemistry", "microbiology", "electrophoresis"])
async def test_the_document_inside_the_stylesheet_passes_the_gate(rig: CdaRig, kind: str) -> None:
    event, content = await built(rig, kind)

    assert event.conformance == ("passed" if rig.rules else "not-configured")
    assert event.document.media_type == "application/xslt+xml"
    assert etree.fromstring(content).tag == XSL
    assert event.facts.level == "N3"
    assert event.facts.title == "Compte rendu d'examens biologiques"


async def test_its_metadata_says_what_file_it_is(rig: CdaRig) -> None:
    _, content = await built(rig, "biochemistry")

    entry = from_cda(read_header(xml.parse(content)), content)

    assert entry.mime_type == "application/xslt+xml"
    assert entry.size_bytes == len(content)


async def test_its_own_stylesheet_makes_the_page_that_the_console_makes_of_it(rig: CdaRig) -> None:
    _, content = await built(rig, "biochemistry")
    file = etree.fromstring(content)

    own = etree.XSLT(file)(etree.fromstring(content)).getroot()

    ours = etree.HTML(to_html(content, PROFILE.theme))
    assert "".join(own.find("body").itertext()) == "".join(ours.find("body").itertext())
    assert ":root{--accent:#5b2a86}" in own.findtext(".//style")


async def test_the_same_results_give_the_same_file(rig: CdaRig) -> None:
    first, content = await built(rig, "haematology")
    await rig.structure(KINDS["haematology"], message_id="m-2")
    again = (await rig.work())[-1]

    assert isinstance(again, DocumentBuilt)
    assert again.document == first.document
    assert content.startswith(b"<?xml")


async def test_a_relayed_one_is_checked_and_goes_on_byte_for_byte(rig: CdaRig) -> None:
    _, content = await built(rig, "biochemistry")

    reference = await rig.relay(content, message_id="m-9", report_id="other")
    event = (await rig.work())[-1]

    assert isinstance(event, DocumentBuilt), event
    assert event.document == reference
