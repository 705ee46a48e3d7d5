"""`labohub catalogue` against a cda-builder that listens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from cda_builder.adapters.catalogue_http import routes
from embedded.cli import app
from labohub.runtime.http import HttpServer
from tests.support.cda import CdaRig, battery, result, results_of

OWN = ("X1", "Kaliémie", "", "")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[CdaRig]:
    rig = CdaRig(tmp_path)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def url(rig: CdaRig) -> AsyncIterator[str]:
    listening = FastAPI()
    listening.include_router(routes(rig.database, {}))
    server = HttpServer(listening, "127.0.0.1", 0)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def run(*arguments: str) -> tuple[int, str]:
    outcome = await asyncio.to_thread(CliRunner().invoke, app, ["catalogue", *arguments])
    return outcome.exit_code, outcome.output


async def test_an_import_is_seen_in_the_coverage(rig: CdaRig, url: str, tmp_path: Path) -> None:
    await rig.structure(results_of(battery(result(), result(OWN))))
    await rig.work()
    file = tmp_path / "catalogue.csv"
    file.write_text("code;libellé;loinc\nX1;Kaliémie;2823-3\n")

    _, before = await run("coverage", "--api", url)
    code, said = await run("import", str(file), "--api", url)
    _, after = await run("coverage", "--api", url)

    assert "2 results: 50.0% with LOINC" in before
    assert "X1" in before
    assert (code, said) == (0, "1 exams imported, edition 1.\n")
    assert "100.0% with LOINC (1 from messages, 1 from the catalogue)" in after


async def test_a_wrong_file_is_explained_and_nothing_is_imported(url: str, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text("code;loinc\nX1;2823-9\n")

    code, said = await run("import", str(file), "--api", url)

    assert code == 1
    assert "line 2 X1: error: no LOINC code: 2823-9" in said
    assert "Not imported" in said
