"""Data Matrix symbols and the datamatrix INS, read by an independent scanner (ZXing)."""

import random
import string

import pytest

from labohub.standards.datamatrix import DataMatrixRefused, data_matrix
from labohub.standards.ins.datamatrix import InsDatamatrixRefused, datamatrix_text
from tests.support.scanner import scanned

TRAITS = {
    "given_names": "ÉLODIE MARIE",
    "birth_name": "D’ARTOIS",
    "sex": "F",
    "birth_date": "19850714",
    "birth_place": "69383",
}


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 12, 18, 22, 30, 36, 44, 62, 86, 114, 144, 174, 204, 270, 280])
def test_a_text_of_any_length_is_scanned_as_it_was_written(length: int) -> None:
    letters = random.Random(length)
    text = "".join(letters.choice(string.ascii_uppercase + "'- \x1d") for _ in range(length))

    rows = data_matrix(text)

    assert len(rows) == len(rows[0])
    assert scanned(rows) == text


def test_digits_take_half_the_room() -> None:
    assert len(data_matrix("1" * 44)) == 20
    assert scanned(data_matrix("1" * 45 + "A7")) == "1" * 45 + "A7"


@pytest.mark.parametrize("text", ["É", "A" * 281])
def test_what_no_symbol_holds_is_refused(text: str) -> None:
    with pytest.raises(DataMatrixRefused):
        data_matrix(text)


def test_the_datamatrix_ins_says_the_five_traits_and_the_matricule() -> None:
    text = datamatrix_text("285076938314206", "1.2.250.1.213.1.4.8", **TRAITS)

    assert text == (
        "IS01"
        + "0" * 22
        + "S1285076938314206S21.2.250.1.213.1.4.8\x1dS3ELODIE MARIE\x1dS4D'ARTOIS\x1dS5FS614-07-1985S769383"
    )
    assert scanned(data_matrix(text)) == text


def test_a_full_field_has_no_separator_and_an_unknown_place_is_left_out() -> None:
    traits = {**TRAITS, "birth_name": "A" * 100, "birth_place": "99999"}

    text = datamatrix_text("285076938314206", "1.2.250.1.213.1.4.10", **traits)

    assert "S21.2.250.1.213.1.4.10S3" in text
    assert text.endswith("S4" + "A" * 100 + "S5FS614-07-1985")


@pytest.mark.parametrize(
    "wrong",
    [{"sex": "UN"}, {"birth_date": "1985"}, {"birth_name": "X Æ A-12"}, {"given_names": ""}],
    ids=["sex", "date", "name", "given names"],
)
def test_a_trait_that_the_format_does_not_carry_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InsDatamatrixRefused):
        datamatrix_text("285076938314206", "1.2.250.1.213.1.4.8", **{**TRAITS, **wrong})
