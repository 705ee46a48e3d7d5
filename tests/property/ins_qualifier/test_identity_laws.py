"""Laws of statuses and comparisons, whatever the order of things."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ins_qualifier.core.check import Check
from ins_qualifier.core.decision import Finding, decide
from ins_qualifier.core.keys import Keys
from ins_qualifier.core.local import check_patient
from ins_qualifier.core.record import AXES, TRANSITIONS, Cause, Effect, Record, Seen, lowest, moved, observe
from labohub.contracts.values import Identity, IdentityStatus, Ins, Traits
from labohub.standards.ins import names, traits
from labohub.standards.ins.names import Likeness
from labosim.identities import generated_identity
from tests.support.ins import AT, numbered, received

PERSON = generated_identity(7)
findings = st.sets(st.sampled_from(list(Finding)), max_size=5)
statuses = st.sampled_from(list(IdentityStatus))
texts = st.text(alphabet="ABÉç '-", min_size=0, max_size=12)


def is_below(one: IdentityStatus, other: IdentityStatus) -> bool:
    """Say whether each axis that holds in one holds in the other."""
    return all(high or not low for low, high in zip(AXES[one], AXES[other], strict=True))


@given(findings, findings, st.booleans())
def test_another_finding_never_makes_an_identity_qualified(
    some: set[Finding], more: set[Finding], controlled: bool
) -> None:
    if decide(some | more, controlled=controlled).is_qualified:
        assert decide(some, controlled=controlled).is_qualified


@given(findings, st.booleans())
def test_a_finding_never_raises_a_status_above_what_none_gives(some: set[Finding], controlled: bool) -> None:
    assert is_below(decide(some, controlled=controlled).status, decide((), controlled=controlled).status)


@given(findings)
def test_a_control_never_lowers_a_status(some: set[Finding]) -> None:
    assert is_below(decide(some, controlled=False).status, decide(some, controlled=True).status)


@given(statuses, statuses)
def test_the_lowest_of_two_statuses_is_below_both_and_the_same_either_way(
    one: IdentityStatus, other: IdentityStatus
) -> None:
    assert lowest(one, other) is lowest(other, one)
    assert is_below(lowest(one, other), one)
    assert is_below(lowest(one, other), other)


@given(statuses, st.sampled_from([move.cause for move in TRANSITIONS]), st.booleans())
def test_each_cause_moves_the_axes_as_its_row_says(status: IdentityStatus, cause: Cause, controlled: bool) -> None:
    (rule,) = [move for move in TRANSITIONS if move.cause is cause]
    record = Record("i", "d", "s", Traits(birth_name="A", first_given_name="B", birth_date="", sex="F"), status=status)
    after, change = moved(record, cause, controlled=controlled)
    assert (change.before, change.after, after.version) == (status, after.status, record.version + 1)
    for effect, before, now in zip((rule.recovered, rule.controlled), AXES[status], AXES[after.status], strict=True):
        if effect in (Effect.KEEP, Effect.RISE, Effect.FALL):
            assert now == {Effect.KEEP: before, Effect.RISE: True, Effect.FALL: False}[effect]
    assert bool(after.blocked) == rule.blocks
    if rule.withdraws:
        assert after.ins is None


steps = st.tuples(
    st.sampled_from(["", "AUTRE"]),
    st.sampled_from([("VALI",), (), ("PROV",), ("VALI", "DOUT")]),
    st.booleans(),
    st.integers(0, 3),
)


@given(st.lists(steps, min_size=1, max_size=6))
def test_a_status_rises_on_axis_i_only_with_insis_identity_and_keeps_no_matricule_without(
    told: list[tuple[str, tuple[str, ...], bool, int]],
) -> None:
    record = Record("i", "d", "s", numbered(PERSON).traits)
    versions = 0
    for name, reliability, is_found, hours in told:
        changes = {"birth_name": name} if name else {}
        patient = numbered(PERSON, reliability=reliability, **changes)  # type: ignore[arg-type]
        local = check_patient(patient, environment="test")
        found = () if is_found and not name else (Finding.NOT_FOUND,)
        present = (*local.findings, *found)
        identity = Identity(
            status=IdentityStatus.QUALIFIEE,
            traits=numbered(PERSON).traits,
            ins=Ins(matricule=PERSON.matricule, oid=PERSON.oid),
        )
        before = record
        check = Check(event=received(patient), planned_at=AT)
        record, lines = observe(
            record,
            Seen(
                check_id="c",
                told_at=check.named_at + timedelta(hours=hours),
                patient=patient,
                local=local,
                traits_key=Keys(b"k").traits(local),
                decision=decide(present, controlled=local.controlled),
                findings=present,
                identity=identity if not found and Finding.ATTRIBUTE not in present else None,
            ),
            AT,
        )
        versions += len(lines)
        assert record.version == versions  # nothing changes a status without a line of history
        if AXES[record.status].recovered and not AXES[before.status].recovered:
            assert not found
        assert (record.ins is not None) == AXES[record.status].recovered


@given(texts, texts)
def test_two_birth_names_are_as_close_either_way(one: str, other: str) -> None:
    assert names.compare_names(one, other).likeness is names.compare_names(other, one).likeness


@given(texts, texts)
def test_two_lists_of_first_names_that_each_complete_the_other_have_the_same_names(one: str, other: str) -> None:
    both = (names.compare_given_names(one, other), names.compare_given_names(other, one))
    if all(comparison.likeness is not Likeness.MISMATCH for comparison in both):
        words = [names.transliterate(text).replace("'", " ").replace("-", " ").split() for text in (one, other)]
        assert words[0] == words[1]


@given(st.sampled_from(["33063", "99109", "99350", "99999"]), st.sampled_from(["33063", "99109", "99350"]))
def test_known_places_are_as_close_either_way(one: str, other: str) -> None:
    if one != "99999":  # what is unknown is completed, not the reverse
        assert traits.compare_places(one, other).likeness is traits.compare_places(other, one).likeness
