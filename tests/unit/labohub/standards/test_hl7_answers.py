"""Acknowledgements and ZAM, byte for byte where the standard leaves no choice."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from labohub.standards import er7
from labohub.standards.hl7.acknowledgement import AnswerStyle, acknowledge
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.zam import Outcome, Parties, ZamKind, write_zam

AT = datetime(2026, 3, 12, 10, 15, 2, tzinfo=ZoneInfo("Europe/Paris"))
REQUEST = "MSH|^~\\&|SGL|LABO^1&2^N|HUB|PFI|2026||ORU^R01^ORU_R01|SGL-42|P|2.5|||||FRA|UNICODE UTF-8\r"
PARTIES = Parties("LABOHUB", "PFI", "SGL", "LABO")
WRONG = Finding("203", "MSH^1^12", "hl7.version", "Version inconnue.")


def answer(raw: str, code: str = "AA", style: AnswerStyle = AnswerStyle.VOLET, *findings: Finding) -> list[str]:
    header = er7.read_header(raw.encode())
    return acknowledge(header, code, findings, at=AT, control_id="H1", style=style).er7.decode().split("\r")


def test_an_acceptance_swaps_the_parties_and_names_the_message() -> None:
    assert answer(REQUEST) == [
        "MSH|^~\\&|HUB|PFI|SGL|LABO^1&2^N|20260312101502+0100||ACK^R01^ACK|H1|P|2.5|||||FRA|UNICODE UTF-8",
        "MSA|AA|SGL-42",
        "",
    ]


def test_the_volet_and_ltw_write_errors_their_own_way() -> None:
    assert answer(REQUEST, "AE", AnswerStyle.VOLET, WRONG)[1:3] == [
        "MSA|AE|SGL-42",
        "ERR||MSH^1^12|203^Unsupported version^messageErrorCondition|E",
    ]
    assert answer(REQUEST, "AR", AnswerStyle.HL7, WRONG)[1:3] == [
        "MSA|AR|SGL-42|Version inconnue.",
        "ERR||MSH^1^12|203^Unsupported version id^HL70357|E||||Version inconnue.",
    ]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("OML^O21^OML_O21", "ORL^O22^ORL_O22"),
        ("OML^O33", "ORL^O34^ORL_O34"),
        ("OUL^R22^OUL_R22", "ACK^R22^ACK"),
        ("MDM^T02^MDM^T02^MDM_T02", "ACK^T02^ACK"),
        ("ORU", "ACK"),
        ("A^B|C", "ACK"),
    ],
)
def test_each_message_has_its_answer(asked: str, given: str) -> None:
    assert answer(REQUEST.replace("ORU^R01^ORU_R01", asked))[0].split("|")[8] == given


def test_other_separators_are_answered_in_the_usual_ones() -> None:
    assert answer("MSH|$~\\*|SGL|LABO$1*2$N|H|P|1||ORU$R01|7|P|2.5\r")[0].split("|")[5] == "LABO^1&2^N"


def test_what_only_looks_like_a_separator_is_escaped_in_the_answer() -> None:
    assert answer("MSH#$~!*#S|G^L#LABO#H#P#1##ORU$R01#7#P#2.5\r")[0].split("|")[4] == "S\\F\\G\\S\\L"


def test_without_a_header_an_answer_still_says_what_was_wrong() -> None:
    lines = acknowledge(None, "AE", (WRONG,), at=AT, control_id="H1").er7.decode().split("\r")
    assert lines[1].startswith("MSA|AE|")
    assert lines[2].startswith("ERR||MSH^1^12|203^")


def test_ten_errors_are_enough() -> None:
    assert sum(line.startswith("ERR") for line in answer(REQUEST, "AE", AnswerStyle.HL7, *[WRONG] * 30)) == 10


def test_a_zam_is_the_form_of_the_text() -> None:
    outcome = Outcome(ZamKind.MSS_RECEPTION, "SGL-42", "550", address="a.b@x.mssante.fr", identifier="801")
    parties = Parties("LABOHUB", "PFI", "SGL", "LABO")
    lines = write_zam(outcome, parties, at=AT, control_id="H2", processing_id="P").decode().split("\r")
    assert lines[0] == (
        "MSH|^~\\&|LABOHUB|PFI|SGL|LABO|20260312101502+0100||ZAM^Z02^ZAM_Z01|H2|P|2.6|||||FRA|UNICODE UTF-8|||"
        "2.1^CISIS_CDA_HL7_V2"
    )
    assert lines[2] == (
        "OBX|1|CWE|ACK_RECEPTION_MSS^Accusé de réception MSSanté^AckMetierZAM|SGL-42|N^^expandedYes-NoIndicator||||||F"
    )
    assert lines[3] == (
        "OBX|2|XTN|DESTINATAIRE_MSS^Destinataire MSSanté^AckMetierZAM|801|^^X.400^a.b@x.mssante.fr||||||F"
    )
    assert lines[4].startswith("ERR|||207^Application error^messageErrorCondition|E|550^Action non effectuée")
    assert lines[4].endswith("^SMTPERRORCODE")


def test_base64_is_repaired_when_nothing_is_lost_and_refused_otherwise() -> None:
    assert decode_base64("QUJDRA") == decode_base64("QUJD\r\nRA==") == decode_base64("QU\\.br\\JDRA=") == b"ABCD"
    for corrupt in ("QUJDR", "QU*D", "====", "QUJD===="):
        with pytest.raises(Base64Corrupt):
            decode_base64(corrupt)


@pytest.mark.parametrize(
    ("code", "told"), [("550", "550"), ("421", "421"), ("571", "554"), ("471", "451"), ("", ""), ("junk", "554")]
)
def test_an_smtp_code_that_the_table_has_not_is_told_as_the_general_one(code: str, told: str) -> None:
    outcome = Outcome(ZamKind.MSS_RECEPTION, "C1", code, "", "a@b.mssante.fr")
    segments = write_zam(outcome, PARTIES, at=AT, control_id="1", processing_id="P").decode().split("\r")
    errors = [line.split("|") for line in segments if line.startswith("ERR")]
    assert [err[5].split("^")[0] for err in errors] == ([told] if told else [])
    assert all(err[5].split("^")[1] and err[5].endswith("^SMTPERRORCODE") for err in errors)


@pytest.mark.parametrize("kind", list(ZamKind))
@pytest.mark.parametrize("error", ["", "902"])
def test_a_zam_has_its_second_row_and_its_error_when_the_volet_asks_for_them(kind: ZamKind, error: str) -> None:
    outcome = Outcome(kind, "C1", error, "libellé", "a@b.mssante.fr", "801234567897")
    lines = write_zam(outcome, PARTIES, at=AT, control_id="1", processing_id="P").decode().split("\r")[:-1]
    rows = [line.split("|") for line in lines]
    by_mail = kind is not ZamKind.DMP_RECEPTION
    assert [row[0] for row in rows] == ["MSH", "EVN", "OBX", *(["OBX"] if by_mail else []), *(["ERR"] if error else [])]
    assert rows[0][8:12] == [f"ZAM^{kind}^ZAM_Z01", "1", "P", "2.6"]
    assert rows[0][20] == "2.1^CISIS_CDA_HL7_V2"
    assert rows[1][2]
    assert (rows[2][4], rows[2][5]) == ("C1", f"{'N' if error else 'Y'}^^expandedYes-NoIndicator")
    if by_mail:
        assert (rows[3][2], rows[3][4], rows[3][5]) == ("XTN", "801234567897", "^^X.400^a@b.mssante.fr")
    assert all(row[11] == "F" for row in rows if row[0] == "OBX")
