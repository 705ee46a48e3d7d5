"""Which corrections make a document that left another person's."""

import pytest

from ins_qualifier.core.recall import why_wrong
from labohub.contracts.values import Identity, IdentityStatus, Ins, Patient, Traits

LEFT = Identity(
    status=IdentityStatus.QUALIFIEE,
    traits=Traits(
        birth_name="PAT-TROIS", first_given_name="DOMINIQUE", given_names="DOMINIQUE MARIE-LOUISE",
        birth_date="19790328", sex="F", birth_place="51215",
    ),
    ins=Ins(matricule="279035121518989", oid="1.2.250.1.213.1.4.10"),
)  # fmt: skip


def now(*, reliability: tuple[str, ...] = ("VALI",), ins: Ins | None = LEFT.ins, **traits: str) -> Patient:
    return Patient(traits=LEFT.traits.model_copy(update=traits), ins=ins, reliability=reliability)


def reasons(patient: Patient) -> set[tuple[str, str]]:
    return {(each.subject, each.reason) for each in why_wrong(LEFT, patient, environment="test")}


@pytest.mark.parametrize(
    "patient",
    [
        now(),
        now(birth_name="Pat Trois"),
        now(given_names="", birth_place=""),
        now(ins=None),
        now(birth_date="", sex="U"),
        now(used_name="MARTIN"),
    ],
    ids=["equal", "separators", "left-out", "no-ins", "unknown", "used-name"],
)
def test_what_insi_had_said_already_recalls_nothing(patient: Patient) -> None:
    assert reasons(patient) == set()


def test_another_name_date_or_sex_recalls_the_report() -> None:
    assert {subject for subject, _ in reasons(now(birth_name="MARTIN"))} == {"birth_name"}
    assert {subject for subject, _ in reasons(now(birth_date="19800328"))} == {"birth_date"}
    assert {subject for subject, _ in reasons(now(sex="M"))} == {"sex"}


def test_another_matricule_recalls_the_report() -> None:
    other = Ins(matricule="260058815400233", oid="1.2.250.1.213.1.4.10")
    assert ("matricule", "OTHER_THAN_SENT") in reasons(now(ins=other))


def test_a_doubtful_or_no_longer_validated_identity_recalls_the_report() -> None:
    assert reasons(now(reliability=("PROV", "DOUT"), ins=None)) == {("reliability", "DOUT")}
    assert reasons(now(reliability=("PROV",), ins=None)) == {("reliability", "NOT_VALIDATED")}
