"""Local traits against INSi's."""

from labohub.standards.ins.traits import StrictTraits, compare, differences

INSI = StrictTraits("D'AMBERRE", "ANNE LISE SOPHIE", "F", "1970-04-02", "33063")
LOCAL = StrictTraits("D'Amberre", "Anne Lise", "F", "1970-04-02", "33063", "Anne-Lise")


def wrong(local: StrictTraits, insi: StrictTraits = INSI) -> list[str]:
    return [difference.trait for difference in differences(compare(local, insi))]


def test_tolerated_differences_forbid_nothing() -> None:
    assert wrong(LOCAL) == []


def test_each_trait_that_differs_is_named() -> None:
    assert wrong(LOCAL._replace(birth_name="DAMBERRE")) == ["birth_name"]
    assert wrong(LOCAL._replace(first_given_name="LISE")) == ["first_given_name"]
    assert wrong(LOCAL._replace(given_names="LISE ANNE")) == ["given_names"]
    assert wrong(LOCAL._replace(sex="M")) == ["sex"]
    assert wrong(LOCAL._replace(birth_date="1970-02-04")) == ["birth_date"]
    assert wrong(LOCAL._replace(birth_place="33064")) == ["birth_place"]


def test_an_unknown_birth_place_is_completed_by_insi() -> None:
    assert wrong(LOCAL._replace(birth_place="")) == []
    assert wrong(LOCAL._replace(birth_place="99999")) == []


def test_two_country_codes_may_differ() -> None:
    assert wrong(LOCAL._replace(birth_place="99350"), INSI._replace(birth_place="99352")) == []


def test_a_birth_place_that_insi_does_not_give_needs_a_person() -> None:
    assert wrong(LOCAL, INSI._replace(birth_place="")) == ["birth_place"]


def test_without_a_list_the_first_name_alone_is_compared() -> None:
    assert wrong(LOCAL._replace(given_names="")) == []
