"""Who INSi knows, and who answers to a question."""

from collections.abc import Iterable
from dataclasses import replace

from labohub.standards.ins.matricule import with_key
from labosim.identities import TestIdentity, generated_from
from labosim.insi.questions import CardQuestion, Question

_TWIN, _GENERATED = "TWIN-", "TEST-"  # a generated person, and the same one with a namesake
_ELSEWHERE = "59350"


class Register:
    """The identities that INSi knows, found by birth name, sex and date; first names and place narrow the choice.

    All generated ones are in it. `TWIN-…` instead of `TEST-…` gives two persons who differ by their birth place.
    """

    def __init__(self, identities: Iterable[TestIdentity]) -> None:
        self._identities = list(identities)
        self._numbers = _numbers(self._identities)
        self._cards: dict[tuple[str, str, str], TestIdentity] = {}

    def add(self, identity: TestIdentity) -> None:
        """Make a person known, or known otherwise: whoever has the number, or one it replaces, is that person now."""
        numbers = {identity.matricule, *identity.former}
        self._identities = [known for known in self._identities if known.matricule not in numbers] + [identity]
        self._numbers |= numbers

    def enrol(self, holder: str, identity: TestIdentity, rank: str = "1") -> None:
        """Write a person on the Vitale card of a holder, e.g. a child on a parent's: it shows the parent's number."""
        self._cards[holder[:13], _iso(identity.birth_date), rank] = identity

    def find(self, question: Question) -> list[TestIdentity]:
        """Return who answers to these traits."""
        named = [known for known in self._identities if known.birth_name == question.birth_name]
        return [
            identity
            for identity in [*named, *_generated(question.birth_name, self._numbers)]
            if (identity.sex, _iso(identity.birth_date)) == (question.sex, question.birth_date)
            and _answers(identity.given_names, question.given_name)
            and question.birth_place in ("", identity.birth_place)
        ]

    def find_by_card(self, question: CardQuestion) -> list[TestIdentity]:
        """Return whom a card names: by his own number, else by the holder's with the birth date and rank."""
        if not question.own:
            known = self._cards.get((question.holder, question.birth_date, question.rank))
            return [known] if known else []
        return [
            known
            for known in self._identities
            if question.own in {number[:13] for number in (known.matricule, *known.former)}
            and _iso(known.birth_date) == question.birth_date
            and question.birth_name in ("", known.birth_name)
        ]


def _generated(birth_name: str, known: set[str]) -> list[TestIdentity]:
    """Return the generated persons of a name, without those that the register knows otherwise."""
    has_namesake = birth_name.startswith(_TWIN)
    one = generated_from(birth_name.replace(_TWIN, _GENERATED, 1) if has_namesake else birth_name)
    if one is None:
        return []
    one = replace(one, birth_name=birth_name)
    body = f"{one.matricule[:5]}{_ELSEWHERE}{one.matricule[10:13]}"
    other = replace(one, birth_place=_ELSEWHERE, matricule=with_key(body))
    people = [one, other] if has_namesake and other != one else [one]
    return [person for person in people if person.matricule not in known]


def _numbers(identities: Iterable[TestIdentity]) -> set[str]:
    return {number for identity in identities for number in (identity.matricule, *identity.former)}


def _iso(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:]}"


def _answers(names: str, asked: str) -> bool:
    """True for one name of the list, or for several that begin it. Composite names are one, hyphen or not."""
    words, wanted = names.replace("-", " ").split(), asked.replace("-", " ").split()
    whole_names = [name.replace("-", " ") for name in names.split()]
    return words[: len(wanted)] == wanted or " ".join(wanted) in whole_names
