"""Whatever a message says and INSi answers, only the right patient is qualified."""

from hypothesis import given
from hypothesis import strategies as st

from ins_qualifier.core.check import Check, announcement
from ins_qualifier.core.decision import asks_insi, decide
from ins_qualifier.core.local import check_patient
from ins_qualifier.core.matching import judge, qualified
from labohub.contracts.events import IdentityQualified
from labohub.contracts.values import Ins, Patient, Traits
from labohub.standards.ins import oids
from labohub.standards.ins.insi_answer import Individual, Number
from labohub.standards.ins.matricule import with_key
from labohub.standards.ins.traits import StrictTraits
from tests.support.ins import AT, received

ACTIVE = with_key("2700433063123")
FORMER = with_key("1700433063123")
OTHER = with_key("2850633063001")
WRONG_KEY = f"{ACTIVE[:13]}{int(ACTIVE[13:]) % 97 + 1:02d}"
INSI = StrictTraits("D'AMBERRE", "ANNE-LISE SOPHIE", "F", "1970-04-02", "33063")

patients = st.builds(
    lambda name, first, names, date, sex, place, ins, reliability: Patient(
        traits=Traits(
            birth_name=name,
            first_given_name=first,
            given_names=names,
            birth_date=date,
            sex=sex,
            birth_place=place,
        ),
        ins=ins,
        reliability=tuple(reliability),
    ),
    st.sampled_from(["D'AMBERRE", "D’Ambérre", "D-AMBERRE", "DAMBERRE", "AMBERRE", "D'AMBERR3", ""]),
    st.sampled_from(["ANNE-LISE", "Anne Lise", "ANNE", "SOPHIE", ""]),
    st.sampled_from(["ANNE-LISE SOPHIE", "ANNE-LISE", "SOPHIE ANNE-LISE", ""]),
    st.sampled_from(["19700402", "19700204", "1970", ""]),
    st.sampled_from(["F", "M", "U"]),
    st.sampled_from(["33063", "99999", "", "75114"]),
    st.none()
    | st.builds(
        lambda number, oid: Ins(matricule=number, oid=oid),
        st.sampled_from([ACTIVE, FORMER, OTHER, WRONG_KEY, ""]),
        st.sampled_from([oids.INS_NIR, oids.INS_NIA, oids.INS_NIR_TEST, "1.2.3"]),
    ),
    st.lists(st.sampled_from(["VALI", "VALI", "QUAL", "PROV", "RECUP", "DOUT", "FICT", "HOMD"]), max_size=2),
)
individuals = st.builds(
    lambda number, oid, place: Individual(
        active=Number(number, oid),
        history=(Number(FORMER, oids.INS_NIR),),
        traits=INSI._replace(birth_place=place),
    ),
    st.sampled_from([ACTIVE, ACTIVE, OTHER, WRONG_KEY]),
    st.sampled_from([oids.INS_NIR, oids.INS_NIR, oids.INS_NIR_TEST]),
    st.sampled_from(["33063", "33063", ""]),
)
environments = st.sampled_from(["production", "test"])


def is_right(patient: Patient, individual: Individual, environment: str) -> bool:
    """Say by other means whether this may be qualified: the accepted spellings are listed, not computed."""
    traits, active = patient.traits, individual.active
    accepted = {oids.INS_NIR, oids.INS_NIA} | ({oids.INS_NIR_TEST} if environment == "test" else set())
    reliability = set(patient.reliability)
    numbers = {(active.matricule, active.oid), (FORMER, oids.INS_NIR)}
    received_ins = (patient.ins.matricule, patient.ins.oid) if patient.ins else ("", "")
    return (
        traits.birth_name in {"D'AMBERRE", "D’Ambérre", "D-AMBERRE"}
        and traits.first_given_name in {"ANNE-LISE", "Anne Lise", "ANNE", ""}
        and traits.given_names in {"ANNE-LISE SOPHIE", "ANNE-LISE", ""}
        and bool(traits.first_given_name or traits.given_names)
        and (traits.birth_date, traits.sex) == ("19700402", "F")
        and traits.birth_place in {"33063", "99999", ""}
        and individual.traits.birth_place == "33063"
        and active.matricule != WRONG_KEY
        and active.oid in accepted
        and bool(reliability & {"VALI", "QUAL"})
        and not reliability & {"PROV", "RECUP", "DOUT", "FICT"}
        and (patient.ins is None or (received_ins in numbers and received_ins[1] in accepted))
    )


@given(patients, individuals, environments)
def test_the_right_patient_is_qualified_and_nobody_else(
    patient: Patient, individual: Individual, environment: str
) -> None:
    local = check_patient(patient, environment=environment)
    findings = local.findings
    if asks_insi(findings):
        findings = (*findings, *judge(patient, local, individual, environment=environment)[0])

    decision = decide(findings, controlled=local.controlled)

    assert decision.is_qualified == is_right(patient, individual, environment)


@given(patients, individuals)
def test_what_is_not_qualified_says_no_trait_and_no_matricule(patient: Patient, individual: Individual) -> None:
    local = check_patient(patient, environment="test")
    findings, details = judge(patient, local, individual, environment="test")
    decision = decide((*local.findings, *findings), controlled=local.controlled)
    check = Check(event=received(patient), planned_at=AT)

    event = announcement(check, decision, qualified(patient, individual), AT)

    if isinstance(event, IdentityQualified):
        assert event.identity.ins is not None
        return
    told = event.model_dump_json() + repr((*local.details, *details))
    for secret in (ACTIVE, FORMER, OTHER, WRONG_KEY, "AMBERRE", "Ambérre", "LISE", "19700402", "33063"):
        assert secret not in told
