"""Value sets that CR-BIO documents are written with: one TSV each, with its edition in its first lines."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from labohub.standards.cda.facts import Coded


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a table, without comments and header."""
    text = (files(__package__) / f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("# ")]
    return tuple(tuple(line.split("\t")) for line in lines[1:])


@cache
def labels(name: str) -> Mapping[str, str]:
    """Return the labels of a table by code."""
    return MappingProxyType({row[0]: row[1] for row in rows(name)})


@cache
def concepts(name: str) -> Mapping[str, Coded]:
    """Return the concepts of a table by code, with their own systems."""
    return MappingProxyType({row[0]: Coded(row[0], row[2], row[1]) for row in rows(name)})
