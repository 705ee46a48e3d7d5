"""The decision table."""

import pytest

from ins_qualifier.core.decision import RULES, Finding, Priority, asks_insi, decide
from labohub.contracts.values import IdentityStatus


def test_every_finding_has_its_rule() -> None:
    assert {rule.finding for rule in RULES} == set(Finding)
    assert len(RULES) == len(Finding)


def test_only_recovered_traits_and_a_control_qualify() -> None:
    assert decide((), controlled=True).status is IdentityStatus.QUALIFIEE
    assert decide((), controlled=False).status is IdentityStatus.RECUPEREE
    assert decide((), controlled=False).code == "ins.not-validated"


@pytest.mark.parametrize("finding", list(Finding))
@pytest.mark.parametrize("controlled", [True, False])
def test_a_finding_never_qualifies(finding: Finding, controlled: bool) -> None:
    decision = decide((finding,), controlled=controlled)

    assert not decision.is_qualified
    assert decision.code


@pytest.mark.parametrize("finding", [rule.finding for rule in RULES if not rule.recovers])
def test_a_control_is_kept_when_insi_does_not_confirm_but_not_for_a_doubtful_identity(finding: Finding) -> None:
    validated = IdentityStatus.PROVISOIRE if finding is Finding.ATTRIBUTE else IdentityStatus.VALIDEE

    assert decide((finding,), controlled=True).status is validated
    assert decide((finding,), controlled=False).status is IdentityStatus.PROVISOIRE


def test_the_gravest_finding_decides() -> None:
    decision = decide((Finding.MATRICULE_REVIEW, Finding.CONFLICT, Finding.NOT_VALIDATED), controlled=True)

    assert (decision.code, decision.priority) == ("ins.conflict", Priority.HIGH)


def test_a_bad_matricule_does_not_keep_from_asking_insi_and_an_attribute_does() -> None:
    assert asks_insi((Finding.MATRICULE_REJECTED, Finding.CONTRADICTORY))
    assert not asks_insi((Finding.MATRICULE_REJECTED, Finding.ATTRIBUTE))
