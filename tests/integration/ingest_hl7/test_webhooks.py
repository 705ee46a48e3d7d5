"""News of reports reach the laboratory's own system: signed, in order, again after a failure, never with a patient."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Independent

from ingest_hl7.adapters.webhooks import HttpReceiver
from ingest_hl7.core.senders import Webhook
from ingest_hl7.core.webhooks import SecretMalformed, secret_of
from ingest_hl7.ports import WebhookRefused, WebhookUnreachable
from ingest_hl7.settings import IngestSettings
from labohub.contracts import topics
from labohub.contracts.events import MailBounced, ReportReceived, SubmissionAccepted
from labosim.pki import Pki
from tests.integration.ingest_hl7.test_outcomes_and_returns import AT, accepted, mail, submission
from tests.support.ingest import MAILBOX, MATRICULE, Running, cda, relay_message, running
from tests.support.sgl import event, http

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@dataclass
class Heard:
    """A receiver made by hand: it answers the given statuses, then 204."""

    statuses: list[int] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line]
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.calls.append((headers, body))
                status = self.statuses.pop(0) if self.statuses else 204
                more = "Location: http://127.0.0.1:1/elsewhere\r\n" if status == 302 else ""
                writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
                self.changed.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def hears(self, count: int) -> list[dict[str, Any]]:
        """Return the first calls' contents, each verified by the independent reader."""
        async with asyncio.timeout(20):
            while len(self.calls) < count:
                self.changed.clear()
                await self.changed.wait()
        return [Independent(SECRET).verify(body, headers) for headers, body in self.calls]  # type: ignore[misc]


@asynccontextmanager
async def receiver(*statuses: int) -> AsyncIterator[tuple[Heard, str]]:
    """Run a receiver on loopback."""
    heard = Heard(list(statuses))
    server = await asyncio.start_server(heard.serve, "127.0.0.1", 0)
    try:
        yield heard, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    finally:
        server.close()


@asynccontextmanager
async def hub_with(folder: Path, url: str, kinds: str = "", **settings: Any) -> AsyncIterator[Running]:
    """Run the intake with one webhook."""
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "senders.toml").write_text(
        '[[sender]]\napplication = "SGL-REMPARTS"\nfacility = "REMPARTS"\n'
        f'[[sender.webhooks]]\nid = "sgl"\nurl = "{url}"\nsecret_file = "{folder / "secret"}"\nevents = [{kinds}]\n'
    )
    quick = {"webhooks_retry_first_seconds": 0.05, "webhooks_retry_cap_seconds": 0.1}
    async with running(folder, **{"senders": folder / "senders.toml", **quick, **settings}) as hub:
        yield hub


async def test_outcomes_and_the_end_are_told_in_order_and_signed(tmp_path: Path) -> None:
    async with receiver() as (heard, url), hub_with(tmp_path, url) as hub:
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request))
        [first] = await heard.hears(1)
        await hub.tell(mail(MailBounced, request, smtp_code="550"))
        news = await heard.hears(3)
    assert first["type"] == "dmp.accepted"
    assert [each["type"] for each in news] == ["dmp.accepted", "mail.bounced", "message.settled"]
    assert {each["data"]["control_id"] for each in news} == {"CDA-0001"}
    assert {each["data"]["report_id"] for each in news} == {request.report_id}
    assert (news[1]["data"]["smtp_code"], news[1]["data"]["recipient_kind"]) == ("550", "professional")
    assert news[2]["data"]["state"] == "partly-delivered"
    said = b" ".join(body for _, body in heard.calls).decode()
    for secret in (MATRICULE, MAILBOX, "MORVAN", "KERMADEC", "JEANNE", "19840512", "R000451"):
        assert secret not in said


async def test_a_hold_is_told(tmp_path: Path) -> None:
    async with receiver() as (heard, url), hub_with(tmp_path, url, '"report.held"') as hub:
        async with http(hub) as client:
            await client.post("/events", json=event("report.hold", "P-77"))
        await hub.send(relay_message())
        [held] = await heard.hears(1)
    assert (held["type"], held["data"]["reason"]) == ("report.held", "sgl.hold")


async def test_a_receiver_that_fails_hears_again_with_the_same_id_before_anything_later(tmp_path: Path) -> None:
    async with receiver(500, 302, 503) as (heard, url), hub_with(tmp_path, url) as hub:
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request), mail(MailBounced, request, smtp_code="550"))
        news = await heard.hears(6)
        rows = await hub.settled_rows("webhooks", lambda found: all(not row["is_open"] for row in found))
    ids = [headers["webhook-id"] for headers, _ in heard.calls]
    assert len(set(ids[:4])) == 1
    assert len(set(ids)) == 3
    assert len({json.dumps(each) for each in news}) == 3
    assert [row["state"] for row in rows] == ["delivered"] * 3
    assert max(row["attempts"] for row in rows) == 4


async def test_what_is_given_up_is_listed_and_can_be_tried_again(tmp_path: Path) -> None:
    never = {"webhooks_give_up_days": 1e-9}
    async with receiver(500) as (heard, url), hub_with(tmp_path, url, '"dmp.accepted"', **never) as hub:
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request))
        await hub.settled_rows("webhooks", lambda found: bool(found) and found[0]["state"] == "dead")
        async with http(hub) as client:
            [dead] = (await client.get("/webhooks/deliveries", params={"state": "dead"})).json()["items"]
            assert (dead["status"], dead["code"], dead["type"]) == (500, "webhook.refused", "dmp.accepted")
            again = await client.post(f"/webhooks/deliveries/{dead['id']}/retry")
            assert again.status_code == 200
            await hub.settled_rows("webhooks", lambda found: found[0]["state"] == "delivered")
            assert (await client.post(f"/webhooks/deliveries/{dead['id']}/retry")).status_code == 409
    assert len(await heard.hears(2)) == 2


async def test_a_receiver_that_is_gone_is_not_called_again(tmp_path: Path) -> None:
    async with receiver(410) as (heard, url), hub_with(tmp_path, url, '"dmp.accepted"') as hub:
        request = await accepted(hub, relay_message())
        await hub.tell(submission(SubmissionAccepted, request))
        [row] = await hub.settled_rows("webhooks", lambda found: bool(found) and not found[0]["is_open"])
    assert (row["state"], row["status"], len(heard.calls)) == ("gone", 410, 1)


def hook(url: str, folder: Path, **more: Any) -> Webhook:
    """Return a webhook with a right secret."""
    (folder / "secret").write_text(SECRET)
    return Webhook(id="x", url=url, secret_file=str(folder / "secret"), **more)


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.1.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[fe80::1]", "0.0.0.0", "[fd00::1]"]
)
async def test_an_internal_address_is_not_called_unless_opened(tmp_path: Path, host: str) -> None:
    receiver_ = HttpReceiver(IngestSettings(webhooks_timeout_seconds=2))
    with pytest.raises(WebhookRefused):
        await receiver_.deliver(hook(f"https://{host}/x", tmp_path), "id", "{}", AT)
    await receiver_.close()


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0"])
async def test_some_addresses_are_never_called(tmp_path: Path, host: str) -> None:
    receiver_ = HttpReceiver(IngestSettings(webhooks_timeout_seconds=2))
    with pytest.raises(WebhookRefused):
        await receiver_.deliver(hook(f"https://{host}/x", tmp_path, allow_private=True), "id", "{}", AT)
    await receiver_.close()


async def test_a_server_is_called_by_its_name_and_its_certificate_must_bear_it(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.cert("hub-server"), pki.key("hub-server"))
    names: list[str] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name or "")
    heard = Heard()
    server = await asyncio.start_server(heard.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = HttpReceiver(IngestSettings(webhooks_timeout_seconds=5, webhooks_ca=pki.ca_pem))
    wary = HttpReceiver(IngestSettings(webhooks_timeout_seconds=5))
    named = hook(f"https://localhost:{port}/x", tmp_path)
    assert await trusting.deliver(named, "id", "{}", AT) == 204
    with pytest.raises(WebhookUnreachable):
        await wary.deliver(named, "id", "{}", AT)
    await trusting.close()
    await wary.close()
    server.close()
    assert names[0] == "localhost"
    assert heard.calls[0][0]["host"] == f"localhost:{port}"


async def test_nobody_listening_and_a_wrong_secret_are_told_apart(tmp_path: Path) -> None:
    receiver_ = HttpReceiver(IngestSettings(webhooks_timeout_seconds=2))
    closed = hook("http://127.0.0.1:1/x", tmp_path)
    with pytest.raises(WebhookUnreachable):
        await receiver_.deliver(closed, "id", "{}", AT)
    (tmp_path / "secret").write_text("whsec_AAAA")
    with pytest.raises(SecretMalformed):
        await receiver_.deliver(closed, "id", "{}", AT)
    await receiver_.close()


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_%%%", SECRET.removeprefix("whsec_"), "whsec_AAAA"])
def test_a_secret_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(SecretMalformed):
        secret_of(text)


@pytest.mark.parametrize(
    "url", ["http://sgl.example/x", "ftp://127.0.0.1/", "https://user:pw@sgl.example/", "https:///x", "sgl.example"]
)
def test_an_address_that_is_not_https_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Webhook(id="x", url=url, secret_file="s")


async def test_an_endpoint_that_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    count = 40  # more than one turn's deliveries
    mute = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with receiver() as (heard, url):
        dead = f"http://127.0.0.1:{mute.sockets[0].getsockname()[1]}/"
        (tmp_path / "secret").write_text(SECRET)
        hook = f'secret_file = "{tmp_path / "secret"}"\nevents = ["dmp.accepted"]\n'
        entry = '[[sender]]\napplication = "SGL-REMPARTS"\nfacility = "REMPARTS"\n'
        for name, where in (("dead", dead), ("good", url)):
            entry += f'[[sender.webhooks]]\nid = "{name}"\nurl = "{where}"\n{hook}'
        (tmp_path / "senders.toml").write_text(entry)
        quick: dict[str, Any] = {
            "webhooks_retry_first_seconds": 0.3,
            "webhooks_retry_cap_seconds": 0.5,
            "webhooks_timeout_seconds": 1,
        }
        async with running(tmp_path, senders=tmp_path / "senders.toml", **quick) as hub:
            for number in range(count):
                await hub.send(relay_message(f"W-{number}", document=cda(f"1.2.250.1.99999.7.{number}")))
            for request in await hub.events(topics.REPORT, count):
                assert isinstance(request, ReportReceived)
                await hub.tell(submission(SubmissionAccepted, request))
            assert len(await heard.hears(count)) == count
    mute.close()
