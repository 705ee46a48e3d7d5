"""What a laboratory chooses of its documents' look."""

import pytest
from pydantic import ValidationError

from cda_builder.adapters.pdf.look import LogoUnreadable, check_logos
from cda_builder.core.laboratory import LaboratoryProfile
from labohub.standards.cda.presentation import Theme
from tests.support.microbiology import png


def test_the_form_that_presents_itself_is_for_2021_alone() -> None:
    assert LaboratoryProfile(volet="2021.01", self_presenting=True).self_presenting
    with pytest.raises(ValidationError, match=r"2021\.01"):
        LaboratoryProfile(self_presenting=True)


@pytest.mark.parametrize("accent", ["red", "#ffdd00", "#9a9a9a"])
def test_a_colour_that_nobody_reads_on_white_is_refused(accent: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        LaboratoryProfile(accent=accent)


def test_a_logo_is_an_image_inside_the_setting() -> None:
    assert LaboratoryProfile(logo=f"data:image/png;base64,{png()}").theme.logo
    with pytest.raises(ValidationError, match="logo"):
        LaboratoryProfile(logo="https://example.org/logo.png")


def test_a_logo_that_cannot_be_opened_stops_the_start() -> None:
    check_logos([Theme(logo=f"data:image/png;base64,{png()}")])
    with pytest.raises(LogoUnreadable):
        check_logos([Theme(logo="data:image/png;base64,AAAA")])
