"""A message read as its sender means it: zone, authorities, comma, comparator. The bytes stay."""

from typing import Any

import pytest

from ingest_hl7.core.reading import as_meant
from ingest_hl7.core.senders import Quirks, Sender
from labohub.standards import er7
from labohub.standards.er7 import Message


def read(*lines: str, **entry: Any) -> Message:
    raw = "\r".join(("MSH|^~\\&|A|B|C|D|20260312||ORU^R01|1|P|2.5.1||||||UNICODE UTF-8", *lines, "")).encode()
    message = as_meant(er7.read(raw), Sender(**entry))
    assert message.raw == raw
    return message


def obx(kind: str, value: str, **entry: Any) -> tuple[str, str, tuple[str, ...]]:
    message = read(f"OBX|1|{kind}|K^Potassium||{value}|mmol/L|||||F", **entry)
    segment = message.first("OBX")
    assert segment is not None
    assert segment.field(11) == "F"
    return segment.field(2), segment.field(5), message.warnings


COMMA = {"quirks": Quirks(decimal_comma=True)}
COMPARED = {"quirks": Quirks(comparator_in_numbers=True)}
BOTH = {"quirks": Quirks(decimal_comma=True, comparator_in_numbers=True)}


@pytest.mark.parametrize(
    ("kind", "value", "entry", "meant"),
    [
        ("NM", "5,20", COMMA, ("NM", "5.20")),
        ("NM", "-0,5", COMMA, ("NM", "-0.5")),
        ("NM", "5,2~6,1", COMMA, ("NM", "5.2~6.1")),
        ("SN", "<^0,02", COMMA, ("SN", "<^0.02")),
        ("SN", "^1,5^-^2,5", COMMA, ("SN", "^1.5^-^2.5")),
        ("NM", "<0.02", COMPARED, ("SN", "<^0.02")),
        ("NM", ">= 100", COMPARED, ("SN", ">=^100")),
        ("NM", "<0,02", BOTH, ("SN", "<^0.02")),
    ],
)
def test_a_declared_habit_is_read_as_meant_and_leaves_a_warning(
    kind: str, value: str, entry: dict[str, Any], meant: tuple[str, str]
) -> None:
    *got, warnings = obx(kind, value, **entry)
    assert tuple(got) == meant
    assert warnings


@pytest.mark.parametrize(
    ("kind", "value", "entry"),
    [
        ("NM", "5,2", {}),
        ("NM", "<0.02", {}),
        ("NM", "1,234,567", COMMA),
        ("ST", "5,2", COMMA),
        ("TX", "entre 4,1 et 5,2", COMMA),
        ("CE", "A,1^5,2", COMMA),
        ("NM", "5.2", BOTH),
        ("NM", "<", COMPARED),
        ("NM", "< 2 < 3", COMPARED),
        ("ST", "<0.02", COMPARED),
        ("NM", "", BOTH),
    ],
)
def test_what_is_not_that_habit_stays_as_written(kind: str, value: str, entry: dict[str, Any]) -> None:
    assert obx(kind, value, **entry) == (kind, value, ())


def observed(time: str, zone: str) -> str:
    message = read(f"OBX|1|NM|K||4.1||||||F|||{time}", timezone=zone)
    segment = message.first("OBX")
    assert segment is not None
    return segment.field(14)


@pytest.mark.parametrize(
    ("time", "zone", "meant"),
    [
        ("20260312093000", "Europe/Paris", "20260312093000+0100"),
        ("202607120930", "Europe/Paris", "202607120930+0200"),
        ("20260312093000.25", "Indian/Reunion", "20260312093000.25+0400"),
        ("2026031209", "America/Martinique", "2026031209-0400"),
        ("20260312093000+0000", "Indian/Reunion", "20260312093000+0000"),
        ("20260312", "Indian/Reunion", "20260312"),
        ("20261025023000", "Europe/Paris", "20261025023000"),  # twice that night: nobody can tell
        ("20260329023000", "Europe/Paris", "20260329023000"),  # never that night
        ("20261325093000", "Europe/Paris", "20261325093000"),
        ("", "Europe/Paris", ""),
    ],
)
def test_a_time_without_offset_gets_the_one_of_its_senders_zone(time: str, zone: str, meant: str) -> None:
    assert observed(time, zone) == meant


def test_both_ends_of_a_collection_get_their_offset() -> None:
    spm = read("SPM|1|||SER|||||||||||||202603120800^202607120900", timezone="Europe/Paris").first("SPM")
    assert spm is not None
    assert spm.field(17) == "202603120800+0100^202607120900+0200"


def test_a_birth_date_and_a_value_keep_their_words() -> None:
    message = read("PID|1||1||A^B||19840512|F", "OBX|1|TS|D||20260312093000||||||F", timezone="Europe/Paris")
    assert [segment.line for segment in message][1:] == [
        "PID|1||1||A^B||19840512|F",
        "OBX|1|TS|D||20260312093000||||||F",
    ]


def test_a_bare_authority_gets_the_oid_its_entry_gives_it() -> None:
    pid = read(
        "PID|1||77^^^LBM^PI~88^^^LBM&1.2.3&ISO^PI~99^^^AUTRE^PI||A^B", authorities={"LBM": "1.2.250.1.99999.5"}
    ).first("PID")
    assert pid is not None
    assert pid.field(3) == "77^^^LBM&1.2.250.1.99999.5&ISO^PI~88^^^LBM&1.2.3&ISO^PI~99^^^AUTRE^PI"


def test_an_i_of_eucast_is_read_as_its_sender_means_it() -> None:
    lines = ["OBX|1|SN|18861-5^Amoxicilline^LN||^4|mg/L||I|||F", "OBX|2|SN|K^K^L||^4|mg/L||S|||F"]
    told = read(*lines, eucast_i="SDD")
    assert [each.field(8) for each in told.all("OBX")] == ["SDD", "S"]
    assert told.warnings == ("quirk.eucast-i",)
    assert [each.field(8) for each in read(*lines).all("OBX")] == ["I", "S"]


def test_segments_and_their_numbers_are_the_same_after() -> None:
    lines = ["PID|1||1", "OBX|1|NM|K||5,2||||||F", "NTE|1||x", "OBX|2|NM|L||6||||||F"]
    message = read(*lines, **COMMA)
    assert [(each.name, each.sequence) for each in message] == [
        ("MSH", 1), ("PID", 1), ("OBX", 1), ("NTE", 1), ("OBX", 2),
    ]  # fmt: skip
    assert [each.field(5) for each in message.all("OBX")] == ["5.2", "6"]
