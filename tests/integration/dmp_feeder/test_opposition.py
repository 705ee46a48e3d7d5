"""A patient opposes the feeding of his DMP: before the document is built, while it waits, while it is sent."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labohub.contracts.codec import derived_id
from labohub.contracts.events import FeedingOpposed, SubmissionAccepted, SubmissionRefused
from labohub.contracts.values import MessageId, ReportId, Request
from labosim.pki import Pki
from tests.support.dmp import cda
from tests.support.dmp_service import Bench, bench


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def dmp(tmp_path: Path, pki: Pki) -> AsyncIterator[Bench]:
    async with bench(tmp_path, pki) as both:
        yield both


async def oppose(dmp: Bench, message: str = "message-1", *, opposed: bool = True) -> None:
    event = FeedingOpposed(
        event_id=derived_id("test", message, str(opposed)),
        occurred_at=datetime.now(UTC),
        report_id=ReportId("report-1"),
        message_id=MessageId(message),
        opposed=opposed,
        cause="adt-1",
    )
    async with dmp.service.units() as unit:
        await dmp.service.subscriptions[FeedingOpposed](event, unit)


async def refused(dmp: Bench) -> SubmissionRefused:
    (fact,) = await dmp.events()
    assert isinstance(fact, SubmissionRefused)
    return fact


async def test_a_document_built_after_the_opposition_is_refused(dmp: Bench) -> None:
    await oppose(dmp)
    event = await dmp.plan(cda())
    await dmp.work()
    fact = await refused(dmp)
    assert (fact.code, fact.dmp_code, fact.message_id) == ("dmp.opposed", "", event.message_id)
    assert fact.dmp_label == "Opposition du patient à l'alimentation du DMP"
    assert dmp.submissions == []


async def test_a_document_that_waits_is_refused_at_once(dmp: Bench) -> None:
    await dmp.plan(cda())
    await oppose(dmp)
    assert (await refused(dmp)).code == "dmp.opposed"
    await dmp.work()
    assert (dmp.submissions, await dmp.events()) == ([], [])


async def test_a_document_whose_attempts_met_an_outage_is_not_sent_when_the_dmp_is_back(dmp: Bench) -> None:
    dmp.faults.order("dmp", "outage")
    await dmp.plan(cda())
    await dmp.attempt()
    await oppose(dmp)
    dmp.faults.clear()
    await dmp.work()
    assert (await refused(dmp)).code == "dmp.opposed"
    assert dmp.submissions == []


async def test_a_document_that_arrived_before_the_opposition_stays_though_its_answer_was_lost(dmp: Bench) -> None:
    dmp.faults.order("dmp", "silent")
    await dmp.plan(cda())
    await dmp.attempt()
    assert len(dmp.submissions) == 1
    await oppose(dmp)
    dmp.faults.clear()
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]
    assert len(dmp.submissions) == 1


async def test_an_opposition_between_leasing_and_sending_keeps_the_document_back(dmp: Bench) -> None:
    await dmp.plan(cda())
    async with dmp.service.units() as unit:
        (work,) = await unit.filings.lease_due(1, 60)
    await oppose(dmp)
    async with dmp.service.units() as unit:
        assert not await unit.filings.mark(work, "transmitting")
    assert (await refused(dmp)).code == "dmp.opposed"


async def test_what_the_dmp_holds_already_stays_and_is_told_again(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    await oppose(dmp)
    await oppose(dmp, "message-2")
    await dmp.plan(cda())
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted, SubmissionAccepted]


async def test_another_message_about_the_same_document_is_not_held_back_by_the_first_ones_opposition(
    dmp: Bench,
) -> None:
    await dmp.plan(cda())
    await dmp.plan(cda())
    await oppose(dmp)
    await dmp.work()
    facts = await dmp.events()
    assert [(type(fact), fact.message_id) for fact in facts] == [
        (SubmissionRefused, "message-1"),
        (SubmissionAccepted, "message-2"),
    ]


async def test_a_lifted_opposition_lets_the_document_go(dmp: Bench) -> None:
    await oppose(dmp)
    await oppose(dmp, opposed=False)
    await dmp.plan(cda())
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionAccepted]


async def test_a_refused_document_may_be_asked_for_again_once_the_patient_agrees(dmp: Bench) -> None:
    await oppose(dmp)
    await dmp.plan(cda())
    await dmp.plan(cda())
    await dmp.work()
    assert [type(fact) for fact in await dmp.events()] == [SubmissionRefused, SubmissionAccepted]


async def test_an_opposition_does_not_keep_a_document_in_the_dmp(dmp: Bench) -> None:
    await dmp.plan(cda())
    await dmp.work()
    await oppose(dmp, "message-2")
    await dmp.plan(cda(), request=Request.DELETION)
    await dmp.work()
    assert [fact.operation for fact in await dmp.events() if isinstance(fact, SubmissionAccepted)] == [
        "TD2.1",
        "TD3.3c",
    ]
