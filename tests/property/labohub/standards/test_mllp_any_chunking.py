"""Whatever the chunks, the messages are the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from labohub.standards.mllp import FrameReader, FrameTooLarge, write_frame

PAYLOADS = st.lists(
    st.binary(min_size=1, max_size=60).map(lambda data: bytes(b for b in data if b not in (0x0B, 0x1C)))
)
NOISE = st.sampled_from([b"", b"\r", b"\n", b"\0\0", b"HTTP"])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return the data cut at these places."""
    edges = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(PAYLOADS, NOISE, st.lists(st.integers(0, 3000)))
def test_messages_come_out_as_they_went_in(payloads: list[bytes], noise: bytes, places: list[int]) -> None:
    stream = b"".join(noise + write_frame(payload) for payload in payloads)
    reader = FrameReader()
    assert [frame for chunk in cut(stream, places) for frame in reader.feed(chunk)] == [
        each for each in payloads if each
    ]


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_any_bytes_give_the_same_messages_in_any_chunks(stream: bytes, places: list[int]) -> None:
    whole, pieces = FrameReader(100), FrameReader(100)

    def all_frames(reader: FrameReader, chunks: list[bytes]) -> list[bytes]:
        frames: list[bytes] = []
        try:
            for chunk in chunks:
                frames += reader.feed(chunk)
            reader.feed(b"")
        except FrameTooLarge:
            pass
        return frames

    assert all_frames(whole, [stream]) == all_frames(pieces, cut(stream, places))
