"""A laboratory's catalogue, from its import over HTTP to the document and the volumes, on both stores."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cda_builder.adapters.catalogue_http import routes
from cda_builder.adapters.value_sets import ValueSetsUnreadable, official_labels
from labohub.contracts.events import DocumentBuilt
from labohub.standards.loinc import is_loinc
from tests.support import cda_reader
from tests.support.cda import CISIS, CdaRig, battery, result, results_of

OWN = ("X1", "Kaliémie", "", "")
CSV = "code;libelle;loinc;libelle loinc\nX1;Kaliémie;2823-3;Potassium [Moles/Volume]\n".encode()
FACILITY = "LBM-DU-PORT"


@pytest.fixture(params=["sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CdaRig]:
    store = request.getfixturevalue("postgres_server").fresh_database() if request.param == "postgresql" else ""
    rig = CdaRig(tmp_path, store=store)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def api(rig: CdaRig) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(routes(rig.database, {}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub/api/v1") as client:
        yield client


async def loinc_of_the_newest(rig: CdaRig) -> str:
    event = (await rig.work())[-1]
    assert isinstance(event, DocumentBuilt)
    return cda_reader.read(await rig.blobs.read(event.document)).facts[0].loinc


async def test_an_imported_code_leaves_with_its_loinc_and_the_worklist_empties(
    rig: CdaRig, api: httpx.AsyncClient
) -> None:
    await rig.structure(results_of(battery(result(OWN), result(OWN))), message_id="m-1")
    before = await loinc_of_the_newest(rig)
    waiting = (await api.get("/worklists/codes")).json()

    answer = await api.post("/catalogue", params={"facility": FACILITY}, content=CSV)
    await rig.structure(results_of(battery(result(OWN, "4.1"))), message_id="m-2")
    after = await loinc_of_the_newest(rig)

    assert (before, after) == ("", "2823-3")
    assert [(each["code"], each["results"]) for each in waiting["items"]] == [("X1", 2)]
    assert answer.json() == {"exams": 1, "errors": 0, "problems": [], "edition": 1}
    assert (await api.get("/worklists/codes")).json() == {"items": [], "total": 0}
    coverage = (await api.get("/catalogue/coverage", params={"facility": FACILITY})).json()
    assert (coverage["results"], coverage["by_catalogue"], coverage["covered_fraction"]) == (3, 3, 1.0)


async def test_the_catalogue_of_all_others_holds_until_a_laboratory_has_its_own(
    rig: CdaRig, api: httpx.AsyncClient
) -> None:
    await api.post("/catalogue", content=CSV)
    await rig.structure(results_of(battery(result(OWN))), message_id="m-1")
    shared = await loinc_of_the_newest(rig)
    await api.post("/catalogue", params={"facility": FACILITY}, content=CSV.replace(b"2823-3", b"2951-2"))
    await rig.structure(results_of(battery(result(OWN, "4.1"))), message_id="m-2")

    assert (shared, await loinc_of_the_newest(rig)) == ("2823-3", "2951-2")


async def test_a_new_edition_replaces_the_whole_of_the_last(rig: CdaRig, api: httpx.AsyncClient) -> None:
    await api.post("/catalogue", content=CSV)
    second = await api.post("/catalogue", content=b"code;loinc\nY1;2951-2\n")
    await rig.structure(results_of(battery(result(OWN))))

    assert second.json()["edition"] == 2
    assert await loinc_of_the_newest(rig) == ""


async def test_with_an_error_nothing_is_imported_unless_forced(rig: CdaRig, api: httpx.AsyncClient) -> None:
    wrong = CSV + b"Y1;Autre;2951-9;\n"

    refused = await api.post("/catalogue", content=wrong)
    forced = await api.post("/catalogue", content=wrong, params={"force": True})

    assert (refused.status_code, refused.json()["edition"]) == (422, None)
    assert refused.json()["problems"][0]["line"] == 3
    assert (forced.json()["edition"], forced.json()["exams"]) == (1, 2)


async def test_a_code_known_to_have_no_loinc_does_not_wait_for_anyone(rig: CdaRig, api: httpx.AsyncClient) -> None:
    await rig.structure(results_of(battery(result(OWN))))
    await rig.work()
    await api.post("/catalogue", content=b"code;loinc\nX1;\n")

    assert (await api.get("/worklists/codes")).json()["items"] == []
    coverage = (await api.get("/catalogue/coverage")).json()
    assert [(each["code"], each["known"]) for each in coverage["uncovered"]] == [("X1", True)]


async def test_the_same_document_again_is_not_counted_again(rig: CdaRig, api: httpx.AsyncClient) -> None:
    await rig.structure(results_of(battery(result(OWN))), message_id="m-1")
    await rig.structure(results_of(battery(result(OWN))), message_id="m-2")
    await rig.work()

    assert (await api.get("/catalogue/coverage")).json()["results"] == 1


def test_official_lists_are_read_from_a_folder(tmp_path: Path) -> None:
    concept = '<Concept code="{}" displayName="{}" codeSystem="2.16.840.1.113883.6.1" dateFin="{}"/>'
    listed = concept.format("2951-2", "Sodium", "") + concept.format("2823-3", "Potassium", "2024-01-01")
    (tmp_path / "JDV.xml").write_text(f'<r xmlns="urn:ihe:iti:svs:2008"><ConceptList>{listed}</ConceptList></r>')

    assert official_labels(tmp_path) == {"2951-2": "Sodium"}
    assert official_labels(None) == {}
    with pytest.raises(ValueSetsUnreadable):
        official_labels(tmp_path / "none")
    (tmp_path / "other.xml").write_text("no XML")
    with pytest.raises(ValueSetsUnreadable):
        official_labels(tmp_path)


if CISIS.is_dir():

    def test_the_published_value_sets_are_read() -> None:
        found = official_labels(CISIS / "jeuxDeValeurs")

        assert found
        assert all(is_loinc(code) and label for code, label in found.items())
