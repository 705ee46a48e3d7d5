"""Birth dates from each source."""

import csv
from pathlib import Path

import pytest

from labohub.standards.ins import dates
from labohub.standards.ins.dates import Flag

SHARED = Path(__file__).parents[6] / "shared/data/ins/dates.csv"
READERS = {
    "document": dates.from_document,
    "insi": dates.from_insi,
    "pid7": dates.from_pid_7,
    "zfd1": dates.from_zfd_1,
}


def shared() -> list[dict[str, str]]:
    if not SHARED.exists():
        return []
    with SHARED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_shared_dates_agree() -> None:
    for row in shared():
        found = READERS[row["source"]](row["raw"])
        expected_text = row["expected_date"] if found.reason != "KEEP_VERBATIM" else row["raw"]
        assert tuple(found) == (expected_text, row["flag"], row["reason"]), row["id"]


@pytest.mark.parametrize(
    ("source", "raw", "text", "flag"),
    [
        ("document", "29/02/2001", "", Flag.REJECT),
        ("document", "??/02/2001", "2001-02-01", Flag.ESTIMATED),
        ("document", "??/??/????", "", Flag.REJECT),
        ("insi", "1944-13-00", "1944-13-00", Flag.LUNAR),
        ("insi", "1944-12-01\n", "", Flag.REJECT),
        ("pid7", "19440229101500.1234+0100", "1944-02-29", Flag.EXACT),
        ("pid7", "19450229", "", Flag.REJECT),
        ("pid7", "１9450201", "", Flag.REJECT),
        ("zfd1", "0^13^1944", "1944-13-00", Flag.LUNAR),
    ],
)
def test_a_date_is_exact_estimated_lunar_or_refused(source: str, raw: str, text: str, flag: Flag) -> None:
    found = READERS[source](raw)

    assert (found.text, found.flag) == (text, flag)
