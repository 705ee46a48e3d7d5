"""Test identities: each is one person, and none could pass for a real one in production by mistake of ours."""

from hypothesis import given
from hypothesis import strategies as st

from labohub.standards.ins import matricule, oids
from labohub.standards.ins.matricule import Outcome
from labosim.identities import PUBLIC, generated_from, generated_identity


@given(st.integers(0, 10_000_000))
def test_a_generated_person_is_always_the_same_and_found_by_name(number: int) -> None:
    person = generated_identity(number)

    assert person == generated_identity(number)
    assert generated_from(person.birth_name) == person
    assert matricule.check(person.matricule, person.oid, environment="test").outcome is Outcome.ACCEPT
    assert matricule.check(person.matricule, person.oid, environment="production").reason == "OID_TEST_IN_PROD"


def test_thousands_of_generated_persons_share_neither_name_nor_matricule() -> None:
    people = [generated_identity(number) for number in range(20_000)]

    assert len({person.birth_name for person in people}) == len(people)
    assert len({person.matricule for person in people}) == len(people)


def test_a_name_of_nobody_gives_nobody() -> None:
    for name in ("", "DUPONT", "TEST-", "TEST-BABABA", "TEST-XY", "TEST-BAé"):
        assert generated_from(name) is None


def test_every_public_identity_has_a_right_key_and_a_known_authority() -> None:
    for person in PUBLIC:
        assert matricule.check(person.matricule, person.oid, environment="test").outcome is Outcome.ACCEPT
        assert oids.is_ins(person.oid)
