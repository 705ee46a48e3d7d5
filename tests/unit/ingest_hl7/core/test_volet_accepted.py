"""What the volet allows, and what its real senders write, is accepted and read as it is meant."""

import pytest

from ingest_hl7.core.decision import Relayed
from tests.support.volet_corpus import accepted
from tests.support.volet_corpus.asked import Asked
from tests.unit.ingest_hl7.core.test_volet_refused import decide


def asked(relayed: Relayed) -> Asked:
    """Return what a decision asks for, in the terms of the corpus."""
    report = relayed.report
    hidden = (
        report.visibility.masked_from_professionals,
        report.visibility.invisible_to_patient,
        report.visibility.invisible_to_guardians,
        report.visibility.secret_connection,
        report.visibility.changes_visibility,
    )
    return Asked(
        request=report.request.value,
        documents=tuple((each.document_id, each.target_id) for each in relayed.documents),
        to_dmp=report.to_dmp,
        to=tuple((each.kind.value, each.address) for each in report.recipients),
        not_served=len(relayed.refused_recipients),
        reply_to=report.reply_to,
        reception=report.wants_reception_ack,
        reading=report.wants_reading_ack,
        professional_text=report.texts.professional,
        patient_text=report.texts.patient,
        patient_may_answer=report.texts.patient_may_answer,
        person=report.requester.person_id,
        organisation=report.requester.organisation_id,
        device=report.requester.device_id,
        encounter=report.encounter_class,
        hidden="".join(str(at) for at, is_so in enumerate(hidden, 1) if is_so),
        matricule=report.patient.ins.matricule if report.patient.ins else "",
    )


@pytest.mark.parametrize("name", accepted.ALL)
def test_what_the_volet_allows_is_accepted_and_read(name: str) -> None:
    case = accepted.ALL[name]
    decision = decide(case.message)
    assert isinstance(decision, Relayed), getattr(decision, "findings", decision)
    assert asked(decision) == case.asked
    assert {each.content for each in decision.documents} == set(case.contents)
    assert {each.reason for each in decision.warnings} >= set(case.warnings)
