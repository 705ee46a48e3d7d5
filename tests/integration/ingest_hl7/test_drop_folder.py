"""Messages as files: in order, once, only when whole; moved only when durable."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest_hl7.adapters.drop_files import DropFiles, Found
from ingest_hl7.adapters.drop_folder import DropFolder
from labohub.standards.mllp import FrameReader, write_frame
from tests.support.ingest import Running, errors, msa, relay_message, results_message, running

SENDERS = """
[[sender]]
application = "*"

[[sender]]
application = "SGL-REMPARTS"
name = "remparts"
drop_folder = "remparts"
biologist = { identifier = "99700005014", identifier_type = "RPPS", family_name = "LEGUEN" }
"""


@asynccontextmanager
async def dropping(folder: Path, **settings: Any) -> AsyncIterator[tuple[Running, DropFolder, Path]]:
    """Run the service with a drop folder that is looked at only when the test says so."""
    (folder / "senders.toml").write_text(SENDERS)
    given = {"drop_poll_seconds": 3600.0, "drop_quiet_seconds": 0.0, "drop_stalled_seconds": 0.0, **settings}
    drop = folder / "drop"
    async with running(folder / "data", drop_folder=drop, senders=folder / "senders.toml", **given) as hub:
        listener = next(each for each in hub.service.listeners if isinstance(each, DropFolder))
        await listener.look()
        yield hub, listener, drop


def put(folder: Path, name: str, data: bytes, *, second: int = 0) -> None:
    """Write a file as senders should: under another name, then renamed."""
    partial = folder / f"{name}.tmp"
    partial.write_bytes(data)
    os.utime(partial, (1_700_000_000 + second,) * 2)
    partial.rename(folder / name)


async def test_a_dropped_message_is_answered_beside_and_moved_once_durable(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        put(drop, "one.hl7", results_message("F-1"))
        assert await listener.look() == 1
        assert msa((drop / "acks/one.hl7.ack").read_bytes()) == ("AA", "F-1")
        assert (drop / "done/one.hl7").read_bytes() == results_message("F-1")
        assert not (drop / "one.hl7").exists()
        assert [row["control_id"] for row in await hub.rows("messages")] == ["F-1"]


async def test_a_refused_message_goes_to_refused_with_its_reason(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (_, listener, drop):
        put(drop, "bad.er7", results_message("F-2", value="quatre"))
        assert await listener.look() == 1
        assert (drop / "refused/bad.er7").exists()
        assert errors((drop / "acks/bad.er7.ack").read_bytes())[0][0] == "102"


async def test_a_framed_stream_is_answered_message_by_message_in_frames(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (_, listener, drop):
        stream = write_frame(results_message("S-1")) + b"\r\n" + write_frame(results_message("S-2", demand="D2"))
        put(drop, "stream.hl7", stream)
        assert await listener.look() == 1
        answers = FrameReader().feed((drop / "acks/stream.hl7.ack").read_bytes())
        assert [msa(answer) for answer in answers] == [("AA", "S-1"), ("AA", "S-2")]


async def test_a_batch_file_is_taken_whole_and_a_cut_one_not_at_all(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        body = results_message("B-1") + results_message("B-2", demand="D2")
        put(drop, "cut.hl7", b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + body, second=1)
        put(drop, "whole.hl7", b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + body + b"BTS|2\rFTS|1\r", second=2)
        assert await listener.look() == 2
        assert (drop / "refused/cut.hl7").exists()
        assert (drop / "done/whole.hl7").exists()
        assert len(await hub.rows("messages")) == 2


async def test_files_are_taken_in_the_order_of_their_writing(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        for second, name in ((3, "a.hl7"), (1, "c.hl7"), (2, "b.hl7")):
            put(drop, name, results_message(f"O-{second}", demand=f"D{second}"), second=second)
        assert await listener.look() == 3
        rows = sorted(await hub.rows("messages"), key=lambda row: row["received_at"])
        assert [row["control_id"] for row in rows] == ["O-1", "O-2", "O-3"]


async def test_a_file_still_being_written_is_left_alone_and_holds_back_the_later_ones(tmp_path: Path) -> None:
    async with dropping(tmp_path, drop_quiet_seconds=0.2) as (hub, listener, drop):
        half = results_message("H-1")
        put(drop, "early.hl7", half[:200], second=1)
        put(drop, "late.hl7", results_message("H-2", demand="D2"), second=2)
        assert await listener.look() == 0
        (drop / "early.hl7").write_bytes(half)  # its writer goes on
        os.utime(drop / "early.hl7", (1_700_000_001,) * 2)
        assert await listener.look() == 0
        async with asyncio.timeout(10):
            while await listener.look() == 0:
                await asyncio.sleep(0.05)
        rows = sorted(await hub.rows("messages"), key=lambda row: row["received_at"])
        assert [row["control_id"] for row in rows] == ["H-1", "H-2"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b" + results_message("C-1"),
        results_message("C-2").rstrip(b"\r"),
        b"",
        b"\x0b\x1c\r",
    ],
    ids=["open block", "open line", "empty", "empty block"],
)
async def test_a_cut_file_waits_for_its_writer_then_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    async with dropping(tmp_path, drop_stalled_seconds=0.2) as (hub, listener, drop):
        put(drop, "cut.hl7", data)
        assert await listener.look() == 0
        assert (drop / "cut.hl7").exists()
        async with asyncio.timeout(10):
            while await listener.look() == 0:
                await asyncio.sleep(0.05)
        assert (drop / "refused/cut.hl7").read_bytes() == data
        assert b"MSA|AE" in (drop / "acks/cut.hl7.ack").read_bytes()
        assert await hub.rows("messages") == []


async def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    async with dropping(tmp_path, drop_max_bytes=1000) as (hub, listener, drop):
        put(drop, "big.hl7", results_message("L-1") * 3)
        assert await listener.look() == 1
        assert (drop / "refused/big.hl7").stat().st_size > 1000
        assert await hub.rows("messages") == []


async def test_links_are_never_followed(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        secret = tmp_path / "secret.txt"
        secret.write_bytes(results_message("LINK"))
        (drop / "link.hl7").symlink_to(secret)
        os.mkfifo(drop / "pipe.hl7")
        assert await listener.look() == 0
        assert secret.exists()
        assert await hub.rows("messages") == []
    (tmp_path / "other").symlink_to(tmp_path / "drop")
    with pytest.raises(NotADirectoryError):
        DropFiles(tmp_path / "other")


async def test_a_senders_folder_speaks_for_that_sender_alone(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (_, listener, drop):
        other = results_message("P-2").replace(b"SGL-REMPARTS", b"SGL-AUTRE")
        put(drop / "remparts", "own.hl7", results_message("P-1"), second=1)
        put(drop / "remparts", "other.hl7", other, second=2)
        assert await listener.look() == 2
        assert (drop / "remparts/done/own.hl7").exists()
        assert errors((drop / "remparts/acks/other.hl7.ack").read_bytes()) == [("207", "MSH^1^3", "E")]


async def test_a_crash_between_commit_and_move_repeats_the_file_and_not_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_once = relay_message("K-1")
    async with dropping(tmp_path) as (hub, listener, drop):
        put(drop, "k.hl7", put_once)

        def killed(self: DropFiles, found: Found, ack: bytes, outcome: str) -> bool:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(DropFiles, "finish", killed)
            with pytest.raises(KeyboardInterrupt):
                await listener.look()
        first = await hub.rows("messages")
        assert (drop / "k.hl7").exists()
        assert len(first) == 1
    async with dropping(tmp_path) as (hub, listener, drop):
        await listener.look()
        assert (drop / "done/k.hl7").read_bytes() == put_once
        assert [row["message_id"] for row in await hub.rows("messages")] == [first[0]["message_id"]]
        assert (drop / "acks/k.hl7.ack").read_bytes() == first[0]["answers"].rstrip(b"\x1c")


async def test_nothing_moves_while_the_store_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        put(drop, "a.hl7", results_message("N-1"), second=1)
        put(drop, "b.hl7", results_message("N-2", demand="D2"), second=2)

        async def down(*_: Any) -> Any:
            raise OSError("disk full")

        with monkeypatch.context() as patch:
            patch.setattr(type(hub.platform.blobs), "put_many", down)
            assert await listener.look() == 0
        assert sorted(path.name for path in drop.glob("*.hl7")) == ["a.hl7", "b.hl7"]
        assert await listener.look() == 2


async def test_a_name_used_again_overwrites_no_former_file(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (_, listener, drop):
        put(drop, "r.hl7", results_message("R-1"))
        await listener.look()
        put(drop, "r.hl7", results_message("R-2", demand="D2"))
        await listener.look()
        assert len(list((drop / "done").glob("r*.hl7"))) == 2
        assert msa((drop / "acks/r.hl7.ack").read_bytes()) == ("AA", "R-2")


def test_a_file_replaced_while_it_was_taken_stays_for_the_next_look(tmp_path: Path) -> None:
    with DropFiles(tmp_path / "drop") as files:
        put(tmp_path / "drop", "x.hl7", b"first")
        found = files.read("x.hl7", 100)
        assert found is not None
        put(tmp_path / "drop", "x.hl7", b"second")
        assert not files.finish(found, b"ack", "done")
        assert (tmp_path / "drop/x.hl7").read_bytes() == b"second"
