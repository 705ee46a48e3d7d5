"""The SGL simulator over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from labosim.faults import Faults
from labosim.pki import Pki
from labosim.sgl import Sender, SglSimulator, send_all
from labosim.sgl.frames import FrameBroken, StrictFrames, frame
from labosim.sgl.sender import NotAcknowledged

ZAM = (
    "MSH|^~\\&|PFI|HUB|SGL-A|LBM-A|20260312101640||ZAM^Z01^ZAM_Z01|PFI-1|P|2.6|||||FRA|UNICODE UTF-8"
    "|||2.1^CISIS_CDA_HL7_V2\r"
    "EVN||20260312101639\r"
    "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé de réception DMP^AckMetierZAM|SGL-1|Y^^expandedYes-NoIndicator||||||F\r"
).encode()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def sgl(tmp_path: Path, faults: Faults) -> AsyncIterator[SglSimulator]:
    simulator = SglSimulator(host="127.0.0.1", port=0, pki=Pki(tmp_path), faults=faults)
    await simulator.start()
    yield simulator
    await simulator.stop()


async def test_a_conforming_zam_is_accepted_and_kept(sgl: SglSimulator) -> None:
    [ack] = await send_all([ZAM], sgl.host, sgl.port)

    assert (ack.code, ack.control_id) == ("AA", "PFI-1")
    assert b"ACK^Z01^ACK" in ack.raw
    assert [(message.message_type, message.defects) for message in sgl.messages] == [("ZAM^Z01^ZAM_Z01", [])]
    assert "Accusé de réception DMP" in sgl.messages[0].er7


@pytest.mark.parametrize(
    ("old", "new", "defect"),
    [
        (b"EVN||20260312101639\r", b"", "EVN-2 missing"),
        (b"|Y^^", b"|N^^", "ERR present only with N"),
        (b"ACK_RECEPTION_DMP^", b"ACK_LECTURE_MSS^", "OBX[1]-3 code"),
        (b"|SGL-1|", b"||", "OBX[1]-4 control id of the request"),
        (b"|||2.1^CISIS_CDA_HL7_V2", b"", "MSH-21 profile"),
    ],
)
async def test_a_zam_that_breaks_the_volet_is_answered_ae(
    sgl: SglSimulator, old: bytes, new: bytes, defect: str
) -> None:
    [ack] = await send_all([ZAM.replace(old, new)], sgl.host, sgl.port)

    assert ack.code == "AE"
    assert sgl.messages[0].defects == [defect]


async def test_a_refusal_for_now_is_tried_again(sgl: SglSimulator, faults: Faults) -> None:
    faults.order("sgl", "AR", seconds=60)
    async with Sender(sgl.host, sgl.port, refusal_attempts=2) as sender:
        ack = await sender.send(ZAM)

    assert (ack.code, ack.attempts) == ("AR", 2)
    assert [message.answer for message in sgl.messages] == ["AR", "AR"]


async def test_a_cut_connection_is_opened_again_and_the_message_repeated(sgl: SglSimulator, faults: Faults) -> None:
    faults.order("sgl", "cut", seconds=60)
    async with Sender(sgl.host, sgl.port) as sender:
        sending = asyncio.create_task(sender.send(ZAM))
        while not sgl.messages:
            await asyncio.sleep(0)
        faults.clear()
        ack = await sending

    assert (ack.code, ack.attempts) == ("AA", 2)


async def test_a_silent_peer_ends_the_sender_s_patience(sgl: SglSimulator, faults: Faults) -> None:
    faults.order("sgl", "silent", seconds=60)
    async with Sender(sgl.host, sgl.port, answer_timeout_seconds=0.05, patience_seconds=0.1) as sender:
        with pytest.raises(NotAcknowledged):
            await sender.send(ZAM)


async def test_a_pipeline_is_answered_in_order(sgl: SglSimulator) -> None:
    zams = [ZAM.replace(b"PFI-1", b"PFI-%d" % number) for number in range(1, 21)]
    async with Sender(sgl.host, sgl.port) as sender:
        acks = await sender.pipeline(zams)

    assert [ack.control_id for ack in acks] == [f"PFI-{number}" for number in range(1, 21)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_frames_are_cut_whatever_the_chunks(size: int) -> None:
    stream = frame(b"one\r") + frame(b"two\r")
    reader = StrictFrames()
    messages = [message for at in range(0, len(stream), size) for message in reader.feed(stream[at : at + size])]

    assert messages == [b"one\r", b"two\r"]
    assert reader.is_between_frames


@pytest.mark.parametrize("stream", [b"x", frame(b"a") + b"\n", b"\x0b\x0b\x1c\r"])
def test_bytes_that_the_protocol_does_not_allow_are_refused(stream: bytes) -> None:
    with pytest.raises(FrameBroken):
        StrictFrames().feed(stream)


def test_a_frame_without_end_is_refused_at_the_limit() -> None:
    reader = StrictFrames(max_frame_bytes=10)
    reader.feed(b"\x0b123456789")
    with pytest.raises(FrameBroken):
        reader.feed(b"0")
