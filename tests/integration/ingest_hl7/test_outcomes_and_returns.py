"""Outcomes come back as events: each message gets one terminal state, and its source the ZAM it asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from labohub.contracts import topics
from labohub.contracts.codec import derived_id
from labohub.contracts.events import (
    AnswerSettled,
    DocumentRefused,
    IdentityUnresolved,
    MailAccepted,
    MailBounced,
    MailDelivered,
    MailRead,
    MailUncertain,
    MessageArchived,
    MessageSettled,
    ReportReceived,
    SubmissionAccepted,
    SubmissionRefused,
)
from labohub.contracts.values import IdentityStatus
from tests.support.ingest import MAILBOX, Running, fields, msa, relay_message, running
from tests.support.ports import free_ports

AT = datetime(2026, 3, 12, 9, 16, 39, tzinfo=UTC)


class Source:
    """A laboratory system that hears ZAM and acknowledges them, by hand."""

    def __init__(self, codes: list[str]) -> None:
        self.codes = codes  # of the first answers; AA afterwards; "" closes without answering
        self.heard: list[bytes] = []
        self.changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = (await reader.readuntil(b"\x1c\r"))[1:-2]
        self.heard.append(message)
        self.changed.set()
        code = self.codes.pop(0) if self.codes else "AA"
        if code:
            number = fields(message)["MSH"][0][10]
            writer.write(
                f"\x0bMSH|^~\\&|SGL|L|LABOHUB|PFI|2026||ACK^Z01^ACK|1|P|2.6\rMSA|{code}|{number}\r\x1c\r".encode()
            )
            await writer.drain()
        writer.close()

    async def hears(self, count: int) -> list[dict[str, list[list[str]]]]:
        """Return the first `count` messages."""
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self.changed.clear()
                await self.changed.wait()
        return [fields(message) for message in self.heard[:count]]


@asynccontextmanager
async def source(*codes: str) -> AsyncIterator[tuple[Source, int]]:
    """Run a source on loopback."""
    heard = Source(list(codes))
    server = await asyncio.start_server(heard.serve, "127.0.0.1", 0)
    try:
        yield heard, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def hub_with_source(folder: Path, *codes: str, **settings: Any) -> AsyncIterator[tuple[Running, Source]]:
    """Run the intake with a source that it knows."""
    (folder / "senders.toml").write_text("")
    async with source(*codes) as (heard, port):
        known = {"senders": folder / "senders.toml", "answers_host": "127.0.0.1", "answers_port": port}
        async with running(folder, **{**known, "answers_retry_first_seconds": 0.05, **settings}) as hub:
            yield hub, heard


async def accepted(hub: Running, message: bytes) -> ReportReceived:
    """Send a request; return the fact that it was taken."""
    await hub.send(message)
    [event] = await hub.events(topics.REPORT, 1)
    assert isinstance(event, ReportReceived)
    return event


def base(request: ReportReceived, *parts: str) -> dict[str, Any]:
    """Return the fields that all events share."""
    return {
        "event_id": derived_id("test", request.message_id, *parts),
        "occurred_at": AT,
        "report_id": request.report_id,
        "message_id": request.message_id,
    }


def mail(kind: type, request: ReportReceived, **more: Any) -> Any:
    """Return a fact about the mail of the one recipient."""
    recipient = request.report.recipients[0]
    fixed = {"mail_id": "m-1", "document_id": "1.2.3", "recipient": recipient}
    return kind(**base(request, kind.__name__), **fixed, **more)


def submission(kind: type, request: ReportReceived, **more: Any) -> Any:
    """Return a fact about the submission to the DMP."""
    return kind(**base(request, kind.__name__), submission_id="s", document_id="1.2.3", operation="TD2.1", **more)


async def test_all_delivered_settles_once_and_tells_the_source(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request), mail(MailDelivered, request))
        told = await heard.hears(2)
        settled, *answers = await hub.events(topics.MESSAGE, 3)
        requests = await hub.rows("requests")
    assert isinstance(settled, MessageSettled)
    assert (settled.state, settled.delivered, settled.failed, settled.uncertain) == ("delivered", 2, 0, 0)
    assert {each.outcome for each in answers if isinstance(each, AnswerSettled)} == {"AA"}
    assert requests[0]["is_settled"]
    by_type = {message["MSH"][0][9]: message for message in told}
    assert sorted(by_type) == ["ZAM^Z01^ZAM_Z01", "ZAM^Z02^ZAM_Z01"]
    received = by_type["ZAM^Z02^ZAM_Z01"]
    assert received["MSH"][0][3:7] == ["LABOHUB", "PFI", "SGL-REMPARTS", "REMPARTS"]
    assert received["MSH"][0][21] == "2.1^CISIS_CDA_HL7_V2"
    assert received["EVN"][0][2] == "20260312101639+0100"
    status, who = received["OBX"]
    assert status[4] == "CDA-0001"
    assert status[5] == "Y^^expandedYes-NoIndicator"
    assert who[3].startswith("DESTINATAIRE_MSS^")
    assert who[5] == f"^^X.400^{MAILBOX}"
    assert "ERR" not in received


async def test_refusals_are_told_with_their_codes(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message())
        refused = submission(SubmissionRefused, request, dmp_code="DMPClosed", dmp_label="DMP fermé")
        await hub.tell(refused, mail(MailBounced, request, smtp_code="550"))
        told = {message["MSH"][0][9][4:7]: message for message in await heard.hears(2)}
        events = await hub.events(topics.MESSAGE, 3)
    assert told["Z01"]["OBX"][0][5].startswith("N^")
    assert told["Z01"]["ERR"][0][3] == "207^Application error^messageErrorCondition"
    assert told["Z01"]["ERR"][0][5] == "DMPClosed^DMP fermé^DMP_ERROR_CODE"
    assert told["Z02"]["ERR"][0][5].startswith("550^Action non effectuée")
    assert told["Z02"]["ERR"][0][5].endswith("^SMTPERRORCODE")
    [settled] = [each for each in events if isinstance(each, MessageSettled)]
    assert (settled.state, settled.failed) == ("failed", 2)


async def test_one_refusal_among_others_is_a_partial_delivery(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, _):
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request), mail(MailBounced, request, smtp_code="550"))
        events = await hub.events(topics.MESSAGE, 3)
    [settled] = [each for each in events if isinstance(each, MessageSettled)]
    assert (settled.state, settled.delivered, settled.failed, settled.code) == ("partly-delivered", 1, 1, "mss.bounced")


async def test_an_uncertain_mail_settles_and_a_later_receipt_only_improves_it(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request), mail(MailUncertain, request))
        await hub.events(topics.MESSAGE, 2)
        await hub.tell(mail(MailDelivered, request))
        await heard.hears(2)
        outcomes = {row["target"]: row["outcome"] for row in await hub.rows("outcomes")}
        events = await hub.events(topics.MESSAGE, 3)
    settled = [each for each in events if isinstance(each, MessageSettled)]
    assert [(each.state, each.uncertain) for each in settled] == [("partly-delivered", 1)]
    assert outcomes == {"dmp": "delivered", MAILBOX: "delivered"}


@pytest.mark.parametrize("confirmable", [True, False])
async def test_acceptance_ends_a_mail_only_when_no_receipt_can_come(confirmable: bool, tmp_path: Path) -> None:
    flags = {"DESTDMP": "N"}
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message(flags=flags))
        await hub.tell(mail(MailAccepted, request, confirmable=confirmable))
        if confirmable:
            await hub.tell(mail(MailDelivered, request))
        [settled] = await hub.events(topics.MESSAGE, 1)
        heard_now = len(heard.heard)
    assert isinstance(settled, MessageSettled)
    assert settled.code == ("" if confirmable else "mss.unconfirmed")
    assert heard_now <= confirmable  # no ZAM is made from a bare acceptance


async def test_a_reading_is_told_only_when_asked(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message(flags={"ACK_LECTURE_MSS": "Y", "ACK_RECEPTION": "N"}))
        read = mail(MailRead, request, disposition="processed", error_code="902")
        await hub.tell(mail(MailDelivered, request), read)
        [told] = await heard.hears(1)
    assert told["MSH"][0][9] == "ZAM^Z03^ZAM_Z01"
    assert told["OBX"][1][3].startswith("LECTEUR_MSS^")
    assert told["ERR"][0][5] == "902^Identifiant patient inconnu^applicationErrorCondition"


@pytest.mark.parametrize("kind", [DocumentRefused, IdentityUnresolved])
async def test_what_is_stopped_on_the_way_is_told_to_the_source(kind: type, tmp_path: Path) -> None:
    more = {"status": IdentityStatus.PROVISOIRE} if kind is IdentityUnresolved else {}
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message())
        await hub.tell(kind(**base(request), control_id="CDA-0001", code="ins.not-validated", **more))
        told = await heard.hears(2)
        events = await hub.events(topics.MESSAGE, 3)
    [settled] = [each for each in events if isinstance(each, MessageSettled)]
    assert (settled.state, settled.code) == ("stopped", "ins.not-validated")
    assert all(message["OBX"][0][5].startswith("N^") for message in told)


async def test_what_a_person_let_go_on_is_told_again_and_its_end_is_a_revision(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message())
        stopped = {"control_id": "CDA-0001", "code": "ins.not-validated", "status": IdentityStatus.PROVISOIRE}
        await hub.tell(IdentityUnresolved(**base(request), **stopped))
        await heard.hears(2)
        await hub.tell(submission(SubmissionAccepted, request))
        await heard.hears(3)
        await hub.tell(mail(MailDelivered, request))
        told = await heard.hears(4)
        events = await hub.events(topics.MESSAGE, 6)
        [row] = await hub.rows("requests")
    settled = [each for each in events if isinstance(each, MessageSettled)]
    assert [(each.state, each.is_revision) for each in settled] == [("stopped", False), ("delivered", True)]
    assert len({each.event_id for each in settled}) == 2
    assert row["state"] == "delivered"
    assert [message["OBX"][0][5][:1] for message in told[2:]] == ["Y", "Y"]


async def test_a_source_that_is_busy_hears_the_same_message_again(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path, "", "AR") as (hub, heard):
        request = await accepted(hub, relay_message(flags={"DESTMSSANTEPS": "N"}))
        await hub.tell(submission(SubmissionAccepted, request))
        await heard.hears(3)
        events = await hub.events(topics.MESSAGE, 2)
    assert heard.heard[0] == heard.heard[1] == heard.heard[2]
    assert [each.outcome for each in events if isinstance(each, AnswerSettled)] == ["AA"]


async def test_a_source_that_refuses_is_not_asked_again(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path, "AE") as (hub, heard):
        request = await accepted(hub, relay_message(flags={"DESTMSSANTEPS": "N"}))
        await hub.tell(submission(SubmissionAccepted, request))
        events = await hub.events(topics.MESSAGE, 2)
    assert [each.outcome for each in events if isinstance(each, AnswerSettled)] == ["AE"]
    assert len(heard.heard) == 1


async def test_an_absent_source_is_given_up_in_the_end(tmp_path: Path) -> None:
    [nobody] = free_ports()
    async with hub_with_source(tmp_path, answers_port=nobody, answers_max_attempts=2) as (hub, _):
        request = await accepted(hub, relay_message(flags={"DESTMSSANTEPS": "N"}))
        await hub.tell(submission(SubmissionAccepted, request))
        events = await hub.events(topics.MESSAGE, 2)
    assert [each.outcome for each in events if isinstance(each, AnswerSettled)] == ["answers.given-up"]


async def test_answers_are_readable_by_the_api_even_without_an_endpoint(tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text("")
    async with running(tmp_path, senders=tmp_path / "senders.toml") as hub:
        request = await accepted(hub, relay_message(flags={"DESTMSSANTEPS": "N"}))
        await hub.tell(submission(SubmissionAccepted, request))
        await hub.events(topics.MESSAGE, 2)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.hub.http.port}") as client:
            found = (await client.get(f"/api/v1/messages/{request.message_id}/answers")).json()
            missing = await client.get("/api/v1/messages/none/answers")
    assert found["acknowledgement"] == "AA"
    assert [(each["message_type"], each["state"]) for each in found["answers"]] == [("ZAM^Z01^ZAM_Z01", "no-endpoint")]
    assert json.dumps(found["answers"][0]["er7"]).count("ACK_RECEPTION_DMP") == 1
    assert (missing.status_code, missing.json()["code"]) == (404, "message.unknown")


async def test_an_outcome_told_twice_is_told_once_to_the_source(tmp_path: Path) -> None:
    async with hub_with_source(tmp_path) as (hub, heard):
        request = await accepted(hub, relay_message(flags={"DESTMSSANTEPS": "N"}))
        first = submission(SubmissionAccepted, request)
        again = first.model_copy(update={"event_id": "another"})
        await hub.tell(first, again)
        await hub.events(topics.MESSAGE, 2)
        rows = await hub.rows("answers")
    assert len(rows) == len(heard.heard) == 1


async def test_an_unchanged_document_that_arrived_is_never_sent_again_to_the_same_recipient(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        request = await accepted(hub, relay_message("A"))
        await hub.tell(submission(SubmissionAccepted, request), mail(MailDelivered, request))
        await hub.events(topics.MESSAGE, 3)
        [answer] = await hub.send(relay_message("B"))
        _, second = await hub.events(topics.REPORT, 2)
    assert msa(answer)[0] == "AA"
    assert isinstance(second, MessageArchived)
    assert second.reason == "relay.already-sent"


@pytest.mark.parametrize("before", ["under way", "stopped", "failed"])
async def test_an_unchanged_document_that_did_not_arrive_may_be_asked_again(before: str, tmp_path: Path) -> None:
    """The later stages join those who ask at once; they never do the same twice."""
    async with running(tmp_path) as hub:
        request = await accepted(hub, relay_message("A"))
        if before == "stopped":
            status = IdentityStatus.PROVISOIRE
            await hub.tell(IdentityUnresolved(**base(request), control_id="A", code="ins.not-validated", status=status))
        elif before == "failed":
            delivered = mail(MailDelivered, request)
            await hub.tell(submission(SubmissionRefused, request, dmp_code="DMPClosed"), delivered)
        if before != "under way":
            await hub.events(topics.MESSAGE, 3)
        await hub.send(relay_message("B"))
        _, second = await hub.events(topics.REPORT, 2)
    assert isinstance(second, ReportReceived)
    assert second.report.to_dmp
    assert [each.address for each in second.report.recipients] == ([] if before == "failed" else [MAILBOX])
