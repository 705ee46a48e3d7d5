"""Whatever the chunks, the messages are the same."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from labohub.standards.mllp import Frame, FrameReader, FrameTooLarge, write_frame

PAYLOADS = st.lists(
    st.binary(min_size=1, max_size=60).map(lambda data: bytes(b for b in data if b not in (0x0B, 0x1C)))
)
NOISE = st.sampled_from([b"", b"\r", b"\n", b"\0\0", b"HTTP"])
PIECES = st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"\0", b"MSH|", b"A" * 30, b"\x1c\r"]), max_size=60)
LIMIT = 100


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return the data cut at these places."""
    edges = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


def heard(reader: FrameReader, chunks: list[bytes]) -> list[Frame]:
    """Return the frames read until the reader gives up."""
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            frames += reader.read(chunk)
            assert reader.pending_bytes <= LIMIT + 1
        reader.read(b"")
    except FrameTooLarge:
        assert not reader.pending_bytes
    return frames


@given(PAYLOADS, NOISE, st.lists(st.integers(0, 3000)))
def test_messages_come_out_as_they_went_in(payloads: list[bytes], noise: bytes, places: list[int]) -> None:
    stream = b"".join(noise + write_frame(payload) for payload in payloads)
    reader = FrameReader()
    assert [frame for chunk in cut(stream, places) for frame in reader.feed(chunk)] == [
        each for each in payloads if each
    ]


@given(st.one_of(st.binary(max_size=400), PIECES.map(b"".join)), st.lists(st.integers(0, 400)))
@example(b"\x0bA\x0b\x0bB\x0b\x1c\r", [2, 4])
@example(b"x\x0b" + b"A" * 99 + b"\x1c\r\x0bB\x1c\r", [50])
def test_any_bytes_give_the_same_messages_and_warnings_in_any_chunks(stream: bytes, places: list[int]) -> None:
    whole, pieces = FrameReader(LIMIT), FrameReader(LIMIT)
    frames = heard(whole, [stream])
    assert frames == heard(pieces, cut(stream, places))
    if all(0 < len(frame.payload) <= LIMIT for frame in frames) and whole.pending_bytes == pieces.pending_bytes:
        assert (whole.noise_bytes, whole.restarted_frames) == (pieces.noise_bytes, pieces.restarted_frames)


@given(st.one_of(st.binary(max_size=400), PIECES.map(b"".join)), st.lists(st.integers(0, 400)))
def test_every_byte_is_of_a_message_a_sign_of_its_block_or_counted(stream: bytes, places: list[int]) -> None:
    reader = FrameReader(1000)
    frames = heard_unbounded(reader, cut(stream, places))
    kept = sum(len(frame.payload) for frame in frames) + reader.pending_bytes
    signs = len(stream) - kept - reader.noise_bytes
    blocks = stream.count(b"\x0b")
    assert 0 <= signs <= 3 * blocks  # VT, FS, CR


def heard_unbounded(reader: FrameReader, chunks: list[bytes]) -> list[Frame]:
    """Return the frames of a stream shorter than the limit."""
    return [frame for chunk in chunks for frame in reader.read(chunk)]
