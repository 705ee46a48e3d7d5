"""HL7 times to CDA times: precision kept, offsets of the laboratory's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cda_builder.core.times import cda_time, from_datetime, instant

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20260314080500", "20260314080500+0100"),
        ("20260714080500", "20260714080500+0200"),
        ("202603140805", "202603140805+0100"),
        ("2026031408", "20260314"),
        ("20260314", "20260314"),
        ("202603", "202603"),
        ("20260314080500.125", "20260314080500+0100"),
        ("20260314080500-0400", "20260314080500-0400"),
        ("20260230080500", ""),
        ("hier", ""),
        ("", ""),
    ],
)
def test_a_time_keeps_its_precision(written: str, expected: str) -> None:
    assert cda_time(written, PARIS) == expected


def test_overseas_laboratories_have_their_own_zone() -> None:
    assert cda_time("20260314080500", ZoneInfo("Indian/Reunion")) == "20260314080500+0400"


def test_an_instant_is_written_in_the_laboratorys_zone() -> None:
    assert from_datetime(datetime(2026, 3, 14, 10, 12, 30, tzinfo=UTC), PARIS) == "20260314111230+0100"


def test_instants_put_times_of_any_offset_in_order() -> None:
    times = ["20260314", "20260314080500+0100", "202603140810+0200", "20260315"]

    assert sorted(times, key=instant) == ["20260314", "202603140810+0200", "20260314080500+0100", "20260315"]


def test_an_instant_is_the_one_of_the_standard_library() -> None:
    assert instant("20260314080500-0430") == datetime.fromisoformat("2026-03-14T08:05:00-04:30").timestamp()
