"""ER7 read without loss."""

import pytest

from labohub.standards import er7

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
    raw = MSH.replace("UNICODE UTF-8", "UTF8").encode()
    assert er7.read(raw, aliases={"UTF8": "utf-8"}).warnings == ("er7.charset-alias",)
    bare = (MSH.replace("UNICODE UTF-8", "") + "\rNTE|1||é").encode("iso8859-15")
    assert er7.read(bare, fallback="iso8859-15").all("NTE")[0].value(3) == "é"
    with pytest.raises(er7.Undecodable):
        er7.read(bare)


def test_windows_characters_under_a_latin_name_are_warned_of() -> None:
    raw = (MSH.replace("UNICODE UTF-8", "8859/1") + "\rNTE|1||").encode() + b"l\x92\xe2ge"
    assert er7.read(raw).warnings == ("er7.charset-c1-controls",)


def test_no_break_spaces_around_an_identifier_are_no_part_of_it() -> None:
    assert message("PRT|1||990000911\u00a0\u00a0 ").all("PRT")[0].component(3, 1) == "990000911"


def test_a_batch_gives_its_messages_and_counts() -> None:
    one = MSH + "\rPID|1\r"
    batch = er7.split_batch(f"FHS|^~\\&\rBHS|^~\\&\r{one}{one}BTS|2\rFTS|1\r".encode())
    assert batch is not None
    assert ([each.decode() for each in batch.messages], batch.count, batch.batches) == ([one, one], 2, 1)
    assert er7.split_batch(one.encode()) is None
