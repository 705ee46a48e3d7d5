"""The local checks of a patient."""

import pytest

from ins_qualifier.core.decision import Finding, asks_insi
from ins_qualifier.core.local import check_patient
from labohub.contracts.values import Ins, Patient, Traits
from labohub.standards.ins.matricule import with_key

PATIENT = Patient(
    traits=Traits(
        birth_name="D’Ambérre",
        first_given_name="Anne-Lise",
        given_names="Anne-Lise Sophie",
        birth_date="19700402",
        sex="F",
        birth_place="33063",
    ),
    ins=Ins(matricule=with_key("2700433063123"), oid="1.2.250.1.213.1.4.8"),
    reliability=("VALI",),
)


def with_traits(**traits: str) -> Patient:
    return PATIENT.model_copy(update={"traits": PATIENT.traits.model_copy(update=traits)})


def test_traits_are_put_into_insis_alphabet() -> None:
    check = check_patient(PATIENT, environment="production")

    assert check.findings == ()
    assert check.controlled
    assert check.traits.birth_name == "D'AMBERRE"
    assert check.traits.birth_date == "1970-04-02"
    assert check.given_names == "ANNE-LISE SOPHIE"


def test_without_a_list_the_first_name_is_searched() -> None:
    assert check_patient(with_traits(given_names=""), environment="production").given_names == "ANNE-LISE"


def test_without_a_first_name_the_list_is_searched() -> None:
    check = check_patient(with_traits(first_given_name=""), environment="production")

    assert check.findings == ()
    assert check.given_names == "ANNE-LISE SOPHIE"


@pytest.mark.parametrize(
    ("traits", "finding", "subject"),
    [
        ({"birth_name": " "}, Finding.INCOMPLETE, "birth_name"),
        ({"first_given_name": "", "given_names": ""}, Finding.INCOMPLETE, "first_given_name"),
        ({"birth_name": "DUPRÉ (MARTIN)"}, Finding.NAME_REFUSED, "birth_name"),
        ({"given_names": "ANNE, LISE"}, Finding.NAME_REFUSED, "given_names"),
        ({"birth_date": ""}, Finding.INCOMPLETE, "birth_date"),
        ({"birth_date": "19700231"}, Finding.DATE_UNUSABLE, "birth_date"),
        ({"sex": "I"}, Finding.SEX_UNUSABLE, "sex"),
    ],
)
def test_each_unusable_trait_is_found_and_named(traits: dict[str, str], finding: Finding, subject: str) -> None:
    check = check_patient(with_traits(**traits), environment="production")

    assert check.findings == (finding,)
    assert check.details[0].subject == subject
    assert all(value not in repr(check.details) for value in traits.values() if len(value.strip()) > 1)


@pytest.mark.parametrize(
    ("reliability", "controlled"),
    [
        (("VALI",), True),
        (("QUAL",), True),
        (("RECUP",), False),
        (("PROV",), False),
        ((), False),
        (("VALI", "PROV"), False),
    ],
)
def test_axis_c_is_the_senders_word(reliability: tuple[str, ...], controlled: bool) -> None:
    patient = PATIENT.model_copy(update={"reliability": reliability, "ins": None})

    assert check_patient(patient, environment="production").controlled is controlled


@pytest.mark.parametrize(
    ("number", "oid", "environment", "finding"),
    [
        (with_key("2700433063123"), "1.2.250.1.213.1.4.10", "production", Finding.MATRICULE_REJECTED),
        (with_key("2700433063123"), "1.2.250.1.213.1.4.10", "test", None),
        (with_key("3700433063123"), "1.2.250.1.213.1.4.8", "production", Finding.MATRICULE_REVIEW),
        ("270043306312300", "1.2.250.1.213.1.4.8", "production", Finding.MATRICULE_REJECTED),
    ],
)
def test_a_received_matricule_is_checked(number: str, oid: str, environment: str, finding: Finding | None) -> None:
    patient = PATIENT.model_copy(update={"ins": Ins(matricule=number, oid=oid)})

    assert check_patient(patient, environment=environment).findings == ((finding,) if finding else ())


@pytest.mark.parametrize(
    "attribute", ["DOUT", "DOUTE", "FICT", "FICTI", "ANOM", "CACH", "USUR", "COLP", "COLV", "DESA", "INVA"]
)
def test_an_identity_that_may_be_nobodys_or_somebody_elses_waits_for_a_person(attribute: str) -> None:
    check = check_patient(PATIENT.model_copy(update={"reliability": ("VALI", attribute)}), environment="production")
    assert Finding.ATTRIBUTE in check.findings
    assert not asks_insi(check.findings)


@pytest.mark.parametrize("attribute", ["HOMA", "HOMD", "DOUB", "DPOT"])
def test_a_homonym_or_a_second_file_of_the_same_person_goes_on(attribute: str) -> None:
    check = check_patient(PATIENT.model_copy(update={"reliability": ("VALI", attribute)}), environment="production")
    assert check.findings == ()
