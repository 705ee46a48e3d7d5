"""A laboratory that could not be written into a document is refused at the start."""

import pytest
from pydantic import ValidationError

from cda_builder.core.laboratory import LaboratoryProfile


@pytest.mark.parametrize(
    "wrong",
    [
        {"oid_root": "1.2.x"},
        {"oid_root": "1.02"},
        {"zone": "Europe/Lutece"},
        {"zone": "../etc"},
        {"default_chapter": "12345-6"},
        {"practice_setting": "BOULANGERIE"},
        {"facility_type": "SA0"},
        {"volet": "2022.01"},
        {"pdf_only": "maybe"},
    ],
)
def test_a_wrong_laboratory_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        LaboratoryProfile.model_validate(wrong)


def test_an_ordinary_laboratory_is_accepted() -> None:
    profile = LaboratoryProfile(oid_root="1.2.250.1.999999.1", zone="Indian/Reunion", volet="2021.01")

    assert profile.default_chapter == "26436-6"
