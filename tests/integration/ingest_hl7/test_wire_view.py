"""What an operator sees of each connection, and what the transport tells the intake."""

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack, suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from ingest_hl7.adapters.mllp import MllpListener
from labohub.standards.mllp import write_frame
from labosim.pki import Pki
from tests.support.ingest import PATIENCE_SECONDS, Running, errors, msa, relay_message, results_message, running


async def connections(hub: Running) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.hub.http.port}/api/v1") as client:
        answer = await client.get("/connections")
    assert answer.status_code == 200
    assert "KERMADEC" not in answer.text
    return list(answer.json()["connections"])


async def until(hub: Running, is_so: Any) -> dict[str, Any]:
    """Return the first connection of the view, once it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := [line for line in await connections(hub) if is_so(line)]):
            await asyncio.sleep(0.01)
    return found[0]


async def test_a_connection_tells_what_it_did(tmp_path: Path) -> None:
    message = results_message("A", charset="8859/15").replace(b"\r", b"\n")
    async with running(tmp_path) as hub, hub.connect() as peer:
        peer.writer.write(b"\0\r\nHELO" + b"\x0bMSH|cut" + write_frame(message))
        assert msa(await peer.answer()) == ("AA", "A")
        await peer.send(b"nothing like HL7")
        peer.writer.write(b"\x0bMSH|^~\\&|half")
        view = await until(hub, lambda line: line["unfinished_bytes"])
    assert (view["transport"], view["state"], view["peer"]["address"]) == ("mllp", "open", "127.0.0.1")
    assert view["peer"]["certificate_subject"] is None
    assert (view["messages"], view["answers"], view["last_answer"]) == (2, {"AA": 1, "AE": 1}, "AE")
    assert (view["stray_bytes"], view["restarted_frames"]) == (7 + len("MSH|cut"), 1)
    assert (view["unfinished_bytes"], view["charset_guess"]) == (len("MSH|^~\\&|half"), "ASCII")
    assert view["warnings"] == {"mllp.stray-bytes": 1, "mllp.restarted": 1, "er7.line-feed": 1}
    assert 0 < view["ack_delay_ms"]["last"] <= 20_000
    assert view["ack_delay_ms"]["p95"] > 0
    assert view["unfinished_seconds"] > 0
    assert view["received_bytes"] > len(message)
    assert view["closed_at"] is None


async def test_what_ended_stays_to_be_seen_with_its_reason(tmp_path: Path) -> None:
    async with running(tmp_path, max_noise_bytes=100) as hub:
        async with hub.connect() as peer:
            await peer.send(results_message())
        view = await until(hub, lambda line: line["state"] == "closed")
        assert (view["close_reason"], view["messages"]) == ("peer-closed", 1)
        async with hub.connect() as peer:
            peer.writer.write(b"GET / HTTP/1.1\r\n" * 20)
            assert await peer.is_closed()
        view = await until(hub, lambda line: line["close_reason"] == "noise")
        assert len(await connections(hub)) == 2
    assert view["stray_bytes"] == 320


async def test_warnings_of_the_wire_and_of_the_text_are_kept_on_the_message_and_counted(tmp_path: Path) -> None:
    def counted(code: str) -> float:
        return REGISTRY.get_sample_value("ingest_hl7_tolerances_total", {"warning": code}) or 0.0

    codes = ("mllp.stray-bytes", "mllp.end-without-cr", "er7.byte-order-mark", "er7.control-character")
    before = {code: counted(code) for code in codes}
    raw = b"\xef\xbb\xbf" + results_message().replace(b"conforme", b"con\x1cforme")
    async with running(tmp_path) as hub, hub.connect() as peer:
        peer.writer.write(b"stray\x0b" + raw + b"\x1c\x0b")
        answer = await peer.answer()
        rows = await hub.rows("messages")
    assert (msa(answer)[0], errors(answer)) == ("AA", [])
    assert rows[0]["warnings"].split()[:4] == list(codes)
    assert {code: counted(code) - before[code] for code in codes} == dict.fromkeys(codes, 1.0)


SENDERS = """
[[sender]]
application = "SGL-REMPARTS"
facility = "REMPARTS"
{binding}
mllp = {{ end_without_cr = true }}
"""


async def test_a_sender_known_to_omit_the_last_return_is_heard_and_others_wait(tmp_path: Path) -> None:
    senders = tmp_path / "senders.toml"
    senders.write_text(SENDERS.format(binding=""))
    async with running(tmp_path, senders=senders, unknown_sender="accept", frame_timeout_seconds=0.3) as hub:
        async with hub.connect() as peer:
            for number in ("A", "B"):
                peer.writer.write(b"\x0b" + results_message(number, demand=f"D{number}") + b"\x1c")
                assert msa(await peer.answer()) == ("AA", number)
        async with hub.connect() as peer:
            peer.writer.write(b"\x0b" + results_message("C").replace(b"SGL-REMPARTS", b"SGL-OTHER") + b"\x1c")
            assert await peer.is_closed()
        rows = await hub.rows("messages")
    assert ["mllp.end-without-cr" in row["warnings"].split() for row in rows] == [True, True]


async def test_the_certificate_of_a_peer_is_seen_and_says_how_it_frames(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    der = ssl.PEM_cert_to_DER_cert(pki.cert("sgl-client").read_text())
    senders = tmp_path / "senders.toml"
    senders.write_text(SENDERS.format(binding=f'certificates = ["{sha256(der).hexdigest()}"]'))
    context = ssl.create_default_context(cafile=str(pki.ca_pem))
    context.load_cert_chain(pki.cert("sgl-client"), pki.key("sgl-client"))
    tls = {"tls_certificate": pki.cert("hub-server"), "tls_key": pki.key("hub-server"), "tls_client_ca": pki.ca_pem}
    async with running(tmp_path / "hub", senders=senders, mllp_tls_port=0, **tls) as hub:
        listener = hub.service.listeners[1]
        assert isinstance(listener, MllpListener)
        async with hub.connect(listener.port, ssl=context, server_hostname="localhost") as peer:
            peer.writer.write(b"\x0b" + results_message() + b"\x1c")
            assert msa(await peer.answer())[0] == "AA"
            [view] = await connections(hub)
    assert view["transport"] == "mllps"
    assert "CN=SGL-DEMO" in view["peer"]["certificate_subject"]
    assert view["peer"]["certificate_sha256"] == sha256(der).hexdigest()


async def test_release_2_commits_what_is_durable_before_it_answers(tmp_path: Path) -> None:
    async with running(tmp_path, mllp_release_2_port=0) as hub:
        listener = hub.service.listeners[1]
        assert isinstance(listener, MllpListener)
        async with hub.connect(listener.port) as peer:
            [commit] = await peer.send(results_message())
            answer = await peer.answer()
            peer.writer.write(write_frame(b"\x06"))
            working = hub.platform.blobs
            object.__setattr__(listener._intake._doors, "blobs", None)
            [refusal] = await peer.send(results_message("B", demand="D2"))
            not_now = await peer.answer()
            object.__setattr__(listener._intake._doors, "blobs", working)
    assert (commit, msa(answer)[0]) == (b"\x06", "AA")
    assert (refusal, msa(not_now)[0]) == (b"\x15", "AR")


@pytest.mark.parametrize(("told", "warned"), [("utf-8", False), ("iso-8859-15", True), ("martian", False), ("", False)])
async def test_msh_18_decides_when_http_says_otherwise(told: str, warned: bool, tmp_path: Path) -> None:
    kind = "application/hl7-v2" + (f"; charset={told}" if told else "")
    async with running(tmp_path) as hub:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.hub.http.port}/api/v1") as client:
            answer = await client.post("/hl7", content=results_message(), headers={"content-type": kind})
        rows = await hub.rows("messages")
    assert msa(answer.content)[0] == "AA"
    assert ("http.charset-differs" in rows[0]["warnings"].split()) is warned


async def test_commit_blocks_of_a_peer_of_release_2_are_no_messages(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.connect() as peer:
        peer.writer.write(write_frame(b"\x06") + write_frame(b"\x15"))
        [answer] = await peer.send(results_message())
        rows = await hub.rows("messages")
    assert msa(answer)[0] == "AA"
    assert len(rows) == 1


async def test_messages_one_after_another_in_one_block_are_answered_one_by_one(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.connect() as peer:
        peer.writer.write(write_frame(results_message("A") + relay_message("B")))
        answers = [await peer.answer(), await peer.answer()]
        rows = await hub.rows("messages")
    assert [msa(answer) for answer in answers] == [("AA", "A"), ("AA", "B")]
    assert all("er7.batch-without-header" in row["warnings"].split() for row in rows)


async def test_a_peer_that_leaves_its_answers_unread_is_given_up(tmp_path: Path) -> None:
    repeated = b"MSH|^~\\&|" + b"A" * 3_000 + b"|B|C|D|20260312||ZZZ^Z01|1|P|2.5.1\r"  # its answer repeats MSH-3
    async with running(tmp_path, answer_timeout_seconds=0.2) as hub:
        greedy = socket.socket()
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(("127.0.0.1", hub.port))
        try:
            await asyncio.to_thread(pour, greedy, write_frame(repeated) * 50)
            view = await until(hub, lambda line: line["state"] == "closed")
        finally:
            greedy.close()
    assert view["close_reason"] == "answer-unread"


def pour(peer: socket.socket, data: bytes) -> None:
    """Send for ever, read never; return when the other side has had enough."""
    with suppress(ConnectionError):
        while True:
            peer.sendall(data)


async def test_a_stalled_handshake_does_not_delay_the_stop(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    tls = {"tls_certificate": pki.cert("hub-server"), "tls_key": pki.key("hub-server"), "tls_client_ca": pki.ca_pem}
    async with AsyncExitStack() as stack:
        async with running(tmp_path / "hub", mllp_tls_port=0, **tls) as hub:
            listener = hub.service.listeners[1]
            assert isinstance(listener, MllpListener)
            peer = await stack.enter_async_context(hub.connect(listener.port))
            view = await until(hub, lambda line: line["state"] == "handshake")
            started = monotonic()
        assert monotonic() - started < 5.0  # the handshake has ten
        assert await peer.is_closed()
    assert view["transport"] == "mllps"
