"""The service whole, on a real socket: each message gets its answer, and what it asks is durable first."""

from pathlib import Path

from labohub.contracts import topics
from labohub.contracts.events import MessageArchived, ReportReceived
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import Path as ReportPath
from labohub.contracts.values import Request
from tests.support.ingest import cda, errors, fields, msa, pid, relay_message, results_message, running


async def test_final_results_are_acknowledged_and_become_a_report(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        [answer] = await hub.send(results_message())
        [event] = await hub.events(topics.REPORT, 1)
        results = LaboratoryReport.model_validate_json(await hub.platform.blobs.read(event.report.results))
    assert msa(answer) == ("AA", "LTW-0001")
    assert fields(answer)["MSH"][0][9] == "ACK^R01^ACK"
    assert fields(answer)["MSH"][0][3:7] == ["LABOHUB", "PFI", "SGL-REMPARTS", "REMPARTS^990000911^N"]
    assert isinstance(event, ReportReceived)
    assert event.report.path is ReportPath.STRUCTURING
    assert event.report.patient.ins is not None
    assert [result.value for result in results.batteries[0].results] == ["4.1", "<^4"]
    assert results.batteries[0].results[0].comments == ("Échantillon conforme.",)
    assert results.biologist is not None
    assert results.biologist.family_name == "LEGUEN"


async def test_a_cda_is_carried_byte_for_byte(tmp_path: Path) -> None:
    document = cda()
    async with running(tmp_path) as hub:
        [answer] = await hub.send(relay_message(document=document))
        [event] = await hub.events(topics.REPORT, 1)
        stored = await hub.platform.blobs.read(event.report.document)
    assert msa(answer) == ("AA", "CDA-0001")
    assert stored == document
    assert event.report.to_dmp
    assert [each.address for each in event.report.recipients] == ["anne.morvan@test-ci-sis.mssante.fr"]
    assert event.report.requester.organisation_id == "1990000911"


async def test_the_same_bytes_get_the_very_same_answer_and_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        first, second = await hub.send(results_message(), results_message())
        [third] = await hub.send(results_message())
        rows = await hub.rows("messages")
        kept = [path for path in (tmp_path / "blobs").glob("*/*") if path.read_bytes().strip(b"\0")]
    assert first == second == third
    assert len(rows) == 1
    assert len(kept) == 1  # the message and its results; what the repetitions brought is erased


async def test_the_same_number_for_other_results_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        [_, answer] = await hub.send(results_message(), results_message(value="4.4"))
    assert msa(answer)[0] == "AE"
    assert errors(answer) == [("205", "MSH^1^10", "E")]


async def test_documents_may_come_under_a_constant_number(tmp_path: Path) -> None:
    other = relay_message("CDA-0001", document=cda("1.2.250.1.99999.9.1.2"))
    async with running(tmp_path) as hub:
        answers = await hub.send(relay_message("CDA-0001"), other)
        events = await hub.events(topics.REPORT, 2)
    assert [msa(answer)[0] for answer in answers] == ["AA", "AA"]
    assert len({event.report_id for event in events}) == 2


async def test_an_answer_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        [before] = await hub.send(relay_message())
    async with running(tmp_path) as hub:
        [after] = await hub.send(relay_message())
        events = await hub.events(topics.REPORT, 1)
        rows = await hub.rows("messages")
    assert after == before
    assert len(events) == len(rows) == 1


async def test_a_correction_of_results_replaces_the_report_of_its_demand(tmp_path: Path) -> None:
    corrected = results_message("LTW-0002", status="C", value="4.6", reported_at="20260312110000")
    async with running(tmp_path) as hub:
        await hub.send(results_message(), corrected)
        first, second = await hub.events(topics.REPORT, 2)
        results = LaboratoryReport.model_validate_json(await hub.platform.blobs.read(second.report.results))
    assert first.report_id == second.report_id
    assert (first.report.request, second.report.request) == (Request.INITIAL, Request.REPLACEMENT)
    assert results.version == 2
    assert results.batteries[0].results[0].value == "4.6"


async def test_a_second_battery_joins_the_report_of_its_demand(tmp_path: Path) -> None:
    later = results_message("LTW-0002", filler="D26030001-F2", reported_at="20260313090000")
    async with running(tmp_path) as hub:
        await hub.send(results_message(), later)
        _, second = await hub.events(topics.REPORT, 2)
        results = LaboratoryReport.model_validate_json(await hub.platform.blobs.read(second.report.results))
    assert [battery.filler_number for battery in results.batteries] == ["D26030001-F1", "D26030001-F2"]


async def test_an_older_state_is_accepted_with_a_warning_and_not_applied(tmp_path: Path) -> None:
    late = results_message("LTW-0002", status="P", reported_at="20260312070000")
    async with running(tmp_path) as hub:
        [_, answer] = await hub.send(results_message(), late)
        _, archived, *_ = await hub.events(topics.REPORT, 2)
    assert msa(answer)[0] == "AA"
    assert errors(answer) == [("0", "OBR^1^25", "W")]
    assert isinstance(archived, MessageArchived)
    assert archived.reason == "ltw.older-state"


async def test_unchanged_results_under_a_new_number_give_no_new_report(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        answers = await hub.send(results_message(), results_message("LTW-0002"))
        _, archived = await hub.events(topics.REPORT, 2)
    assert [msa(answer)[0] for answer in answers] == ["AA", "AA"]
    assert isinstance(archived, MessageArchived)
    assert archived.reason == "ltw.unchanged"


async def test_a_demand_known_for_another_patient_is_kept_and_not_sent(tmp_path: Path) -> None:
    other = pid().replace("R000451", "R000999")
    async with running(tmp_path) as hub:
        [_, answer] = await hub.send(results_message(), results_message("LTW-0002", patient=other, value="9.9"))
        _, archived = await hub.events(topics.REPORT, 2)
    assert errors(answer) == [("0", "PID^1^3", "W")]
    assert isinstance(archived, MessageArchived)
    assert archived.reason == "ltw.patient-changed"


async def test_a_replacement_belongs_to_the_report_it_replaces_even_through_a_chain(tmp_path: Path) -> None:
    one, two, three = (f"1.2.250.1.99999.9.1.{number}" for number in (1, 2, 3))
    async with running(tmp_path) as hub:
        await hub.send(
            relay_message("A", document=cda(one)),
            relay_message("B", document=cda(two, replaces=one), request="replacement"),
            relay_message("C", document=cda(three, replaces=two), request="replacement"),
            relay_message("D", document=cda(three, replaces=two), request="deletion"),
        )
        events = await hub.events(topics.REPORT, 4)
    assert len({event.report_id for event in events}) == 1
    assert [event.report.request for event in events] == ["initial", "replacement", "replacement", "deletion"]


async def test_a_document_identifier_used_for_other_content_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        [_, answer] = await hub.send(relay_message("A"), relay_message("B", document=cda() + b"<!-- changed -->"))
    assert msa(answer)[0] == "AE"
    assert errors(answer)[0][:2] == ("205", "OBX^1^5")


async def test_enhanced_mode_commits_then_accepts(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.connect() as peer:
        [commit] = await peer.send(results_message(modes="AL|AL"))
        accept = await peer.answer()
    assert (msa(commit)[0], msa(accept)[0]) == ("CA", "AA")
    assert fields(commit)["MSH"][0][10] != fields(accept)["MSH"][0][10]
