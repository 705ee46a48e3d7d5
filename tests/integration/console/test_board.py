"""The read model: facts of several topics in any order give the same board."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from console.adapters.figures import count_waiting, reconcile
from console.adapters.queries import ReportFilter, find_reports, read_report, read_timeline
from labohub.contracts import events, topics
from tests.support.console import DOCTOR, PATIENT, START, Console, Story, console_on
from tests.support.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
async def console(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Console]:
    url = ""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.fresh_database()
    async with console_on(tmp_path, store_url=url) as running:
        yield running


async def seen(console: Console, story: Story) -> tuple[dict[str, object], list[str]]:
    async with console.service.database.reading() as connection:
        report = await read_report(connection, story.report_id)
        steps = await read_timeline(connection, story.report_id)
    return report.model_dump(), [step.event_id for step in steps]


async def test_an_ordinary_report_is_delivered_everywhere(console: Console) -> None:
    story = Story().told()
    await console.hear(story.facts)
    report, steps = await seen(console, story)

    assert (report["state"], report["is_settled"], report["patient"]) == ("delivered", True, "D••• M. 1954")
    assert {item["target"]: item["outcome"] for item in report["destinations"]} == {
        "DMP": "delivered", DOCTOR.address: "delivered", "•••@patient.mssante.fr": "delivered"
    }  # fmt: skip
    assert steps == [fact.event_id for fact in story.facts]


async def test_topics_read_in_another_order_give_the_same_board(console: Console) -> None:
    expected: tuple[dict[str, object], list[str]] | None = None
    by_topic = {topic: [fact for fact in Story().told().facts if topic == fact.TOPIC] for topic in topics.ALL}
    orders = Random(3).sample(list(permutations(topic for topic in topics.ALL if by_topic[topic])), 12)
    for number, order in enumerate(orders):
        story = Story(number=number + 1).told()
        for topic in order:
            await console.hear(fact for fact in story.facts if topic == fact.TOPIC)
        report, _ = await seen(console, story)
        shape = (report["state"], [(item["channel"], item["outcome"]) for item in report["destinations"]])
        expected = expected or shape  # type: ignore[assignment]
        assert shape == expected


async def test_facts_that_come_twice_change_nothing(console: Console) -> None:
    story = Story().told()
    await console.hear(story.facts)
    once = await seen(console, story)
    await console.hear(story.facts)
    assert await seen(console, story) == once


async def test_a_replacement_is_the_same_report_with_its_newest_message_in_front(console: Console) -> None:
    old = Story().told()
    new = Story(version=2, start=START + timedelta(minutes=5)).received()
    await console.hear([*new.facts, *old.facts])
    report, _ = await seen(console, old)

    assert (report["control_id"], report["state"], report["request"]) == ("SGL-000001-V2", "received", "replacement")
    assert [message["state"] for message in report["messages"]] == ["received", "delivered"]


async def test_an_unresolved_identity_waits_until_it_is_qualified(console: Console) -> None:
    story = Story().received().unresolved()
    await console.hear(story.facts)
    async with console.service.database.reading() as connection:
        assert await count_waiting(connection) == {"identity": 1}
        [row] = (await find_reports(connection, ReportFilter(status="attention"), limit=5)).items
    assert row.state == "waiting-identity"

    await console.hear(Story().qualified().facts)
    async with console.service.database.reading() as connection:
        assert await count_waiting(connection) == {}


async def test_a_mail_that_a_dsn_settles_leaves_the_worklist(console: Console) -> None:
    story = Story(recipients=(PATIENT,)).received().mail(events.MailUncertain, PATIENT)
    await console.hear(story.facts)
    async with console.service.database.reading() as connection:
        assert await count_waiting(connection) == {"recipients": 1}
    await console.hear(story.mail(events.MailDelivered, PATIENT).facts[-1:])
    async with console.service.database.reading() as connection:
        assert await count_waiting(connection) == {}


async def test_a_set_aside_event_shows_in_the_timeline_and_on_its_list(console: Console) -> None:
    story = Story().received()
    aside = events.EventSetAside(
        event_id="e", occurred_at=START, report_id=story.report_id, message_id="", topic="labohub.identity.v1",
        group="cda-builder", event_type="IdentityQualified", code="bug",
    )  # fmt: skip
    await console.hear([*story.facts, aside])
    _, steps = await seen(console, story)
    assert "e" in steps
    async with console.service.database.reading() as connection:
        assert await count_waiting(connection) == {"dead": 1}
        assert (await reconcile(connection)).accepted == 1


async def test_reconciliation_counts_what_has_no_terminal_state(console: Console) -> None:
    await console.hear(Story(1).told().facts)
    await console.hear(Story(2).received().qualified().facts)
    async with console.service.database.reading() as connection:
        figures = await reconcile(connection)
    assert (figures.accepted, figures.settled, figures.open_by_stage) == (2, {"delivered": 1}, {"identified": 1})
    assert figures.oldest_open_at == START


async def test_a_report_whose_mail_is_uncertain_needs_someone(console: Console) -> None:
    story = (
        Story(recipients=(PATIENT,)).received().mail(events.MailUncertain, PATIENT).settled("uncertain", uncertain=1)
    )
    await console.hear(story.facts)
    async with console.service.database.reading() as connection:
        for status in ("attention", "uncertain"):
            [row] = (await find_reports(connection, ReportFilter(status=status), limit=5)).items
            assert row.state == "uncertain"


async def test_a_report_that_a_person_let_go_on_shows_how_it_ended(console: Console) -> None:
    stopped = Story().received().unresolved().settled("stopped", failed=3)
    await console.hear(stopped.facts)
    ended = events.MessageSettled(
        event_id="revised", occurred_at=START, report_id=stopped.report_id, message_id=stopped.message_id,
        control_id=stopped.control_id, state="delivered", delivered=3, is_revision=True,
    )  # fmt: skip
    await console.hear([ended])
    report, _ = await seen(console, stopped)
    assert report["state"] == "delivered"
    async with console.service.database.reading() as connection:
        figures = await reconcile(connection)
    assert (figures.accepted, figures.settled, figures.open) == (1, {"delivered": 1}, 0)
