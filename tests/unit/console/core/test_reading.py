"""Every event of the contract is read, and none of its words is a patient's."""

import pytest

from console.core.reading import READERS, facts_of
from console.core.states import OUTCOME_RANK, STAGE_RANK, Outcome, Stage
from labohub.contracts import events
from tests.support.console import DOCTOR, MATRICULE, PATIENT, Story

REFUSED_BY_DMP = {"submission_id": "2.25.1", "document_id": "1.2.3", "operation": "TD2.1", "dmp_code": "DMPClosed"}


def whole_story() -> list[events.Event]:
    story = Story().told()
    for recipient in (DOCTOR, PATIENT):
        story.mail(events.MailDelayed, recipient).mail(events.MailUncertain, recipient)
        story.mail(events.MailBounced, recipient, smtp_code="550").mail(events.ReplyReceived, recipient)
        story.mail(events.MailRead, recipient, disposition="displayed")
        story.mail(events.MailRead, recipient, disposition="failed", error_code="902")
    story.unresolved().tell(events.SubmissionRefused, **REFUSED_BY_DMP)
    story.tell(events.DocumentRefused, control_id="A", code="cda.other-patient")
    story.tell(
        events.MessageArchived, control_id="A", message_type="OUL^R22", sender_application="M", sender_facility="L",
        reason="ltw.quality-control",
    )  # fmt: skip
    held = {"message_type": "ORU^R01", "sender_application": "S", "sender_facility": "L"}
    story.tell(events.ReportHeld, control_id="A", reason="sgl.hold", **held)
    story.tell(events.FeedingOpposed).tell(events.PatientCorrected, patient=story.report.patient)
    story.tell(events.IdentityWithdrawn, code="ins.collision")
    return story.tell(
        events.EventSetAside, topic="labohub.report.v1", group="cda-builder", event_type="IdentityQualified", code="bug"
    ).facts


def test_every_event_of_the_contract_has_a_reader() -> None:
    assert set(READERS) == set(events.EVENTS.values())
    assert {type(event) for event in whole_story()} == set(events.EVENTS.values())


@pytest.mark.parametrize("event", whole_story(), ids=lambda event: type(event).__name__)
def test_what_is_shown_names_no_patient(event: events.Event) -> None:
    facts = facts_of(event)
    shown = repr((facts.step, facts.destinations, facts.settlement, facts.archived, facts.opens))
    for word in (MATRICULE, "DUBOISTEST", "MARCELIN", "19540610"):
        assert word not in shown


def test_an_integration_error_waits_on_the_returns_list() -> None:
    event = Story().mail(events.MailRead, DOCTOR, disposition="failed", error_code="902").facts[0]
    facts = facts_of(event)
    assert facts.opens is not None
    assert (facts.opens.worklist, facts.opens.code) == ("returns", "mdn.902")


def test_a_qualified_identity_closes_its_item() -> None:
    assert facts_of(Story().qualified().facts[0]).closes == (("identity", ""),)


def test_ranks_order_what_follows_what() -> None:
    assert STAGE_RANK[Stage.WAITING_IDENTITY] < STAGE_RANK[Stage.IDENTIFIED] < STAGE_RANK[Stage.BUILT]
    assert OUTCOME_RANK[Outcome.UNCERTAIN] < OUTCOME_RANK[Outcome.DELIVERED] < OUTCOME_RANK[Outcome.READ]
