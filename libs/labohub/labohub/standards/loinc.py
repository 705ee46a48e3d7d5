"""LOINC codes: their form."""

import re
from typing import Final

_FORM: Final = re.compile(r"([1-9]\d{0,6})-(\d)", re.ASCII)


def is_loinc(code: str) -> bool:
    """Return whether a text has the form of a LOINC code: a number, a hyphen, and the check digit of that number.

    Source: LOINC Users' Guide, appendix on the mod 10 check digit.
    """
    match = _FORM.fullmatch(code)
    return match is not None and int(match[2]) == check_digit(match[1])


def check_digit(number: str) -> int:
    """Return the check digit of a LOINC number (Luhn): every second digit from the right counts double."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10
