"""Laws of the search plan, of the requests and of birth dates, for any input."""

from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from labohub.standards import soap
from labohub.standards.ins import dates, names
from labohub.standards.ins.dates import Flag
from labohub.standards.ins.insi_card import CardQuery, build_card_search
from labohub.standards.ins.insi_context import CallContext, Software
from labohub.standards.ins.insi_request import SearchQuery, build_search
from labohub.standards.ins.names import Field, Likeness
from labohub.standards.ins.search_plan import AMBIGUOUS, MAX_CALLS, NOT_FOUND, Step, next_step
from labohub.standards.ins.traits import StrictTraits, compare, differences

XSD = Path(__file__).parents[5] / "shared/insi/wsdl/xsd"
FILES = {
    "ContexteBAM": XSD / "CTX/ROOT_ctxbam_CTXBAM_V01_02.xsd",
    "ContexteLPS": XSD / "CTX/ROOT_ctxlps_CTXLPS_V01_00.xsd",
    "RECSANSVITALE": XSD / "ServiceIdentiteCertifiee/INSi_RECSANS_INS.xsd",
    "RECVITALE": XSD / "ServiceIdentiteCertifiee/INSi_RECVITALE_INS.xsd",
}
SCHEMAS = {name: etree.XMLSchema(etree.parse(str(file))) for name, file in FILES.items() if file.exists()}
SOFTWARE = Software("1999900017", "A-1", "0.1.0", "6f1d6a56-8b8e-4c77-9a44-2f6f3c1f0001", "urn:lps:labohub:0.1.0")
UUID = "0b2f0f5e-6f0e-4a52-9b39-000000000001"
CONTEXT = CallContext(UUID, UUID, UUID, datetime(2026, 3, 12, tzinfo=UTC))
NAME = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=8)
LIST = st.lists(NAME, min_size=1, max_size=7).map(" ".join)
PLACE = st.sampled_from(["", "33063", "2B020", "99109"])
DAY = st.dates(date(1900, 1, 1), date(2026, 1, 1)).map(date.isoformat)


@given(LIST, PLACE, st.lists(st.sampled_from([NOT_FOUND, AMBIGUOUS]), min_size=MAX_CALLS + 2, max_size=MAX_CALLS + 2))
def test_a_plan_ends_asks_nothing_twice_and_varies_nothing_but_first_names_and_place(
    given_names: str, place: str, codes: list[str]
) -> None:
    answered: list[tuple[Step, str]] = []
    while (step := next_step(given_names, place, answered)) is not None:
        assert step not in [asked for asked, _ in answered]
        assert step.given_name == given_names or step.given_name in given_names.split()
        assert step.birth_place in ("", place)
        assert not step.birth_place or any(code == AMBIGUOUS for _, code in answered)
        answered.append((step, codes[len(answered)]))
    assert 1 <= len(answered) <= MAX_CALLS


@given(LIST, PLACE)
def test_no_single_first_name_is_asked_after_an_ambiguous_answer(given_names: str, place: str) -> None:
    first = next_step(given_names, place, [])
    assert first is not None

    step = next_step(given_names, place, [(first, AMBIGUOUS)])

    assert step is None or step.birth_place or step.given_name == given_names


@given(NAME, LIST, st.sampled_from("MF"), DAY, PLACE)
def test_every_search_is_valid_against_the_official_schemas_and_says_what_was_asked(
    name: str, given_names: str, sex: str, born: str, place: str
) -> None:
    query = SearchQuery(name, given_names, sex, born, place)

    envelope = soap.read_envelope(build_search(query, SOFTWARE, CONTEXT))

    assert [child.text for child in envelope.body] == [
        value for value in (name, given_names, sex, born, place) if value
    ]
    _assert_valid(envelope)


@given(st.from_regex(r"[12][0-9]{5}[0-9AB][0-9]{6}([0-9]{2})?", fullmatch=True), st.booleans(), DAY, st.integers(1, 9))
def test_every_search_by_card_is_valid_against_the_official_schemas(
    number: str, has_own: bool, born: str, rank: int
) -> None:
    query = CardQuery(number, born, str(rank), "ADRUN", own=number if has_own else "")

    envelope = soap.read_envelope(build_card_search(query, SOFTWARE, CONTEXT))

    assert len(envelope.body) == (5 if has_own else 4)
    _assert_valid(envelope)


@given(st.text(max_size=30))
def test_a_text_is_never_markup(text: str) -> None:
    """What the alphabet refuses never gets here; were it to, it would be text."""
    clean = "".join(character for character in text if character.isprintable())

    body = soap.read_envelope(build_search(SearchQuery(clean, "A", "F", "2000-01-01"), SOFTWARE, CONTEXT)).body

    assert (body[0].text or "") == clean
    assert len(body) == 4


@given(st.text(max_size=25))
def test_any_text_is_a_date_or_refused_and_only_real_days_are_exact(text: str) -> None:
    for read in (dates.from_document, dates.from_insi, dates.from_pid_7, dates.from_zfd_1):
        found = read(text)
        assert (found.text == "") == (found.flag is Flag.REJECT)
        if found.flag in (Flag.EXACT, Flag.ESTIMATED):
            date.fromisoformat(found.text)


@given(DAY)
def test_a_day_reads_the_same_from_each_source(day: str) -> None:
    year, month, number = day.split("-")

    assert dates.from_document(f"{number}/{month}/{year}").text == day
    assert dates.from_insi(day).text == day
    assert dates.from_pid_7(f"{year}{month}{number}").text == day


@given(NAME, LIST, st.sampled_from("MF"), DAY, st.sampled_from(["33063", "2B020", "99109"]))
def test_an_identity_compares_with_itself_whatever_its_case_and_separators(
    name: str, given_names: str, sex: str, born: str, place: str
) -> None:
    insi = StrictTraits(name, given_names, sex, born, place)
    local = StrictTraits(
        name.lower(), given_names.replace(" ", "-").title(), sex, born, place.lower(), given_names.split()[0].lower()
    )

    assert differences(compare(local, insi)) == ()


@given(NAME, NAME)
def test_two_birth_names_compare_alike_both_ways(one: str, other: str) -> None:
    assert names.compare_names(one, other) == names.compare_names(other, one)
    assert (names.compare_names(one, other).likeness is Likeness.MISMATCH) == (one != other)


@given(st.text(max_size=60))
def test_what_insi_would_take_it_takes_again(text: str) -> None:
    written = names.transliterate(text)

    assert names.transliterate(written) == written


@given(LIST)
def test_a_list_of_plain_names_is_taken_as_it_is(given_names: str) -> None:
    assert names.normalise(given_names, Field.GIVEN_NAMES) == given_names


def _assert_valid(envelope: soap.Envelope) -> None:
    for part in (*envelope.headers, envelope.body):
        schema = SCHEMAS.get(etree.QName(part).localname)
        assert schema is None or schema.validate(part), schema.error_log
