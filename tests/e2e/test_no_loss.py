"""The hub is killed at random while a sender that repeats pushes messages: nothing is lost, nothing comes twice."""

import asyncio
import email
import hashlib
import io
import random
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from email import policy
from pathlib import Path
from typing import Any

import pytest

from labohub.bus.connect import connect
from labohub.contracts.codec import from_record
from labohub.contracts.events import DocumentBuilt, Event, MailUncertain, MessageSettled
from labohub.contracts.topics import ALL, DELIVERY, DOCUMENT, MESSAGE
from labosim.day import DayMessage, day_messages
from labosim.sgl.sender import Ack, Sender
from tests.support.hub import Installation, until
from tests.support.kafka import KafkaBroker
from tests.support.servers import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MESSAGES = 500
KILLS = 6
CONNECTIONS = 4
SEED = 20261122
# Where several processes may share a state nobody can tell that one died: leases run out instead.
SHORT_LEASES = {
    f"{service}_LEASE_SECONDS": "15"
    for service in ("INS_QUALIFIER", "CDA_BUILDER", "MSS_SENDER", "DMP_FEEDER", "INGEST_HL7")
}


@pytest.fixture(params=["embedded", "kafka-postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    with ExitStack() as stack:
        extra: dict[str, str] = {}
        if request.param == "kafka-postgresql":
            broker = KafkaBroker()
            broker.start()
            stack.callback(broker.stop)
            server: PostgresServer = request.getfixturevalue("postgres_server")
            extra = {"LABOHUB_BUS_URL": broker.url, "LABOHUB_STORE_URL": server.fresh_database(), **SHORT_LEASES}
        yield stack.enter_context(Installation(tmp_path, extra))


class Pusher(threading.Thread):
    """A laboratory with some connections: each message is repeated until it is answered."""

    def __init__(self, messages: list[DayMessage], port: int) -> None:
        super().__init__()
        self._lanes: list[list[DayMessage]] = [[] for _ in range(CONNECTIONS)]
        lanes: dict[str, int] = {}  # a document and its corrections use one connection, as one laboratory system does
        for number, message in enumerate(messages):
            lane = lanes.setdefault(message.person.matricule, number % CONNECTIONS)
            self._lanes[lane].append(message)
        self._port = port
        self.acks: dict[str, Ack] = {}

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._push(lane) for lane in self._lanes))

    async def _push(self, lane: list[DayMessage]) -> None:
        async with Sender("127.0.0.1", self._port, answer_timeout_seconds=10, patience_seconds=300) as sender:
            for message in lane:
                self.acks[message.control_id] = await sender.send(message.er7)


async def read_topics(url: str, *names: str) -> dict[str, list[Any]]:
    """Return every event of these topics, once each, read as any other group would."""
    bus = connect(url, topics=ALL)
    await bus.open()
    found: dict[str, dict[str, Event]] = {name: {} for name in names}
    try:
        for name in names:
            async for batch in bus.read(name, "audit"):
                for record in batch.records:
                    event = from_record(record)
                    found[name][event.event_id] = event
                await batch.done()
                if not await bus.lag(name, "audit"):
                    break
    finally:
        await bus.close()
    return {name: list(events.values()) for name, events in found.items()}


def mailed_documents(installation: Installation) -> list[tuple[str, str]]:
    """Return recipient and SHA-256 of each document in each mail, read with the standard library, oldest first."""
    found = []
    for line in installation.sim("/mss/mails"):
        message = email.message_from_bytes(installation.sim(f"/mss/mails/{line['id']}"), policy=policy.default)
        assert not message.defects
        for part in message.iter_attachments():
            if part.get_filename() == "IHE_XDM.zip":
                with zipfile.ZipFile(io.BytesIO(part.get_payload(decode=True))) as archive:
                    document = archive.read("IHE_XDM/SUBSET01/DOC0001.XML")
                found.append((line["rcpt_to"], hashlib.sha256(document).hexdigest()))
    return found


def _progress(installation: Installation, pusher: Pusher) -> int:
    return len(pusher.acks) + len(installation.sim("/mss/mails"))


def test_nothing_is_lost_or_sent_twice_when_the_hub_is_killed_at_random(installation: Installation) -> None:
    chance = random.Random(SEED)
    messages = list(day_messages(SEED % 1000, MESSAGES))
    pusher = Pusher(messages, installation.mllp)
    pusher.start()
    whole = 2 * MESSAGES  # acknowledgements and mails: kills fall while messages come in and while reports go out
    for kill in range(KILLS):
        goal = chance.randint(whole * kill // KILLS + 1, whole * (kill + 1) // KILLS - 20)
        until(lambda goal=goal: _progress(installation, pusher) >= goal, 240, f"progress {goal}")  # type: ignore[misc]
        installation.hub.kill()
        installation.hub.start()
    pusher.join(600)
    assert not pusher.is_alive()

    # Every message has its answer: the refused ones are those made to be refused.
    assert set(pusher.acks) == {message.control_id for message in messages}
    refused = {message.control_id for message in messages if message.story == "refused"}
    accepted = {control_id for control_id, ack in pusher.acks.items() if ack.is_positive}
    assert accepted == set(pusher.acks) - refused

    # Every accepted message has exactly one terminal state.
    installation.wait_settled(len(accepted), 240)
    url = installation.environment.get("LABOHUB_BUS_URL") or f"sqlite:///{installation.folder / 'data' / 'bus.sqlite'}"
    events = asyncio.run(read_topics(url, MESSAGE, DELIVERY, DOCUMENT))
    terminal = Counter(event.control_id for event in events[MESSAGE] if isinstance(event, MessageSettled))
    assert set(terminal) == accepted
    assert set(terminal.values()) == {1}

    # No document version twice to one recipient; what was cut at its end is counted, not repeated.
    mails = mailed_documents(installation)
    mailed = Counter(mails)
    assert [pair for pair, count in mailed.items() if count > 1] == []
    uncertain = {(e.recipient.address, e.document_id) for e in events[DELIVERY] if isinstance(e, MailUncertain)}
    print(f"{len(mails)} mails, of which {len(uncertain)} were uncertain for a time")
    submissions = installation.sim("/dmp/submissions")
    filed = Counter(submission["unique_id"] for submission in submissions)
    assert [unique_id for unique_id, count in filed.items() if count > 1] == []

    # Nothing expected is missing: each built document reached the DMP, and each recipient unless it is uncertain.
    built = {event.facts.unique_id: event for event in events[DOCUMENT] if isinstance(event, DocumentBuilt)}
    assert len(built) > MESSAGES / 2
    for unique_id, event in built.items():
        if event.report.to_dmp:
            assert unique_id in filed
        for recipient in event.report.recipients:
            if (recipient.address, unique_id) not in uncertain:
                assert mailed[recipient.address, event.document.sha256] == 1

    # Order per report is kept: what is replaced came first, in the DMP and in each mailbox.
    place = {submission["unique_id"]: n for n, submission in enumerate(submissions)}
    replacements = [
        (submission["unique_id"], submission["replaces"]) for submission in submissions if submission["replaces"]
    ]
    assert replacements
    for new, old in replacements:
        assert place[old] < place[new]
        for recipient in built[new].report.recipients:
            before, after = ((recipient.address, built[unique_id].document.sha256) for unique_id in (old, new))
            if before in mailed and after in mailed:
                assert mails.index(before) < mails.index(after)
