"""Sockets and HTTP as real senders use and abuse them."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from hl7.client import MLLPClient

from ingest_hl7.adapters.mllp import MllpListener
from labohub.contracts.values import BlobRef
from labohub.standards.mllp import write_frame
from labohub.store.blobs import BlobsUnavailable
from labosim.pki import Pki
from tests.support.ingest import Running, errors, msa, relay_message, results_message, running


async def test_messages_pipelined_on_one_connection_are_answered_in_order(tmp_path: Path) -> None:
    numbers = [f"N{number:02d}" for number in range(30)]
    messages = [results_message(number, demand=f"D{number}") for number in numbers]
    async with running(tmp_path) as hub, hub.connect() as peer:
        answers = await peer.send(*messages)
    assert [msa(answer) for answer in answers] == [("AA", number) for number in numbers]


async def test_sixteen_senders_at_once_are_all_served(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        groups = await asyncio.gather(
            *(
                hub.send(*(results_message(f"S{peer}-{number}", demand=f"D{peer}-{number}") for number in range(5)))
                for peer in range(16)
            )
        )
        rows = await hub.rows("messages")
    assert {msa(answer)[0] for answers in groups for answer in answers} == {"AA"}
    assert len(rows) == 80


async def test_noise_between_messages_is_no_message(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.connect() as peer:
        peer.writer.write(b"\r\n\0GET / HTTP/1.1\r\n" + write_frame(results_message("A")) + b"\r\n\r\n\0")
        first = await peer.answer()
        [second] = await peer.send(results_message("B", demand="D2"))
    assert (msa(first), msa(second)) == (("AA", "A"), ("AA", "B"))


async def test_a_frame_of_fifty_megabytes_closes_its_connection_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        async with hub.connect() as peer, hub.connect() as other:
            with pytest.raises(ConnectionError):
                await peer.send(b"MSH|^~\\&|X|" + b"A" * 50_000_000)
            [answer] = await other.send(results_message())
        rows = await hub.rows("messages")
    assert msa(answer)[0] == "AA"
    assert len(rows) == 1


async def test_a_message_cut_by_the_network_is_neither_kept_nor_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        async with hub.connect() as peer:
            peer.writer.write(write_frame(results_message())[:-40])
            peer.writer.write_eof()
            assert await peer.is_closed()
        rows = await hub.rows("messages")
    assert rows == []


async def test_a_silent_sender_is_closed_in_the_middle_of_a_message(tmp_path: Path) -> None:
    async with running(tmp_path, frame_timeout_seconds=0.1) as hub, hub.connect() as peer:
        peer.writer.write(b"\x0bMSH|^~\\&|")
        assert await peer.is_closed()


async def test_connections_and_buffered_bytes_are_bounded(tmp_path: Path) -> None:
    async with running(tmp_path, max_connections=1, max_buffered_bytes=100_000) as hub, hub.connect() as first:
        await first.send(results_message())
        async with hub.connect() as second:
            assert await second.is_closed()
        first.writer.write(b"\x0b" + b"A" * 300_000)
        assert await first.is_closed()


class Broken:
    """Documents whose storage is away."""

    async def put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        raise BlobsUnavailable("away")


class Buggy:
    """Documents whose storage has a bug that would tell too much."""

    async def put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        raise ValueError("KERMADEC")


def break_documents(hub: Running, blobs: object) -> None:
    listener = hub.service.listeners[0]
    assert isinstance(listener, MllpListener)
    object.__setattr__(listener._intake._doors, "blobs", blobs)


@pytest.mark.parametrize("blobs", [Broken(), Buggy()])
async def test_without_storage_the_answer_is_not_now_and_never_yes(blobs: object, tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.connect() as peer:
        working = hub.platform.blobs
        break_documents(hub, blobs)
        [refused] = await peer.send(results_message())
        rows = await hub.rows("messages")
        break_documents(hub, working)
        [taken] = await peer.send(results_message())
    assert (msa(refused)[0], errors(refused)[0][0]) == ("AR", "207")
    assert b"KERMADEC" not in refused.split(b"\rMSA")[1]
    assert rows == []
    assert msa(taken)[0] == "AA"


def api(hub: Running) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.hub.http.port}/api/v1")


async def test_http_takes_a_message_and_answers_its_acknowledgement(tmp_path: Path) -> None:
    kind = {"content-type": "application/hl7-v2; charset=utf-8"}
    async with running(tmp_path) as hub, api(hub) as client:
        taken = await client.post("/hl7", content=relay_message(), headers=kind)
        refused = await client.post("/hl7", content=relay_message(order_control="RO"), headers=kind)
        framed = await client.post("/hl7", content=write_frame(results_message()), headers=kind)
        json = await client.post("/hl7", json={})
        empty = await client.post("/hl7", content=b"", headers=kind)
    assert (taken.status_code, taken.headers["content-type"]) == (200, "application/hl7-v2")
    assert msa(taken.content) == ("AA", "CDA-0001")
    assert (refused.status_code, msa(refused.content)[0]) == (200, "AE")
    assert msa(framed.content)[0] == "AA"
    assert (json.status_code, json.headers["content-type"]) == (415, "application/problem+json")
    assert empty.status_code == 400


async def test_http_refuses_more_than_the_limit_as_a_transport_problem(tmp_path: Path) -> None:
    async with running(tmp_path, max_frame_bytes=10_000) as hub, api(hub) as client:
        answer = await client.post("/hl7", content=b"A" * 20_000, headers={"content-type": "application/hl7-v2"})
    assert (answer.status_code, answer.json()["code"]) == (413, "http.too-large")


async def test_tls_takes_known_certificates_alone(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    tls = {
        "tls_certificate": pki.cert("hub-server"),
        "tls_key": pki.key("hub-server"),
        "tls_client_ca": pki.ca_pem,
        "mllp_tls_port": 0,
    }
    known = ssl.create_default_context(cafile=str(pki.ca_pem))
    known.load_cert_chain(pki.cert("sgl-client"), pki.key("sgl-client"))
    stranger = ssl.create_default_context(cafile=str(pki.ca_pem))
    async with running(tmp_path / "hub", **tls) as hub:
        listener = hub.service.listeners[1]
        assert isinstance(listener, MllpListener)
        async with hub.connect(listener.port, ssl=known, server_hostname="localhost") as peer:
            [answer] = await peer.send(results_message())
        with pytest.raises((ConnectionError, ssl.SSLError)):
            async with hub.connect(listener.port, ssl=stranger, server_hostname="localhost") as peer:
                await peer.send(results_message("B"))
    assert msa(answer)[0] == "AA"


async def test_a_client_that_nobody_here_wrote_gets_its_acknowledgement(tmp_path: Path) -> None:
    def send(port: int) -> bytes:
        with MLLPClient("127.0.0.1", port) as client:
            return bytes(client.send_message(results_message()))

    async with running(tmp_path) as hub:
        answer = await asyncio.to_thread(send, hub.port)
    assert msa(answer.strip(b"\x0b\x1c\r"))[0] == "AA"
