"""Nomenclatures of the metadata, read from `tables/codes.csv` (each line names its edition)."""

import csv
from functools import cache
from importlib.resources import files

from labohub.standards.xds.values import Coded


@cache
def _table() -> dict[tuple[str, str], Coded]:
    text = files("labohub.standards.xds").joinpath("tables", "codes.csv").read_text("utf-8")
    return {
        (row["attribute"], row["key"]): Coded(row["code"], row["system"], row["label"])
        for row in csv.DictReader(text.splitlines())
    }


def find(attribute: str, key: str) -> Coded | None:
    """Return the code of an attribute for a key, None when the table has none."""
    return _table().get((attribute, key))


def get(attribute: str, key: str) -> Coded:
    """Return the code of an attribute for a key that the table is known to hold."""
    return _table()[attribute, key]


def content_type(encounter_class: str) -> Coded:
    """Return the contentTypeCode for a PV1-2; without a known one, a consultation."""
    return find("contentType", encounter_class.strip().upper()[:1]) or get("contentType", "O")
