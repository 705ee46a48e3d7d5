"""The form of LOINC codes: one wrong digit is seen."""

import pytest

from labohub.standards.loinc import check_digit, is_loinc


@pytest.mark.parametrize("code", ["2951-2", "14682-9", "718-7", "630-4", "18769-0", "11502-2", "101792-0"])
def test_published_codes_have_the_form(code: str) -> None:
    assert is_loinc(code)


@pytest.mark.parametrize("code", ["2951-3", "2915-2", "29512", "NA", "", "2951-", "-2", "0123-4", "2951-22", " 2951-2"])
def test_a_mistyped_code_is_seen(code: str) -> None:
    assert not is_loinc(code)


def test_the_check_digit_is_the_one_of_the_users_guide() -> None:
    assert check_digit("12345") == 5
