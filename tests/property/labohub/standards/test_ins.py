"""Laws of the INS: keys and names, for any input."""

from hypothesis import given
from hypothesis import strategies as st

from labohub.standards.ins import matricule, names
from labohub.standards.ins.matricule import Outcome
from labohub.standards.ins.names import Field, Likeness, NameRefused
from labohub.standards.ins.oids import INS_NIR

DIGITS = st.text("0123456789", min_size=13, max_size=13)
BODIES = st.builds(
    lambda sex, year, month, department, rest: f"{sex}{year:02d}{month:02d}{department}{rest:06d}",
    st.sampled_from("12"),
    st.integers(0, 99),
    st.integers(1, 12),
    st.sampled_from(["01", "33", "75", "2A", "2B", "99", "97"]),
    st.integers(101_001, 999_999),
)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED = st.text("abcdefgéèêëàâäîïôöùûüçñœæßØŁ’'‐- \u00a0ABCXYZ", min_size=1, max_size=40)


def other_way(body: str) -> int:
    """Compute the key by the second published method: the letter counts 0, then a fixed number is taken off."""
    number = int(body.replace("A", "0").replace("B", "0"))
    number -= 1_000_000 if "A" in body else 2_000_000 if "B" in body else 0
    return 97 - number % 97


@given(BODIES)
def test_both_published_methods_give_the_same_key(body: str) -> None:
    assert matricule.control_key(body) == other_way(body)


@given(DIGITS)
def test_a_key_is_between_1_and_97_and_completes_the_division(body: str) -> None:
    key = matricule.control_key(body)

    assert 1 <= key <= 97
    assert (int(body) + key) % 97 == 0


@given(BODIES, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(body: str, position: int, shift: int) -> None:
    number = matricule.with_key(body)
    if not body[position].isdigit():
        return
    wrong = number[:position] + str((int(number[position]) + shift) % 10) + number[position + 1 :]

    verdict = matricule.check(wrong, INS_NIR, environment="production")

    assert verdict.outcome is Outcome.REJECT


@given(BODIES)
def test_a_right_number_is_never_rejected(body: str) -> None:
    verdict = matricule.check(matricule.with_key(body), INS_NIR, environment="production")

    assert verdict.outcome is not Outcome.REJECT


@given(st.text(max_size=20), st.sampled_from(["", INS_NIR, "1.2.250.1.213.1.4.2"]))
def test_any_text_has_a_verdict(text: str, oid: str) -> None:
    matricule.check(text, oid, environment="production")


@given(st.text(max_size=120), st.sampled_from(list(Field)))
def test_a_name_is_in_the_alphabet_of_insi_or_refused(text: str, field: Field) -> None:
    try:
        name = names.normalise(text, field)
    except NameRefused:
        return
    assert set(name) <= set(f"{ALPHABET} '-")
    assert 0 < len(name) <= names.MAX_LENGTH
    assert names.normalise(name, field) == name


@given(ACCENTED)
def test_no_letter_is_ever_dropped(text: str) -> None:
    letters = sum(character.isalpha() for character in text)

    assert sum(character in ALPHABET for character in names.transliterate(text)) >= letters


@given(ACCENTED)
def test_a_name_is_identical_to_its_own_normal_form(text: str) -> None:
    try:
        name = names.normalise(text, Field.BIRTH_NAME)
    except NameRefused:
        return
    assert names.compare_names(text, name).likeness is Likeness.IDENTICAL


@given(st.lists(st.text(ALPHABET, min_size=1, max_size=6), min_size=1, max_size=4), st.integers(1, 4))
def test_the_beginning_of_a_list_is_accepted_and_only_that(words: list[str], count: int) -> None:
    beginning = "-".join(words[:count])

    assert names.compare_first_given_name(beginning, " ".join(words)).likeness is not Likeness.MISMATCH
    assert names.compare_first_given_name(beginning + "Q", " ".join(words)).likeness is Likeness.MISMATCH
