"""Units: the closed table that turns what laboratories print into the UCUM that the official rule accepts."""

import re
from functools import cache, lru_cache

from labohub.standards.cda.tables import labels, rows

_RULE_ANNOTATION = re.compile(r"\{.[a-z]*.\}")  # what the official rule removes before it looks a unit up
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_DIMENSIONLESS = frozenset({"", "1", "{INR}", "{inr}", "{ratio}", "{index}", "{score}"})


@lru_cache(1024)
def ucum_unit(printed: str) -> str | None:
    """Return the accepted UCUM spelling of a unit; "" for none or a pure number; None when there is none.

    Only the spelling changes, never the dimension: an annotation in braces means nothing in UCUM, so one that the
    official table does not know is left out (`mL/min/{1.73_m2}` is `mL/min`); the narrative keeps the printed unit.

    Source: CI-SIS, terminology rule on UCUM units (edition in docs/standards.md).
    """
    written = " ".join(printed.replace("μ", "µ").split())  # the Greek letter and the micro sign look the same
    if written in _DIMENSIONLESS:
        return ""
    spelled = labels("unit_spelling").get(written, written)
    for candidate in (spelled, _bare(spelled), labels("unit_spelling").get(_bare(spelled), "")):
        if candidate and is_usual(candidate):
            return candidate
    return None


def is_usual(unit: str) -> bool:
    """Return whether the official rule takes this unit as it is written."""
    return not (looked_up := _RULE_ANNOTATION.sub("", unit)) or looked_up in _usual_units()


@cache
def _usual_units() -> frozenset[str]:
    return frozenset(row[0] for row in rows("ucum_usual"))


def _bare(unit: str) -> str:
    bare = _ANNOTATION.sub("", unit)
    return bare[:-1] if bare.endswith(("/", ".")) else bare
