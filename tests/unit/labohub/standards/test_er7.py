"""ER7 read without loss."""

import time
from pathlib import Path

import pytest

from labohub.errors import Refused
from labohub.standards import er7
from tests.support.ingest import relay_message, results_message

MSH = "MSH|^~\\&|SGL|LABO^990000911^N|HUB|PFI|20260312||ORU^R01^ORU_R01|42|P|2.5.1|||||FRA|UNICODE UTF-8"


def message(*lines: str, charset: str = "utf-8", end: str = "\r") -> er7.Message:
    return er7.read(end.join((MSH, *lines, "")).encode(charset))


def test_fields_have_the_numbers_of_the_standard() -> None:
    read = message("PID|1||A^^^X&1.2&ISO^PI~B")
    assert read.header.field(1) == "|"
    assert read.header.field(2) == "^~\\&"
    assert read.header.component(4, 2) == "990000911"
    pid = read.all("PID")[0]
    assert pid.subcomponent(3, 4, 2) == "1.2"
    assert pid.component(3, 1, 2) == "B"
    assert pid.component(3, 1, 3) == pid.component(3, 9) == pid.field(99) == pid.component(99, 1) == ""


def test_segments_know_their_rank_among_those_of_their_name() -> None:
    read = message("OBX|1", "NTE|1", "OBX|2")
    assert [segment.location for segment in read] == ["MSH^1", "OBX^1", "NTE^1", "OBX^2"]


def test_escapes_are_decoded_once_on_leaves_and_unknown_ones_kept() -> None:
    read = message("NTE|1||a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g\\X41\\\\Zx\\ C:\\dir")
    assert read.all("NTE")[0].value(3) == "a|b^c&d~e\\f\ngA\\Zx\\ C:\\dir"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_other_line_ends_are_read_with_a_warning(end: str) -> None:
    read = message("PID|1", end=end)
    assert [segment.name for segment in read] == ["MSH", "PID"]
    assert read.warnings == ("er7.line-feed",)


def test_base64_wrapped_over_lines_is_one_value_again() -> None:
    read = message("OBX|1|ED|C||^TEXT^XML^Base64^QUJD\r\nREVG\r\nR0hJ||||||F", "NTE|1")
    assert read.all("OBX")[0].components(5)[4] == "QUJDREVGR0hJ"
    assert read.all("OBX")[0].field(11) == "F"
    assert "er7.wrapped-data" in read.warnings


@pytest.mark.parametrize("line", ["NTE|1||text\nNTX and more", "OBX|1|TX|C||text\nmore||||||F", "PID|1\nlower"])
def test_a_broken_line_elsewhere_is_refused_and_never_glued(line: str) -> None:
    with pytest.raises(er7.StrayLine) as caught:
        message(line)
    assert caught.value.location == f"{line[:3]}^1"


def test_data_of_an_ed_is_cut_four_times_at_most() -> None:
    read = message("OBX|1|ED|C||a^b^c^Base64^A^B^C")
    assert read.all("OBX")[0].components(5) == ["a", "b", "c", "Base64", "A^B^C"]


def test_separators_are_read_from_the_message_even_beyond_ascii() -> None:
    read = er7.read("MSH|^˜\\&|A|B|||1||X^Y|1|P|2.5|||||FRA|UNICODE UTF-8\rPID|||1˜2".encode())
    assert read.all("PID")[0].repetitions(3) == ["1", "2"]
    assert "er7.unusual-separators" in read.warnings


@pytest.mark.parametrize("msh_2", ["^^\\&", "", "^~ &", "A~\\&"])
def test_separators_that_cannot_be_told_apart_are_refused(msh_2: str) -> None:
    with pytest.raises(er7.Er7Malformed) as caught:
        er7.read(f"MSH|{msh_2}|A|B|||1||X^Y|1|P|2.5\r".encode())
    assert caught.value.location in ("MSH^1^2", "MSH^1")


@pytest.mark.parametrize(
    ("msh_18", "codec", "text"),
    [("8859/15", "iso8859-15", "œ €"), ("8859/1", "latin-1", "é µ"), ("UNICODE UTF-8", "utf-8", "Ω 血")],
)
def test_each_character_set_is_decoded_as_declared(msh_18: str, codec: str, text: str) -> None:
    raw = f"{MSH.replace('UNICODE UTF-8', msh_18)}\rNTE|1||{text}\r".encode(codec)
    assert er7.read(raw).all("NTE")[0].value(3) == text


def test_bytes_that_are_not_what_they_claim_are_refused() -> None:
    with pytest.raises(er7.Undecodable):
        message("NTE|1||é", charset="latin-1")
    with pytest.raises(er7.CharsetUnknown):
        er7.read(MSH.replace("UNICODE UTF-8", "UTF8").encode())


def test_a_sender_may_have_its_own_names_and_a_fallback() -> None:
    raw = (MSH.replace("UNICODE UTF-8", "UTF8") + "\r").encode()
    assert er7.read(raw, aliases={"UTF8": "utf-8"}).warnings == ("er7.charset-alias",)
    bare = (MSH.replace("UNICODE UTF-8", "") + "\rNTE|1||é").encode("iso8859-15")
    assert er7.read(bare, fallback="iso8859-15").all("NTE")[0].value(3) == "é"
    with pytest.raises(er7.Undecodable):
        er7.read(bare)


def test_windows_characters_under_a_latin_name_are_warned_of() -> None:
    raw = (MSH.replace("UNICODE UTF-8", "8859/1") + "\rNTE|1||").encode() + b"l\x92\xe2ge\r"
    assert er7.read(raw).warnings == ("er7.charset-c1-controls",)


def test_no_break_spaces_around_an_identifier_are_no_part_of_it() -> None:
    assert message("PRT|1||990000911\u00a0\u00a0 ").all("PRT")[0].component(3, 1) == "990000911"


def test_a_batch_gives_its_messages_and_counts() -> None:
    one = MSH + "\rPID|1\r"
    batch = er7.split_batch(f"FHS|^~\\&\rBHS|^~\\&\r{one}{one}BTS|2\rFTS|1\r".encode())
    assert batch is not None
    assert ([each.decode() for each in batch.messages], batch.count, batch.batches) == ([one, one], 2, 1)
    assert er7.split_batch(one.encode()) is None


def test_messages_one_after_another_are_a_batch_without_header() -> None:
    one = MSH + "\rPID|1\r"
    batch = er7.split_batch((one + one).encode())
    assert batch is not None
    assert (batch.messages, batch.has_header, batch.miscounted) == ((one.encode(), one.encode()), False, "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("BHS|^~\\&\r{one}{one}BTS|2\rBHS|^~\\&\r{one}BTS|1\rFTS|2\r", ""),
        ("BHS|^~\\&\r{one}BTS|2\r", "BTS^1^1"),
        ("BHS|^~\\&\r{one}BTS|deux\rBHS|^~\\&\r{one}BTS|3\r", "BTS^1^1"),
        ("FHS|^~\\&\rBHS|^~\\&\r{one}BTS|1\rFTS|2\r", "FTS^1^1"),
        ("FHS|^~\\&\r\nBHS|^~\\&\r\n{one}\n", ""),
    ],
)
def test_what_the_trailers_announce_is_counted(text: str, place: str) -> None:
    batch = er7.split_batch(text.format(one=MSH + "\rPID|1\r").encode())
    assert batch is not None
    assert batch.miscounted == place


def test_a_batch_is_bounded() -> None:
    with pytest.raises(er7.BatchTooLarge):
        er7.split_batch(b"BHS|^~\\&\r" + b"MSH|^~\\&\r" * 10_002)


PID = "PID|1||A|B"
BODY = f"{MSH}\r{PID}\r"


@pytest.mark.parametrize(
    ("raw", "warning"),
    [
        (b"\xef\xbb\xbf" + BODY.encode(), "er7.byte-order-mark"),
        (("\r\n" + BODY).encode(), "er7.blank-line"),
        ((" \0" + BODY).encode(), "er7.blank-line"),
        (f"{MSH}\r\r{PID}\r".encode(), "er7.blank-line"),
        (f"{BODY}\r".encode(), "er7.blank-line"),
        (f"{MSH}\r\n{PID}\n".encode(), "er7.line-feed"),
        (f"{MSH}\r{PID}".encode(), "er7.last-terminator-missing"),
        *((f"{MSH}\rPID|1||A{sign}|B\r".encode(), "er7.control-character") for sign in "\x00\x01\x0b\x0c\x1b\x1c\x1e"),
    ],
)  # fmt: skip
def test_each_tolerance_leaves_its_code_and_the_same_fields(raw: bytes, warning: str) -> None:
    read = er7.read(raw)
    assert warning in read.warnings
    assert len(read.warnings) == 1
    assert [segment.fields for segment in read.all("PID")] == [["PID", "1", "", "A", "B"]]
    assert read.raw == raw


def test_a_clean_message_has_no_warning_and_tabulations_stay() -> None:
    read = message("NTE|1||a\tb")
    assert read.warnings == ()
    assert read.all("NTE")[0].value(3) == "a\tb"


def test_a_byte_order_mark_is_none_of_the_text_in_any_character_set() -> None:
    raw = b"\xef\xbb\xbf" + (MSH.replace("UNICODE UTF-8", "8859/15") + "\rNTE|1||é\r").encode("iso8859-15")
    assert er7.read(raw).all("NTE")[0].value(3) == "é"


def test_identifiers_are_also_repeated_by_a_tilde_when_the_declared_sign_is_beyond_ascii() -> None:
    read = er7.read("MSH|^˜\\&|A|B|||1||X^Y|1|P|2.5|||||FRA|UNICODE UTF-8\rPID|||1^^^A~2^^^B||N~X\r".encode())
    pid = read.all("PID")[0]
    assert [pid.component(3, 1), pid.component(3, 4, 2), pid.component(5, 1)] == ["1", "B", "N~X"]


def test_a_fallback_that_does_not_fit_is_a_refusal_too() -> None:
    raw = (MSH.replace("UNICODE UTF-8", "") + "\rNTE|1||").encode() + b"\x81\r"
    for fallback in ("cp1252", "ascii", "utf-8"):
        with pytest.raises(er7.Undecodable):
            er7.read(raw, fallback=fallback)


@pytest.mark.parametrize(
    ("text", "codec", "guessed"),
    [
        ("MSH|A", "ascii", "ASCII"), ("MSH|é血", "utf-8", "UNICODE UTF-8"), ("MSH|é", "latin-1", "8859/1"),
        ("MSH|œ", "iso8859-15", "8859/15"), ("MSH|l’âge", "cp1252", "WINDOWS-1252"), ("MSH|A", "utf-16-le", "UTF-16"),
        ("MSH|" + "x" * 65_531 + "é", "utf-8", "UNICODE UTF-8"),
    ],
)  # fmt: skip
def test_what_bytes_look_like_is_told_whatever_they_claim(text: str, codec: str, guessed: str) -> None:
    assert er7.guess(text.encode(codec)) == guessed


@pytest.mark.parametrize(
    "raw", [b"MSH\rABCDEFG", b"MSH|\rABCDEF", b"MSH\n", b"MSH|^~\\", b"MSHMSHMSH", b"MSH|||||||||"]
)
def test_a_header_cut_short_is_none_or_unusable(raw: bytes) -> None:
    header = er7.read_header(raw)
    assert header is None or not header.delimiters_valid
    with pytest.raises(Refused):
        er7.read(raw)


@pytest.mark.parametrize("sign", [b"|", b"~", b"^", b"&", b"\\", b"\r", b"\n", b"A~B^C&"])
def test_a_million_separators_cost_no_more_than_other_bytes(sign: bytes) -> None:
    raw = MSH.encode() + b"\rPID|1||" + sign * (1_000_000 // len(sign)) + b"\r"
    started = time.process_time()
    try:
        pid = er7.read(raw).all("PID")[0]
        for repetition in range(1, len(pid.repetitions(3)) + 1):
            pid.component(3, 1, repetition)
            pid.subcomponent(3, 4, 2, repetition)
    except Refused:
        pass
    assert time.process_time() - started < 2.0


def test_lines_beyond_any_message_are_refused_before_they_are_cut() -> None:
    with pytest.raises(er7.Er7Malformed):
        er7.read(MSH.encode() + b"\r" * 600_000)


SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "hl7"
WRITTEN = sorted(path for path in SHARED.rglob("*") if path.suffix in (".er7", ".hl7"))
OURS = {
    "results": results_message(),
    "relay": relay_message(),
    "lines": results_message().replace(b"\r", b"\n"),
    "batch": b"BHS|^~\\&\r" + results_message("1") + results_message("2") + b"BTS|2\r",
}
SAMPLES = {**OURS, **{path.name: path.read_bytes() for path in WRITTEN}}
BAD = {path.name for path in WRITTEN if path.parent.name == "bad"}


@pytest.mark.parametrize("name", SAMPLES)
def test_no_segment_of_a_sample_is_lost(name: str) -> None:
    raw = SAMPLES[name]
    batch = er7.split_batch(raw)
    for one in batch.messages if batch else (raw,):
        try:
            read = er7.read(one, fallback="iso8859-15")
        except Refused:
            assert name in BAD
            continue
        plain = one.decode(read.codec).replace("\x1c", "").replace("\r\n", "\r").replace("\n", "\r")
        lines = [line for line in plain.split("\r") if line]
        if "er7.wrapped-data" not in read.warnings:
            assert [segment.line for segment in read] == lines
        assert [segment.name for segment in read] == [line[:3] for line in lines if line[3:4] in ("|", "")]
        assert read.raw == one


CONTROL = "\x00\x01\x08\x1b\x1f"


def test_control_characters_are_of_no_text_however_they_are_written() -> None:
    bare = er7.read(f"{MSH.replace('|42|', f'|4{CONTROL}2|')}\rPID|1||A{CONTROL}B\r".encode())
    escaped = message("PID|1||A\\X0001081B1F\\B")
    assert bare.header.field(10) == "42"
    header = er7.read_header(bare.raw)
    assert header is not None
    assert header.field(10) == "42"
    assert bare.all("PID")[0].component(3, 1) == escaped.all("PID")[0].component(3, 1) == "AB"
    assert message("NTE|1||a\\X09\\b").all("NTE")[0].component(3, 1) == "a\tb"
