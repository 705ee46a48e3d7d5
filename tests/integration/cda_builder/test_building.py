"""The building of documents from results, on both stores, from the qualified identity to the event."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from labohub.contracts.events import DocumentBuilt, DocumentRefused
from labohub.contracts.laboratory import Attachment
from labohub.contracts.values import IdentityStatus
from labohub.standards import xml
from labohub.standards.cda import embedded_pdf
from tests.support import cda_reader
from tests.support.cda import (
    IDENTITY,
    POTASSIUM,
    CdaRig,
    CdaView,
    battery,
    names,
    qualified,
    report_of,
    result,
    results_of,
)


@pytest.fixture(params=["sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CdaRig]:
    store = request.getfixturevalue("postgres_server").fresh_database() if request.param == "postgresql" else ""
    rig = CdaRig(tmp_path, store=store)
    await rig.start()
    yield rig
    await rig.stop()


async def built(rig: CdaRig) -> DocumentBuilt:
    event = (await rig.work())[-1]
    assert isinstance(event, DocumentBuilt)
    return event


async def test_results_become_a_document_its_pdf_and_a_conformance_report(rig: CdaRig) -> None:
    await rig.structure(results_of())

    event = await built(rig)

    document = await rig.blobs.read(event.document)
    view = CdaView(document)
    assert event.document.sha256 == hashlib.sha256(document).hexdigest()
    assert view.one("c:id").get("root") == event.facts.unique_id
    assert view.one("c:setId").get("root") == event.facts.set_id
    assert event.pdf is not None
    assert view.pdf == await rig.blobs.read(event.pdf)
    assert event.conformance == "not-configured"
    assert event.conformance_report is not None
    written = json.loads(await rig.blobs.read(event.conformance_report))
    assert written["official_rules"] == "not-configured"
    assert written["document_id"] == event.facts.unique_id


async def test_the_same_event_twice_makes_one_document(rig: CdaRig) -> None:
    await rig.structure(results_of())
    await rig.structure(results_of())

    assert names(await rig.work()) == ["DocumentBuilt"]


async def test_the_same_results_in_another_message_are_the_same_document(rig: CdaRig) -> None:
    await rig.structure(results_of(), message_id="m-1")
    first = await built(rig)
    await rig.structure(results_of(), message_id="m-2")
    second = await built(rig)

    assert second.message_id == "m-2"
    assert second.document == first.document
    assert second.facts == first.facts
    assert second.event_id != first.event_id


async def test_a_correction_replaces_the_document_it_corrects(rig: CdaRig) -> None:
    await rig.structure(results_of(), message_id="m-1")
    first = await built(rig)
    corrected = battery(result(), result(POTASSIUM, "4.6", status="C"), status="C")
    await rig.structure(results_of(corrected), message_id="m-2")
    second = await built(rig)

    assert (second.facts.version_number, second.facts.set_id) == (2, first.facts.set_id)
    assert second.facts.replaces == first.facts.unique_id
    view = CdaView(await rig.blobs.read(second.document))
    related = view.one("c:relatedDocument")
    assert related.get("typeCode") == "RPLC"
    assert view.one("c:relatedDocument/c:parentDocument/c:id").get("root") == first.facts.unique_id


async def test_a_correction_says_what_it_changes_in_the_document_and_in_its_pdf(rig: CdaRig) -> None:
    await rig.structure(results_of(), message_id="m-1")
    await built(rig)
    corrected = battery(result(), result(POTASSIUM, "4.6", status="C"), status="C")
    await rig.structure(results_of(corrected), message_id="m-2")
    event = await built(rig)

    said = cda_reader.read(await rig.blobs.read(event.document)).notes["Modifications"]
    assert "annule et remplace la version 1 du 14/03/2026" in said
    assert "Potassium : 4.6 mmol/L, transmis auparavant : 5.6 mmol/L." in said
    assert event.pdf is not None
    printed = " ".join(PdfReader(BytesIO(await rig.blobs.read(event.pdf))).pages[0].extract_text().split())
    assert "Potassium : 4.6 mmol/L, transmis auparavant : 5.6 mmol/L." in printed


async def test_partial_then_final_is_one_chain_of_versions(rig: CdaRig) -> None:
    partial = battery(result(), result(POTASSIUM, "", status="I"), status="P")
    await rig.structure(results_of(partial, partial=True), message_id="m-1")
    first = await built(rig)
    await rig.structure(results_of(), message_id="m-2")
    second = await built(rig)

    before = cda_reader.read(await rig.blobs.read(first.document))
    after = cda_reader.read(await rig.blobs.read(second.document))
    assert (before.state, before.pending, before.version) == ("active", ["Potassium"], "1")
    assert (after.state, after.pending, after.version) == ("completed", [], "2")
    assert "Ajouté : Potassium." in after.notes["Modifications"]
    assert second.facts.replaces == first.facts.unique_id


async def test_what_a_lost_version_said_is_not_needed_to_replace_it(rig: CdaRig) -> None:
    ref = await rig.blobs.put(results_of().model_dump_json().encode(), "application/json")
    await rig.hear(qualified(report_of(results=ref, message_id="m-1")))
    await built(rig)
    await rig.blobs.erase(ref)
    await rig.structure(results_of(battery(result(value="140"))), message_id="m-2")
    event = await built(rig)

    notes = cda_reader.read(await rig.blobs.read(event.document)).notes
    assert notes["Modifications"] == "Ce compte rendu annule et remplace la version 1 du 14/03/2026 à 11:12."


async def test_a_pdf_that_came_alone_is_a_document_of_level_1(rig: CdaRig) -> None:
    pdf = b"%PDF-1.4\n% of the laboratory\n"
    alone = (Attachment(media_type="application/pdf", data=base64.b64encode(pdf).decode()),)
    await rig.structure(results_of(battery(result(status="O")), attached_reports=alone))

    event = await built(rig)

    assert event.facts.level == "N1"
    assert event.pdf is not None
    assert await rig.blobs.read(event.pdf) == pdf
    assert embedded_pdf(xml.parse(await rig.blobs.read(event.document))) == pdf


async def test_an_unreadable_picture_refuses_the_report_by_name(rig: CdaRig) -> None:
    broken = result(value_type="ED", value="", attachment=Attachment(media_type="image/tiff", data="SUkqAA=="))
    await rig.structure(results_of(battery(broken)))

    (event,) = await rig.work()
    assert isinstance(event, DocumentRefused)
    assert event.code == "cda.attachment-unreadable"


async def test_a_picture_that_readers_do_not_show_becomes_one_they_do(rig: CdaRig) -> None:
    scanned = BytesIO()
    Image.new("L", (6, 4), 128).save(scanned, "TIFF")
    data = base64.b64encode(scanned.getvalue()).decode()
    curve = result(value_type="ED", value="", attachment=Attachment(media_type="image/tiff", data=data))
    await rig.structure(results_of(battery(curve)))

    event = await built(rig)

    (media, _) = CdaView(await rig.blobs.read(event.document)).all(".//c:observationMedia/c:value")
    assert media.get("mediaType") == "image/png"
    assert Image.open(BytesIO(base64.b64decode(media.text or ""))).size == (6, 4)


async def test_a_refused_version_is_not_replaced_by_the_next(rig: CdaRig) -> None:
    await rig.structure(results_of(battery(result(status="R"))), message_id="m-1")
    await rig.structure(results_of(), message_id="m-2")

    refused, event = await rig.work()
    assert isinstance(refused, DocumentRefused)
    assert refused.code == "cda.no-result"
    assert isinstance(event, DocumentBuilt)
    assert (event.facts.version_number, event.facts.replaces) == (1, "")


async def test_two_reports_never_share_an_identifier(rig: CdaRig) -> None:
    await rig.structure(results_of(), message_id="m-1", report_id="report-1")
    await rig.structure(results_of(), message_id="m-2", report_id="report-2")

    first, second = await rig.work()
    assert isinstance(first, DocumentBuilt)
    assert isinstance(second, DocumentBuilt)
    assert first.facts.set_id != second.facts.set_id


async def test_a_message_without_a_publishable_result_is_refused_with_its_reason(rig: CdaRig) -> None:
    await rig.structure(results_of(battery(result(status="W"), status="P")))

    (event,) = await rig.work()
    assert isinstance(event, DocumentRefused)
    assert (event.code, event.control_id) == ("cda.no-result", "C-1")


async def test_a_missing_blob_refuses_the_report_and_stops_nothing_else(rig: CdaRig) -> None:
    await rig.structure(results_of(), message_id="m-1", report_id="report-1")
    lost = await rig.blobs.put(results_of(number="L-2").model_dump_json().encode(), "application/json")
    await rig.structure(results_of(number="L-2"), message_id="m-2", report_id="report-2")
    for path in (rig.folder / "blobs").rglob("*"):
        if path.is_file() and lost.sha256 and path.stat().st_size:
            path.unlink()

    events = await rig.work()
    assert {type(event) for event in events} == {DocumentRefused}
    assert {event.code for event in events if isinstance(event, DocumentRefused)} == {"blob.missing"}


async def test_an_identity_that_is_not_qualified_takes_no_matricule_along(rig: CdaRig) -> None:
    provisional = IDENTITY.model_copy(update={"status": IdentityStatus.VALIDEE})
    await rig.structure(results_of(), provisional)

    event = await built(rig)
    document = await rig.blobs.read(event.document)
    assert IDENTITY.ins is not None
    assert IDENTITY.ins.matricule.encode() not in document
    assert "1.2.250.1.213.1.4.10" not in {each.get("root") for each in CdaView(document).all(".//c:patientRole/c:id")}


async def test_a_restart_before_settling_gives_the_very_same_bytes(rig: CdaRig, tmp_path: Path) -> None:
    await rig.structure(results_of())
    first = await built(rig)
    other = CdaRig(tmp_path / "other")
    await other.start()
    await other.structure(results_of())
    second = await built(other)
    await other.stop()

    assert second.document.sha256 == first.document.sha256
    assert second.event_id == first.event_id


async def test_a_worker_that_dies_costs_one_attempt(tmp_path: Path) -> None:
    rig = CdaRig(tmp_path, processes=1)
    await rig.start()
    await rig.workshop.start()
    executor = rig.workshop._executor
    assert isinstance(executor, ProcessPoolExecutor)
    (process,) = executor._processes.values()
    process.kill()
    process.join()
    await rig.structure(results_of())

    assert await rig.work() == []
    rig.clock.advance(10)
    assert names(await rig.work()) == ["DocumentBuilt"]
    await rig.stop()


async def test_a_fault_of_ours_is_tried_again_then_refused(rig: CdaRig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cda_builder.adapters.tasks.structure", broken)
    await rig.structure(results_of())

    for _ in range(4):
        assert await rig.work() == []
        rig.clock.advance(120)
    (event,) = await rig.work()
    assert isinstance(event, DocumentRefused)
    assert event.code == "cda.internal"
