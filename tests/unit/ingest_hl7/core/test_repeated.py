"""What laboratories write all day is read once, and never for what it is not."""

import pytest

from ingest_hl7.core import repeated
from ingest_hl7.core.repeated import read_once
from labohub.standards import er7
from labohub.standards.er7 import Segment


def obx(unit: str, msh_2: str = "^~\\&", msh_18: str = "UNICODE UTF-8") -> Segment:
    text = f"MSH|{msh_2}|A|B|C|D|20260312||ORU|1|P|2.5.1||||||{msh_18}\rOBX|1|NM|K||1|{unit}\r"
    segment = er7.read(text.encode()).first("OBX")
    assert segment is not None
    return segment


@pytest.fixture
def asked() -> list[str]:
    return []


def reader(asked: list[str]) -> repeated.Read[str]:
    def read(segment: Segment, number: int) -> str:
        asked.append(segment.field(number))
        return segment.component(number, 1)

    return read_once(read)


def test_the_same_text_is_read_once_whatever_its_message(asked: list[str]) -> None:
    read = reader(asked)
    assert [read(obx("g/L^gram"), 6), read(obx("g/L^gram"), 6), read(obx("mg/L"), 6)] == ["g/L", "g/L", "mg/L"]
    assert asked == ["g/L^gram", "mg/L"]


def test_another_senders_separators_are_read_as_his_own(asked: list[str]) -> None:
    read = reader(asked)
    assert read(obx("g^L"), 6) == "g"
    assert read(obx("g^L", msh_2="$~\\&"), 6) == "g^L"


def test_a_text_with_escapes_is_read_in_each_messages_character_set(asked: list[str]) -> None:
    read = reader(asked)
    assert read(obx("\\XB5\\g", msh_18="8859/1"), 6) == "µg"
    assert read(obx("\\XC2B5\\g"), 6) == "µg"
    assert read(obx("\\XC2B5\\g", msh_18="8859/1"), 6) == "Âµg"


def test_what_is_remembered_stays_bounded(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "MAX_REMEMBERED", 2)
    read = reader(asked)
    for unit in ("a", "b", "c", "c", "x" * 401, "x" * 401):
        read(obx(unit), 6)
    assert asked == ["a", "b", "c", "x" * 401, "x" * 401]
