"""What must hold for any bytes. Each target raises when it does not; a refusal by one of our errors is an answer."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ingest_hl7.core.answering import answers
from ingest_hl7.core.decision import Silent
from ingest_hl7.core.intake import Policy, arrive, decide
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from labohub.errors import Refused
from labohub.standards import er7
from labohub.standards.mllp import Frame, FrameReader, FrameTooLarge

AT = datetime(2026, 3, 12, 9, 35, tzinfo=UTC)
LIMIT = 4096
BYTES = dict.fromkeys(("UNICODE UTF-8", "8859/15", "8859/1"), "latin-1")  # an answer repeats bytes, whatever they are
POLICY = Policy("test", frozenset("PT"), Registry((Sender(),)))


def frames(data: bytes) -> None:
    """The same messages and warnings in any chunks; the first byte says how the stream is cut."""
    size, stream = (data[0] % 64) + 1 if data else 1, data[1:]
    whole = _heard(FrameReader(LIMIT), [stream])
    pieces = _heard(FrameReader(LIMIT), [stream[start : start + size] for start in range(0, len(stream), size)])
    assert whole == pieces
    for frame in whole:
        assert 0 < len(frame.payload) <= LIMIT
        assert b"\x0b" not in frame.payload
        assert b"\x1c\r" not in frame.payload
    _heard(FrameReader(LIMIT, end_without_cr=True), [stream])


def _heard(reader: FrameReader, chunks: list[bytes]) -> list[Frame]:
    found: list[Frame] = []
    try:
        for chunk in chunks:
            found += reader.read(chunk)
            assert reader.pending_bytes <= LIMIT + 1
            if reader.head_of_unreturned:
                assert reader.inside
    except FrameTooLarge:
        assert not reader.pending_bytes
    return found


def message(data: bytes) -> None:
    """A message is refused, or read whole: its lines give its text back, and every leaf can be asked for."""
    header = er7.read_header(data)
    er7.guess(data)
    for fallback in ("", "iso8859-15"):
        try:
            read = er7.read(data, fallback=fallback)
        except Refused:
            continue
        assert header is not None
        assert read.raw == data
        assert read.segments[0].name == "MSH"
        _touch(read)
        if not read.warnings:
            assert "\r".join(segment.line for segment in read) + "\r" == data.decode(read.codec)


def _touch(read: er7.Message) -> None:
    for segment in read:
        assert segment.delimiters.field.join(segment.fields[2 if segment.name == "MSH" else 1 :]) in segment.line
        assert segment in read.all(segment.name)
        for number in range(1, min(len(segment.fields), 40)):
            segment.value(number)
            for repetition in range(1, min(len(segment.repetitions(number)), 5) + 1):
                for position in range(1, min(len(segment.components(number, repetition)), 12) + 1):
                    text = segment.component(number, position, repetition)
                    assert text == text.strip()
                    segment.subcomponent(number, position, 2, repetition)
    text = read.segments[-1].value(1)
    assert er7.unescape(er7.escape(text)) == text.replace("\r\n", "\n").replace("\r", "\n")


def batch(data: bytes) -> None:
    """The messages of a batch are pieces of it, in order, each beginning with MSH."""
    try:
        found = er7.split_batch(data)
    except Refused:
        return
    if found is None:
        return
    at = 0
    for one in found.messages:
        assert one.startswith(b"MSH")
        at = data.index(one, at) + len(one)
    assert found.miscounted in ("", "BTS^1^1", "FTS^1^1")


def decision(data: bytes) -> None:
    """Any message gets a decision, whose answer is a message that names the one it answers."""
    arrival = arrive(data, POLICY, AT)
    decided, _ = decide(arrival, POLICY)
    given = answers(arrival, decided, AT)
    assert isinstance(decided, Silent) == (given.code == "")
    for answer in given.frames:
        read = er7.read(answer, aliases=BYTES)
        assert set(read.warnings) <= {"er7.charset-alias", "er7.charset-c1-controls", "er7.control-character"}
        msa = read.first("MSA")
        assert msa is not None
        assert msa.field(1)[1:] in ("A", "E", "R")
        assert len(read.all("MSA")) == 1
        assert [len(segment.fields) for segment in read.all("ERR")] <= [9] * 10
        if arrival.header is not None and arrival.header.delimiters.is_usual:
            assert msa.text(arrival.header.field(10)) in (msa.value(2), "") or "er7.control-character" in read.warnings


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "frames": frames,
    "message": message,
    "batch": batch,
    "decision": decision,
}
