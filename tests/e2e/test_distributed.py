"""Each service as a process of its own, nearly all of them twice, on real Kafka and PostgreSQL."""

import asyncio
import email
import hashlib
import io
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from email import policy

import pytest

from labohub.contracts.topics import DOCUMENT
from labosim.day import DayMessage, day_messages
from labosim.sgl.sender import Ack, Sender
from tests.support.distributed import Distributed
from tests.support.hub import until
from tests.support.kafka import KafkaBroker
from tests.support.servers import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

# Nobody can tell that another process died: its leases run out instead.
QUICK = {
    **{f"{service}_LEASE_SECONDS": "6" for service in ("INS_QUALIFIER", "CDA_BUILDER", "MSS_SENDER", "DMP_FEEDER")},
    "LABOHUB_LAG_SECONDS": "1",
}
GRACE_SECONDS = 8.0  # less than a container is given
DAY = [message for message in day_messages(91, 60) if message.story == "ordinary"]
RELAYED = next(message for message in DAY if message.path == "relay" and message.mails == 2)
STRUCTURED = next(message for message in DAY if message.path == "structuring")
REST = [message for message in DAY if message not in (RELAYED, STRUCTURED)][:30]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Distributed]:
    broker = KafkaBroker()
    try:
        broker.start()
        extra = {"LABOHUB_BUS_URL": broker.url, "LABOHUB_STORE_URL": postgres_server.fresh_database(), **QUICK}
        with Distributed(tmp_path_factory.mktemp("distributed"), extra) as running:
            yield running
    finally:
        broker.stop()


def push(installation: Distributed, messages: list[DayMessage], replica: int = 1) -> list[Ack]:
    async def all_of_them() -> list[Ack]:
        async with Sender("127.0.0.1", installation.mllp[replica]) as sender:
            return [await sender.send(message.er7) for message in messages]

    return asyncio.run(all_of_them())


def mailed(installation: Distributed) -> Counter[tuple[str, str]]:
    """Return how often each document (SHA-256) was mailed to each recipient."""
    found: Counter[tuple[str, str]] = Counter()
    for line in installation.sim("/mss/mails"):
        message = email.message_from_bytes(installation.sim(f"/mss/mails/{line['id']}"), policy=policy.default)
        archive = next(part for part in message.iter_attachments() if part.get_filename() == "IHE_XDM.zip")
        with zipfile.ZipFile(io.BytesIO(archive.get_payload(decode=True))) as content:
            digest = hashlib.sha256(content.read("IHE_XDM/SUBSET01/DOC0001.XML")).hexdigest()
        found[str(line["rcpt_to"]), digest] += 1
    return found


def test_every_process_answers_probes_and_metrics_on_its_own_port(installation: Distributed) -> None:
    assert len(set(installation.http.values())) == len(installation.http) == 11
    for name, number in installation.http:
        assert installation.get(name, number, "/healthz").status_code == 200
        assert installation.get(name, number, "/readyz").json()["status"] == "ready"
        metrics = installation.get(name, number, "/metrics").text
        assert "labohub_outbox_relayed_total" in metrics


def test_both_ways_go_from_hl7_to_mailbox_and_dmp_through_eleven_processes(installation: Distributed) -> None:
    acks = push(installation, [RELAYED, STRUCTURED])
    assert all(ack.is_positive for ack in acks)
    for message in (RELAYED, STRUCTURED):
        steps = installation.timeline(message.control_id, 60)
        assert {"report.received", "identity.qualified", "document.built", "mail.accepted"} <= set(steps)
        assert "dmp.accepted" in steps
    filed = [each["sha256"] for each in installation.sim("/dmp/submissions")]
    assert filed.count(RELAYED.document_sha256) == 1
    assert len(filed) == 2
    mails = mailed(installation)
    assert sum(count for (_, digest), count in mails.items() if digest == RELAYED.document_sha256) == RELAYED.mails
    assert set(mails.values()) == {1}


def test_the_same_message_at_two_replicas_is_one_message(installation: Distributed) -> None:
    before = installation.api("/reconciliation")["accepted"]
    [again] = push(installation, [RELAYED], replica=2)
    assert again.is_positive
    assert installation.api("/reconciliation")["accepted"] == before
    assert [each["sha256"] for each in installation.sim("/dmp/submissions")].count(RELAYED.document_sha256) == 1


def returns_read(installation: Distributed, number: int) -> float:
    """Return how many mails a replica of mss-sender has read from the mailbox."""
    return installation.metric("mss-sender", number, "mss_sender_returns_total")


def test_the_mailbox_is_read_by_one_replica_at_a_time(installation: Distributed) -> None:
    mails = len(installation.sim("/mss/mails"))
    until(lambda: sum(returns_read(installation, number) for number in (1, 2)) >= mails > 0, 30, "notices read")
    assert returns_read(installation, 1) >= mails  # the first to start
    assert returns_read(installation, 2) == 0


def test_a_killed_replica_leaves_its_work_and_its_places_to_the_other(installation: Distributed) -> None:
    before = installation.api("/reconciliation")["accepted"]
    acks = push(installation, REST[:15], replica=1)
    for name in ("ins-qualifier", "cda-builder", "mss-sender", "dmp-feeder"):
        installation.services[name, 1].kill()
    acks += push(installation, REST[15:], replica=2)
    assert all(ack.is_positive for ack in acks)
    installation.wait_settled(before + len(REST), 90)  # the other one relays, sends, and takes over what was leased
    until(lambda: returns_read(installation, 2) > 0, 30, "the mailbox read by the other replica")

    mails = mailed(installation)
    assert max(mails.values()) == 1
    sent = Counter(digest for _, digest in mails.elements())
    for message in REST:
        if message.path == "relay":
            uncertain = installation.timeline(message.control_id, 10).count("mail.uncertain")
            assert message.mails - uncertain <= sent[message.document_sha256] <= message.mails
    filed = Counter(each["unique_id"] for each in installation.sim("/dmp/submissions"))
    assert set(filed.values()) == {1}
    assert len(filed) == sum(message.to_dmp for message in (RELAYED, STRUCTURED, *REST))


def test_each_service_says_how_far_behind_it_is(installation: Distributed) -> None:
    def behind() -> float:
        labels = f'{{service="mss-sender",topic="{DOCUMENT}"}}'
        return installation.metric("mss-sender", 2, f"labohub_bus_lag_records{labels}")

    until(lambda: behind() == 0, 30, "all documents taken")
    assert "labohub_bus_lag_records" in installation.get("console", 1, "/metrics").text


def test_every_process_ends_by_itself_when_asked(installation: Distributed) -> None:
    late = {}
    for (name, number), service in installation.services.items():
        if not service.alive():
            continue
        began = time.monotonic()
        code = service.stop()
        elapsed = time.monotonic() - began
        if code != 0 or elapsed > GRACE_SECONDS:
            late[name, number] = (code, round(elapsed, 1))
    assert late == {}
    assert '"level":"ERROR"' not in installation.logs().replace(" ", "")
