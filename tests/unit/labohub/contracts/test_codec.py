"""Identifiers that are derived: the same for ever, since what was sent is recognised by them."""

from uuid import NAMESPACE_URL, UUID, uuid5

from labohub.contracts.codec import derived_id


def test_a_derived_identifier_is_the_uuid5_of_its_parts() -> None:
    root = uuid5(NAMESPACE_URL, "urn:labohub:event")
    for number in range(500):  # every variant nibble, and what hides a leading zero
        parts = ("message", "SGL é", str(number))
        assert derived_id(*parts) == str(uuid5(root, "\x1f".join(parts)))


def test_parts_do_not_run_into_one_another() -> None:
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert UUID(derived_id()).version == 5
