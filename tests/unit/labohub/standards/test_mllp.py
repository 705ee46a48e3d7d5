"""Frames cut out of a byte stream."""

import time

import pytest

from labohub.standards.mllp import FrameReader, FrameTooLarge, write_frame


def test_a_frame_is_found_whatever_surrounds_it() -> None:
    reader = FrameReader()
    assert reader.feed(b"\r\n\0noise" + write_frame(b"A") + b"\r\r" + write_frame(b"B")) == [b"A", b"B"]
    assert reader.noise_bytes == len(b"\r\n\0noise\r\r")
    assert not reader.inside


def test_bytes_without_a_start_are_noise() -> None:
    reader = FrameReader()
    assert reader.feed(b"MSH|^~\\&|\x1c\r") == []
    assert reader.noise_bytes == 11


def test_a_lone_end_character_inside_is_data() -> None:
    assert FrameReader().feed(b"\x0bA\x1cB\x1c\r") == [b"A\x1cB"]


def test_an_end_without_return_waits_unless_the_peer_is_known_for_it() -> None:
    assert FrameReader().feed(b"\x0bA\x1c") == []
    assert FrameReader(end_without_cr=True).feed(b"\x0bA\x1c\x0bB\x1c") == [b"A", b"B"]


def test_an_end_without_return_before_a_new_start_is_an_end() -> None:
    assert FrameReader().feed(b"\x0bA\x1c\x0bB\x1c\r") == [b"A", b"B"]


def test_a_start_inside_a_frame_drops_what_was_never_finished() -> None:
    reader = FrameReader()
    assert reader.feed(b"\x0bcut\x0bwhole\x1c\r") == [b"whole"]
    assert reader.restarted_frames == 1


def test_an_empty_block_is_no_message() -> None:
    assert FrameReader().feed(b"\x0b\x1c\r" + write_frame(b"A")) == [b"A"]


def test_the_limit_holds_with_and_without_an_end() -> None:
    with pytest.raises(FrameTooLarge):
        FrameReader(10).feed(write_frame(b"A" * 11))
    reader = FrameReader(10)
    reader.feed(b"\x0b" + b"A" * 11)
    with pytest.raises(FrameTooLarge):
        reader.feed(b"A")
    assert FrameReader(10).feed(write_frame(b"A" * 10)) == [b"A" * 10]


def test_messages_before_a_frame_too_large_are_not_lost() -> None:
    reader = FrameReader(10)
    assert reader.feed(write_frame(b"A") + b"\x0b" + b"B" * 50) == [b"A"]
    with pytest.raises(FrameTooLarge):
        reader.feed(b"")


def test_fifty_megabytes_in_small_pieces_cost_linear_time() -> None:
    def seconds(megabytes: int) -> float:
        reader, piece = FrameReader(1 << 30), b"A" * 1460
        started = time.process_time()
        reader.feed(b"\x0b")
        for _ in range(megabytes * 1_000_000 // len(piece)):
            reader.feed(piece)
        assert len(reader.feed(b"\x1c\r")) == 1
        return time.process_time() - started

    small, large = seconds(5), seconds(50)
    assert large < max(small, 0.01) * 60  # ten times more, not a hundred
