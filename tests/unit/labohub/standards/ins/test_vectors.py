"""The project's own vectors of names and dates: every row has its verdict and its reason."""

import csv
from pathlib import Path

from labohub.standards.ins import dates, names
from labohub.standards.ins.names import Comparison, Field, NameRefused

DATA = Path(__file__).parents[4] / "data/ins"
READERS = {
    "document": dates.from_document,
    "insi": dates.from_insi,
    "pid7": dates.from_pid_7,
    "zfd1": dates.from_zfd_1,
}
COMPARISONS = {
    "nom": names.compare_names,
    "premier": names.compare_first_given_name,
    "liste": names.compare_given_names,
}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_name_is_written_as_insi_takes_it_or_refused_with_its_reason() -> None:
    wrong = []
    for row in rows("names.csv"):
        try:
            found = (names.normalise(row["text"], Field(row["field"])), "")
        except NameRefused as error:
            found = ("", error.reason)
        if found != (row["expected"], row["refused"]):
            wrong.append((row, found))

    assert wrong == []


def test_each_pair_of_names_is_as_close_as_it_should_be() -> None:
    wrong: list[tuple[dict[str, str], Comparison]] = []
    for row in rows("comparisons.csv"):
        found = COMPARISONS[row["field"]](row["local"], row["insi"])
        if tuple(found) != (row["likeness"], row["reason"]):
            wrong.append((row, found))

    assert wrong == []


def test_each_date_has_its_text_flag_and_reason() -> None:
    wrong = [
        (row, tuple(found))
        for row in rows("dates.csv")
        if tuple(found := READERS[row["source"]](row["raw"])) != (row["text"], row["flag"], row["reason"])
    ]

    assert wrong == []
