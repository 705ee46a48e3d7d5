"""Laws of the ER7 reader."""

from hypothesis import given
from hypothesis import strategies as st

from labohub.errors import Refused
from labohub.standards import er7

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u0085\u2028\u2029"), max_size=40)
MSH = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.5|||||FRA|UNICODE UTF-8"


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=60))
def test_what_is_escaped_comes_back(text: str) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert er7.unescape(er7.escape(text)) == expected


@given(st.lists(st.lists(TEXT.map(er7.escape), max_size=6), max_size=8))
def test_no_segment_and_no_field_is_lost(rows: list[list[str]]) -> None:
    lines = ["|".join(["ZZZ", *row]) for row in rows]
    raw = "\r".join([MSH, *lines, ""]).encode()
    read = er7.read(raw)
    assert read.raw == raw
    assert "\r".join(segment.line for segment in read) == raw.decode().rstrip("\r")
    assert [segment.fields[1:] for segment in read.all("ZZZ")] == [line.split("|")[1:] for line in lines]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for raw in (data, MSH.encode() + b"\r" + data):
        er7.read_header(raw)
        er7.split_batch(raw)
        try:
            message = er7.read(raw)
        except Refused:
            continue
        for segment in message:
            segment.components(5)
            segment.subcomponent(3, 4, 2)
