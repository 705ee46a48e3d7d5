"""A corpus of return mails, composed here: what each is, what it tells, and that no person's word is lost."""

import pytest

from labohub.standards.mail_reading import parse_mail
from mss_sender.core.effects import Fact, facts_of
from mss_sender.core.planning import plan
from mss_sender.core.sorting import Kind, Sorted, sort
from mss_sender.core.values import PlannedMail
from mss_sender.workers.sorting import FOR_PEOPLE
from tests.support.mss import AT, LABORATORIES, LABORATORY, doctor, document_built, patient
from tests.support.return_forms import ENVELOPE, OUR_ID, Case
from tests.support.return_notices import notices
from tests.support.return_people import others

CASES = [*notices(), *others()]
FEWEST, LEAST_RIGHT = 200, 0.99


def planned(case: Case) -> PlannedMail:
    (mail,) = plan(document_built(patient() if case.to_patient else doctor()), LABORATORY, AT)
    assert isinstance(mail, PlannedMail)
    return mail


def understood(case: Case) -> Sorted:
    return sort(parse_mail(case.raw), LABORATORIES)


def told(fact: Fact, case: Case) -> tuple[str, str]:
    """Return what a fact says, in the corpus's words."""
    event = fact.event
    words = [str(getattr(event, name, "")) for name in ("smtp_code", "action", "disposition", "error_code")]
    if case.to_patient:
        words.append(str(getattr(event, "code", "")))
    return type(event).__name__, " ".join(word for word in words if word)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_return_is_what_it_is_and_says_what_it_says(case: Case) -> None:
    found = understood(case)
    assert found.kind.value == case.kind
    facts = facts_of(found, planned(case), AT)
    assert [told(fact, case) for fact in facts] == ([case.told] if case.told else [])


@pytest.mark.parametrize("case", [case for case in CASES if case.told], ids=lambda case: case.name)
def test_what_speaks_of_our_mail_is_tied_to_it(case: Case) -> None:
    found = understood(case)
    assert found.envelope_id == ENVELOPE or OUR_ID in found.message_ids


def test_the_corpus_is_large_and_nearly_all_of_it_right() -> None:
    right = sum(understood(case).kind.value == case.kind for case in CASES)
    assert len({case.raw for case in CASES}) >= FEWEST
    assert right >= LEAST_RIGHT * len(CASES)


def test_no_word_of_a_person_is_lost() -> None:
    lost = [case.name for case in CASES if case.is_human and not _reaches_people(understood(case).kind)]
    assert lost == []


def _reaches_people(kind: Kind) -> bool:
    return kind.is_human or kind in FOR_PEOPLE
