"""Which mails a document makes, and which it may not make."""

from dataclasses import replace

import pytest

from labohub.contracts.values import IdentityStatus, Recipient, RecipientKind, Request
from mss_sender.core.planning import Unsendable, lane, plan
from mss_sender.core.values import PlannedMail
from tests.support.mss import AT, LABORATORY, MATRICULE, doctor, document_built, patient


def only(decisions: list[PlannedMail | Unsendable]) -> PlannedMail | Unsendable:
    (decision,) = decisions
    return decision


def refusal(decisions: list[PlannedMail | Unsendable]) -> tuple[str, str]:
    decision = only(decisions)
    assert isinstance(decision, Unsendable)
    return decision.code, decision.smtp_code


def test_each_recipient_gets_a_mail_of_his_own() -> None:
    planned = plan(document_built(doctor("a@x.mssante.fr"), doctor("b@x.mssante.fr"), patient()), LABORATORY, AT)
    assert [mail.to for mail in planned if isinstance(mail, PlannedMail)] == [
        "a@x.mssante.fr",
        "b@x.mssante.fr",
        f"{MATRICULE}@patient.mssante.fr",
    ]
    assert len({mail.mail_id for mail in planned}) == 3


def test_a_mailbox_named_twice_gets_one_mail() -> None:
    assert len(plan(document_built(doctor("a@x.mssante.fr"), doctor("A@X.mssante.fr")), LABORATORY, AT)) == 1


def test_the_same_document_to_the_same_mailbox_is_the_same_mail_whatever_message_asks() -> None:
    first, again = (only(plan(document_built(message=name), LABORATORY, AT)) for name in ("m1", "m2"))
    assert first.mail_id == again.mail_id


def test_a_deletion_is_a_mail_of_its_own() -> None:
    sent, deleted = (
        only(plan(document_built(request=request), LABORATORY, AT)) for request in (Request.INITIAL, Request.DELETION)
    )
    assert sent.mail_id != deleted.mail_id


def test_identifiers_cannot_be_guessed_without_the_secret_and_are_stable_with_it() -> None:
    first, again = (only(plan(document_built(), LABORATORY, AT)) for _ in range(2))
    other = only(plan(document_built(), replace(LABORATORY, message_id_secret=b"other"), AT))
    assert isinstance(first, PlannedMail)
    assert isinstance(again, PlannedMail)
    assert isinstance(other, PlannedMail)
    assert first.envelope_id == again.envelope_id != other.envelope_id
    assert first.message_identifier == f"<{first.envelope_id}@labo-demo.mssante.fr>"
    assert len(first.envelope_id) <= 100  # RFC 3461, 4.4


def test_no_identifier_holds_anything_of_the_patient() -> None:
    mail = only(plan(document_built(patient()), LABORATORY, AT))
    assert isinstance(mail, PlannedMail)
    assert MATRICULE not in mail.envelope_id + mail.message_identifier


def test_a_correction_waits_behind_what_it_corrects() -> None:
    lanes = set()
    for unique_id in ("1.2.3.1", "1.2.3.2"):
        mail = only(plan(document_built(unique_id=unique_id), LABORATORY, AT))
        assert isinstance(mail, PlannedMail)
        lanes.add(lane(mail))
    assert len(lanes) == 1


@pytest.mark.parametrize("status", [each for each in IdentityStatus if each is not IdentityStatus.QUALIFIEE])
def test_no_patient_mail_without_a_qualified_identity(status: IdentityStatus) -> None:
    assert refusal(plan(document_built(patient(), status=status), LABORATORY, AT)) == (
        "mss.identity-not-qualified",
        "554",
    )


def test_a_professional_may_be_written_to_about_an_identity_that_is_not_qualified() -> None:
    assert isinstance(only(plan(document_built(status=IdentityStatus.VALIDEE), LABORATORY, AT)), PlannedMail)


@pytest.mark.parametrize("local", ["285039999900197", MATRICULE[:13], "jean.dupont"])
def test_a_patient_address_must_be_the_one_of_the_matricule(local: str) -> None:
    decisions = plan(document_built(patient(f"{local}@patient.mssante.fr")), LABORATORY, AT)
    assert refusal(decisions) == ("mss.address-not-of-patient", "554")


def test_a_patient_is_never_written_to_outside_mon_espace_sante() -> None:
    decisions = plan(document_built(patient(f"{MATRICULE}@medecin-demo.mssante.fr")), LABORATORY, AT)
    assert refusal(decisions) == ("mss.address-not-of-patient", "554")


def test_a_document_hidden_from_the_patient_is_not_mailed_to_him() -> None:
    decisions = plan(document_built(patient(), invisible_to_patient=True), LABORATORY, AT)
    assert refusal(decisions) == ("mss.hidden-from-patient", "554")


def test_a_patient_mailbox_does_not_pass_for_a_professional_s() -> None:
    disguised = Recipient(kind=RecipientKind.PROFESSIONAL, address=f"{MATRICULE}@patient.mssante.fr")
    assert refusal(plan(document_built(disguised), LABORATORY, AT)) == ("mss.patient-address-for-professional", "554")


@pytest.mark.parametrize("address", ["a@gmail.com", "a@mssante.fr.evil.com", "a@notmssante.fr"])
def test_nothing_leaves_the_espace_de_confiance(address: str) -> None:
    assert refusal(plan(document_built(doctor(address)), LABORATORY, AT)) == ("mss.domain-not-listed", "554")


@pytest.mark.parametrize("address", ["", "a b@x.mssante.fr", "a@x.mssante.fr,b@x.mssante.fr", "x.mssante.fr"])
def test_a_malformed_address_is_refused_before_any_server_sees_it(address: str) -> None:
    assert refusal(plan(document_built(doctor(address)), LABORATORY, AT)) == ("mail.address-malformed", "553")
