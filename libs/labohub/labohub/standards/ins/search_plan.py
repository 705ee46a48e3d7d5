"""Which first name, with or without the birth place, is the next to ask INSi.

First names one by one in their order, never cut at a hyphen; then all together. After an ambiguous answer: all
together, then the ambiguous question with the birth place. Nothing else is varied: no other sex, no swapped date, no
used name.
Source: behaviour of two CNDA-certified clients (tests 2.06 and 2.07); regional INS sheets.
"""

from collections.abc import Sequence
from typing import NamedTuple

MAX_CALLS = 6  # per identity and visit: the other side counts calls
NOT_FOUND = "01"
AMBIGUOUS = "02"


class Step(NamedTuple):
    """One question: the content of `Prenom`, and the COG code of the birth place or nothing."""

    given_name: str
    birth_place: str = ""


def given_name_values(given_names: str) -> tuple[str, ...]:
    """Return the successive values of `Prenom`: each name of the list, then the whole list when it has several."""
    names = tuple(given_names.split())
    return (*names, " ".join(names)) if len(names) > 1 else names


def next_step(given_names: str, birth_place: str, answered: Sequence[tuple[Step, str]]) -> Step | None:
    """Return the next question, or None when the plan is over.

    Args:
        given_names: the list in INSi's alphabet.
        birth_place: COG code; empty when unknown.
        answered: the questions already asked and the code of each answer, in order.
    """
    values = given_name_values(given_names)
    if not values or len(answered) >= MAX_CALLS:
        return None
    if not answered:
        return Step(values[0])
    asked = [step for step, _ in answered]
    ambiguous = [step for step, code in answered if code == AMBIGUOUS]
    if ambiguous:
        wanted = [Step(values[-1])]
        if birth_place:
            wanted.append(Step(ambiguous[-1].given_name, birth_place))
        if any(step.birth_place for step in asked):
            return None
    elif answered[-1][1] == NOT_FOUND:
        wanted = [Step(value) for value in values]
    else:
        return None
    return next((step for step in wanted if step not in asked), None)
