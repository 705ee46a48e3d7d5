"""Four hundred messages of LTW and ILW with the answers of the standard, written before the code was read."""

import pytest

from tests.support.ltw_corpus.case import Case
from tests.support.ltw_corpus.door import decided, read_answer
from tests.support.ltw_corpus.headers import HEADERS
from tests.support.ltw_corpus.kinds import KINDS, SILENT
from tests.support.ltw_corpus.structures import STRUCTURES
from tests.support.ltw_corpus.values import VALUES


@pytest.mark.parametrize("case", [*HEADERS, *STRUCTURES, *VALUES, *KINDS], ids=str)
def test_a_message_gets_the_answer_of_the_standard(case: Case) -> None:
    _, _, frames = decided(case.raw)
    assert len(frames) == 1
    code, _, errors = read_answer(frames[0])
    assert code == case.answer, errors
    if code == "AA":
        assert all(severity == "W" for _, _, severity in errors)
        told = [(condition, place) for condition, place, _ in errors]
        assert not case.warns or any(condition in case.err3 and place in case.err2 for condition, place in told), told
    else:
        condition, place, severity = errors[0]
        assert condition in case.err3
        assert place in case.err2
        assert severity == "E"


@pytest.mark.parametrize(("name", "raw"), SILENT, ids=[name for name, _ in SILENT])
def test_an_answer_is_never_answered(name: str, raw: bytes) -> None:
    assert decided(raw)[2] == (), name
