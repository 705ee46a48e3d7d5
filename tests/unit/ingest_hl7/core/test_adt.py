"""What an ADT decides: news of a patient, or a refusal that says which fact is missing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_hl7.core.adt import decide
from ingest_hl7.core.consents import Consent, Feeding, is_opposed, local_subject, subjects
from ingest_hl7.core.corrections import corrected, is_another_identity
from ingest_hl7.core.decision import Archived, PatientNews, Refusal
from ingest_hl7.core.senders import Role, Sender
from labohub.contracts.values import Ins, LocalIdentifier, Patient, Traits
from labohub.standards import er7
from labohub.standards.hl7.pam import EVENTS
from tests.support.ingest import MATRICULE, OTHER_MATRICULE, TEST_OID, pid
from tests.support.pam import adt_message, local, zfa

SENDER = Sender()


def news(message: bytes, sender: Sender = SENDER) -> PatientNews:
    decision = decide(er7.read(message), sender, "test")
    assert isinstance(decision, PatientNews)
    return decision


def refusals(message: bytes) -> list[tuple[str, str, str]]:
    decision = decide(er7.read(message), SENDER, "test")
    assert isinstance(decision, Refusal)
    assert decision.code == "AE"
    return [(each.condition, each.location, each.reason) for each in decision.findings]


def merge_of(event: str) -> tuple[str, ...]:
    return (f"MRG|{local('R000999')}",) if event in ("A40", "A47") else ()


@pytest.mark.parametrize("event", list(EVENTS))
def test_each_event_of_the_profile_is_taken(event: str) -> None:
    told = news(adt_message(event, "1", *merge_of(event)))
    assert told.patient.traits.birth_name == "KERMADEC"
    assert told.tells_identity is (event in {"A01", "A04", "A05", "A08", "A28", "A31", "A40", "A47"})
    assert told.reason == (
        "pam.merge" if event in ("A40", "A47") else "pam.identity" if told.tells_identity else "pam.movement"
    )


def test_a_merge_names_each_identifier_and_what_stands_for_it() -> None:
    told = news(adt_message("A40", "1", f"MRG|{local('R1')}~{local('R2')}"))
    assert [(each.prior.value, each.survivor.value) for each in told.merges] == [("R1", "R000451"), ("R2", "R000451")]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (adt_message("A31", "1", patient="PD1|"), ("100", "PID^1", "patient.missing")),
        (adt_message("A40", "1", pid(), f"MRG|{local('R1')}"), ("100", "PID^2", "patient.several")),
        (
            adt_message("A31", "1", patient="PID|1||||KERMADEC^J^^^^^L"),
            ("101", "PID^1^3", "patient.identifier-missing"),
        ),
        (adt_message("A31", "1", patient=f"PID|1||{local('R1')}"), ("101", "PID^1^5", "patient.name-missing")),
        (adt_message("A40", "1"), ("100", "MRG^1", "pam.merge-prior-missing")),
        (adt_message("A47", "1", "MRG|^^^X^AN"), ("101", "MRG^1^1", "pam.merge-prior-missing")),
        (adt_message("A40", "1", f"MRG|{local('R000451')}"), ("199", "MRG^1^1", "pam.merge-same")),
        (adt_message("A40", "1", f"MRG|{local('R1', 'AILLEURS')}"), ("199", "MRG^1^1", "pam.merge-authority")),
        (adt_message("A03", "1", zfa("OUI")), ("103", "ZFA^1^9", "pam.consent-unknown")),
        (adt_message("A03", "1", zfa("IO", consultation="X")), ("103", "ZFA^1^11", "pam.consent-unknown")),
        (adt_message("A31", "1", patient=pid(MATRICULE[:13] + "99")), ("102", "PID^1^3^2^1", "ins.key-range")),
    ],
)
def test_what_nobody_could_rely_on_is_refused(message: bytes, expected: tuple[str, str, str]) -> None:
    assert refusals(message)[0] == expected


def test_an_ins_that_is_not_validated_is_left_with_a_warning() -> None:
    told = news(adt_message("A31", "1", patient=pid(reliability="PROV")))
    assert told.patient.ins is None
    assert [each.reason for each in told.warnings] == ["ins.not-validated"]


def test_a_tolerated_habit_leaves_a_warning() -> None:
    shifted = adt_message("A03", "1", "ZBE|002^CHU|20260306110000|20260309102840||INSERT|N||U||HMS")
    assert [each.reason for each in news(shifted).warnings] == ["pam.movement-shifted"]
    without = adt_message("A31", "1").replace(b"EVN||20260312094000||||20260312094000\r", b"")
    assert [each.reason for each in news(without).warnings] == ["pam.event-missing"]


@pytest.mark.parametrize("role", [Role.SUBCONTRACTOR, Role.MIDDLEWARE])
def test_who_is_not_the_laboratory_corrects_nobody(role: Role) -> None:
    decision = decide(er7.read(adt_message("A31", "1")), Sender(role=role), "test")
    assert isinstance(decision, Archived)
    assert (decision.reason, [each.reason for each in decision.warnings]) == (
        "pam.not-of-record",
        ["pam.not-of-record"],
    )


def test_the_same_number_of_two_authorities_is_two_patients() -> None:
    one = LocalIdentifier(value="R1", authority_name="A")
    assert local_subject(one, "CHU") != local_subject(one, "LABO")
    assert local_subject(one, "CHU") != local_subject(one.model_copy(update={"authority_name": "B"}), "CHU")
    known = one.model_copy(update={"authority_id": "990000911"})
    assert local_subject(known, "CHU") == local_subject(known.model_copy(update={"authority_name": "B"}), "LABO")
    unknown = one.model_copy(update={"authority_id": "12"})
    assert local_subject(unknown, "CHU") != local_subject(unknown, "LABO")
    by_oid = one.model_copy(update={"authority_oid": "1.2.3"})
    assert local_subject(by_oid, "CHU") == local_subject(by_oid, "LABO")


def test_a_patient_is_known_by_his_identifiers_and_his_ins() -> None:
    told = news(adt_message("A31", "1"))
    assert len(subjects(told.patient, "REMPARTS")) == 2


def said(feeding: Feeding, day: int) -> Consent:
    return Consent(feeding, datetime(2026, 3, day, tzinfo=UTC), "zfa", f"m{day}")


@pytest.mark.parametrize(
    ("history", "opposed"),
    [
        ([], False),
        ([said(Feeding.OPPOSED, 9)], True),
        ([said(Feeding.OPPOSED, 9), said(Feeding.NOT_OPPOSED, 10)], False),
        ([said(Feeding.NOT_OPPOSED, 10), said(Feeding.OPPOSED, 9)], False),
        ([said(Feeding.NOT_OPPOSED, 9), said(Feeding.OPPOSED, 9)], True),
        ([said(Feeding.OPPOSED, 9), said(Feeding.NOT_COLLECTED, 11)], True),
        ([said(Feeding.NOT_COLLECTED, 9)], False),
    ],
    ids=["nothing", "opposed", "lifted", "late", "same-day", "not-collected-lifts-nothing", "not-collected"],
)
def test_the_latest_decision_counts(history: list[Consent], opposed: bool) -> None:
    assert is_opposed(history) is opposed


KNOWN = Patient(
    traits=Traits(
        birth_name="KERMADEC", first_given_name="JEANNE", given_names="JEANNE LOUISE", birth_date="19840512", sex="F",
        birth_place="33063",
    ),
    ins=Ins(matricule=MATRICULE, oid=TEST_OID),
    reliability=("VALI",),
    local_ids=(LocalIdentifier(value="L-77", authority_name="LABO"),),
)  # fmt: skip


def told(**changes: Any) -> PatientNews:
    patient = KNOWN.model_copy(update={"traits": KNOWN.traits.model_copy(update=changes.pop("traits", {})), **changes})
    return PatientNews("pam.identity", patient, "REMPARTS", "", True)


def test_a_correction_keeps_the_report_s_own_identifiers() -> None:
    now = corrected(KNOWN, told(traits={"birth_name": "KERMARREC"}, local_ids=()))
    assert (now.traits.birth_name, now.local_ids) == ("KERMARREC", KNOWN.local_ids)


def test_what_a_correction_leaves_out_stays_while_nothing_else_changes() -> None:
    left_out = {"given_names": "", "birth_place": ""}
    assert corrected(KNOWN, told(traits=left_out, ins=None)) == KNOWN
    now = corrected(KNOWN, told(traits={**left_out, "first_given_name": "ANNE"}, ins=None))
    assert (now.traits.given_names, now.traits.birth_place, now.ins) == ("", "", None)


def test_an_identity_that_is_not_validated_any_more_loses_its_matricule() -> None:
    assert corrected(KNOWN, told(ins=None, reliability=("PROV",))).ins is None


def test_documents_that_left_are_wrong_for_another_name_or_matricule_not_for_a_used_name() -> None:
    def after(**changes: Any) -> bool:
        return is_another_identity(KNOWN, corrected(KNOWN, told(**changes)))

    assert after(traits={"birth_name": "AUTRE"})
    assert after(ins=Ins(matricule=OTHER_MATRICULE, oid=TEST_OID))
    assert after(ins=None, reliability=("PROV", "DOUT"))
    assert not after(traits={"used_name": "MARTIN"})
    assert not after(traits={"birth_name": "Kermadec"})
