import pytest

from embedded.cli.files import NoMessage, messages_in, with_control_id

ONE = b"MSH|^~\\&|A|B|||20260312||ORU^R01|1|P|2.5\rPID|1\r"
TWO = b"MSH|^~\\&|A|B|||20260312||ORU^R01|2|P|2.5\rPID|2\r"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_line_ends_become_those_of_hl7(end: bytes) -> None:
    assert messages_in((ONE + TWO).replace(b"\r", end)) == [ONE, TWO]


def test_frames_are_opened_and_noise_between_them_dropped() -> None:
    assert messages_in(b"\x0b" + ONE + b"\x1c\r\n\x0b" + TWO + b"\x1c\r") == [ONE, TWO]


def test_a_batch_gives_its_messages() -> None:
    assert messages_in(b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r") == [ONE, TWO]


def test_a_file_without_last_line_end_is_whole() -> None:
    assert messages_in(b"\xef\xbb\xbf" + ONE[:-1]) == [ONE]


@pytest.mark.parametrize("data", [b"", b"PID|1\r", b"hello MSHAP"])
def test_a_file_without_msh_is_refused(data: bytes) -> None:
    with pytest.raises(NoMessage):
        messages_in(data)


def test_a_fresh_control_id_changes_nothing_else() -> None:
    assert with_control_id(ONE, "-7") == ONE.replace(b"|1|P|", b"|1-7|P|")
