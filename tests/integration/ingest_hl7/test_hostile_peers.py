"""Hostile peers on real sockets: honest senders keep getting their acknowledgements, and memory stays bounded."""

import asyncio
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from labohub.standards.mllp import write_frame
from tests.support.hostile_peers import Target, attacker, pour, target, under_attack
from tests.support.ingest import results_message

MEGABYTE = 1 << 20
ROOM_MB = 250  # what an attack may add to the memory of the service
SLOWEST_SECONDS = 5.0  # for an honest acknowledgement, on two cores shared with the attackers


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The service as a process, with short patience so that the tests are short too."""
    limits = {
        "frame_timeout_seconds": 1.5,
        "whole_frame_timeout_seconds": 3,
        "max_buffered_bytes": 64 * MEGABYTE,
        "max_connections": 512,
        "max_connections_per_address": 500,
    }
    with target(tmp_path_factory.mktemp("hostile"), **limits) as running:
        yield running


def assert_unharmed(seen: object, hub: Target, before_mb: float) -> None:
    waits, peak = seen.waits, seen.peak_rss_mb  # type: ignore[attr-defined]
    assert len(waits) >= 30
    assert max(waits) < SLOWEST_SECONDS
    assert max(peak, hub.rss_mb) - before_mb < ROOM_MB


async def test_bytes_that_trickle_one_by_one_end_with_the_patience_for_a_whole_message(hub: Target) -> None:
    async def slowloris() -> None:
        async with AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(attacker(hub.port)) for _ in range(100)]
            left = set(range(100))
            for _, writer in peers:
                writer.write(b"\x0bMSH|^~\\&|")
            while left:
                await asyncio.sleep(0.2)
                for rank in list(left):
                    reader, writer = peers[rank]
                    writer.write(b"A")
                    if reader.at_eof() or writer.is_closing():
                        left.discard(rank)

    before = hub.rss_mb
    seen = await under_attack(hub, slowloris)
    assert_unharmed(seen, hub, before)
    assert len(await hub.closed_for("frame-too-slow", 90)) >= 90


async def test_a_frame_of_a_gigabyte_is_given_up_at_the_limit(hub: Target) -> None:
    taken: list[int] = []

    async def flood() -> None:
        taken.append(await pour(hub.port, b"A" * MEGABYTE, 1024 * MEGABYTE, b"\x0bMSH|^~\\&|"))
        taken.append(await pour(hub.port, b"A" * MEGABYTE, 1024 * MEGABYTE))  # without a start: noise

    before = hub.rss_mb
    seen = await under_attack(hub, flood)
    assert_unharmed(seen, hub, before)
    assert taken[0] < 64 * MEGABYTE
    assert taken[1] < 32 * MEGABYTE
    assert await hub.closed_for("mllp.frame-too-large")
    assert await hub.closed_for("noise")


async def test_many_messages_that_never_end_cost_the_largest_its_place(hub: Target) -> None:
    async def hoard() -> None:
        await asyncio.gather(*(pour(hub.port, b"A" * MEGABYTE, 16 * MEGABYTE, b"\x0bMSH|^~\\&|") for _ in range(30)))
        await hub.closed_for("memory-full")

    before = hub.rss_mb
    seen = await under_attack(hub, hoard)
    assert_unharmed(seen, hub, before)


async def test_a_thousand_silent_connections_keep_nobody_out(hub: Target) -> None:
    async def crowd() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(1000):
                await stack.enter_async_context(attacker(hub.port))
            async with attacker(hub.port, local_addr=("127.0.0.3", 0)) as (reader, writer):
                writer.write(write_frame(results_message("CROWD", demand="DCROWD")))
                assert b"MSA|AA|CROWD" in await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)

    before = hub.rss_mb
    seen = await under_attack(hub, crowd)
    assert_unharmed(seen, hub, before)


async def test_a_full_house_makes_room_for_a_newcomer_by_the_oldest_stranger(tmp_path: Path) -> None:
    with target(tmp_path, max_connections=20, max_connections_per_address=20) as small:
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(attacker(small.port)) for _ in range(20)]
            async with attacker(small.port, local_addr=("127.0.0.3", 0)) as (reader, writer):
                writer.write(write_frame(results_message()))
                assert b"MSA|AA|" in await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)
                assert await asyncio.wait_for(_is_cut(crowd[0][0]), 20)
                view = await small.connections()
    assert [line["close_reason"] for line in view if line["state"] == "closed"] == ["made-room"]
    assert sum(line["state"] == "open" for line in view) == 20


async def test_half_open_and_reset_connections_leave_nothing_behind(hub: Target) -> None:
    async def vanish() -> None:
        for rank in range(60):
            abandoned = socket.create_connection(("127.0.0.1", hub.port))
            abandoned.sendall(b"\x0bMSH|^~\\&|half")
            if rank % 2:  # a reset instead of an end
                abandoned.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                abandoned.shutdown(socket.SHUT_WR)
            abandoned.close()
        async with attacker(hub.port) as (reader, writer):  # neither end nor reset: its machine is gone
            writer.write(b"\x0bMSH|^~\\&|half")
            assert await _is_cut(reader)

    before = hub.rss_mb
    seen = await under_attack(hub, vanish)
    assert_unharmed(seen, hub, before)
    assert await hub.closed_for("silence")
    async with asyncio.timeout(20):
        while any(line["state"] != "closed" and line["unfinished_bytes"] for line in await hub.connections()):
            await asyncio.sleep(0.05)


async def test_garbage_is_noise_or_a_refusal(hub: Target) -> None:
    chance = random.Random(7)

    async def garbage() -> None:
        for _ in range(40):
            junk = chance.randbytes(20_000)
            async with attacker(hub.port) as (reader, writer):
                with suppress(ConnectionError):
                    writer.write(
                        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + junk + write_frame(b"not HL7") + b"\x1c\x0b\x0b\x1c\r"
                    )
                    answer = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)
                    assert b"MSA|AE|" in answer

    before = hub.rss_mb
    seen = await under_attack(hub, garbage)
    assert_unharmed(seen, hub, before)


async def test_garbage_on_the_tls_port_is_no_handshake(hub: Target) -> None:
    chance = random.Random(8)

    async def garbage() -> None:
        hello = bytes.fromhex("16030100c8010000c40303") + chance.randbytes(300)
        for _ in range(20):
            for junk in (
                chance.randbytes(2_000),
                write_frame(results_message()),
                hello,
                b"\x15\x03\x01\x00\x02\x02\x28",
            ):
                async with attacker(hub.tls_port) as (reader, writer):
                    with suppress(ConnectionError):
                        writer.write(junk)
                        writer.write_eof()
                        while await asyncio.wait_for(reader.read(4096), 20):
                            pass
        async with AsyncExitStack() as stack:  # they connect and say nothing at all
            for _ in range(100):
                await stack.enter_async_context(attacker(hub.tls_port))
            await asyncio.sleep(0.5)

    before = hub.rss_mb
    seen = await under_attack(hub, garbage)
    assert_unharmed(seen, hub, before)
    assert await hub.closed_for("tls-handshake", 20)


async def _is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        return not await reader.read(100)
    except ConnectionError:
        return True
