"""What comes back through a real operator: two laboratories, four mailboxes, each opened by its own certificate."""

import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from labohub.contracts.events import MailBounced, MailDelivered, MailRead, ReplyReceived
from labohub.contracts.values import Sender
from labohub.standards.mdn import read_mdn
from mss_sender.adapters.tables import RETURNS
from tests.support.lps import Software, software
from tests.support.mail_servers import (
    APPLICATION,
    DOCTOR,
    NORTH,
    NORTH_PEOPLE,
    NORTH_SITE,
    ORGANISATION,
    PARTNER,
    MailServers,
)
from tests.support.mss import Bench, cda, close_bench, doctor, document_built, drive, open_bench, pki, sender_settings
from tests.support.xdm_mails import xdm_mail

SOUTH, LILLE = Sender(application="SGL", facility="LABO"), Sender(application="SGL-NORD", facility="LILLE")
NORTH_FILE = """
[[laboratory]]
name = "Laboratoire du Nord"
bal_applicative = "{north}"
bal_organisationnelle = "{people}"
senders = ["SGL-NORD|*"]
certificate_file = "{certificate}"
key_file = "{key}"
[laboratory.sites]
LILLE = "{site}"
"""


@pytest.fixture(scope="module")
def operator() -> Iterator[MailServers]:
    servers = MailServers(pki())
    try:
        servers.start()
        yield servers
    finally:
        servers.remove()


@pytest.fixture
async def lps() -> AsyncIterator[Software]:
    async with software() as found:
        yield found


@pytest.fixture
async def bench(operator: MailServers, lps: Software, tmp_path: Path) -> AsyncIterator[Bench]:
    file = tmp_path / "laboratories.toml"
    file.write_text(
        NORTH_FILE.format(
            north=NORTH,
            people=NORTH_PEOPLE,
            site=NORTH_SITE,
            certificate=pki().cert("labo-nord"),
            key=pki().key("labo-nord"),
        )
    )
    settings = sender_settings(
        pki(),
        smtp_port=operator.smtp_port,
        imap_port=operator.imap_port,
        laboratories_file=file,
        imap_reads_organisational=True,
        imap_organisational_certificate_file=pki().cert("labo-org"),
        imap_organisational_key_file=pki().key("labo-org"),
        lps_host="127.0.0.1",
        lps_port=lps.port,
    )
    bench = await open_bench(tmp_path, settings)
    yield bench
    for collector in bench.service.listeners:
        await collector.stop()
    await close_bench(bench)


async def send(bench: Bench, unique_id: str, box: str, sender: Sender) -> None:
    refs = await bench.document(cda(unique_id))
    event = document_built(doctor(box), unique_id=unique_id, message=unique_id, report=unique_id, **refs)
    await bench.handle(event.model_copy(update={"report": event.report.model_copy(update={"sender": sender})}))


def told(bench: Bench, kind: type[Any], count: int = 1) -> Callable[[], Awaitable[list[Any]]]:
    async def found() -> list[Any]:
        events = [event for event in await bench.told() if isinstance(event, kind)]
        return events if len(events) >= count else []

    return found


def arrived(operator: MailServers, box: str, words: bytes) -> Callable[[], Awaitable[list[bytes]]]:
    async def found() -> list[bytes]:
        return [raw for raw in operator.mails(box) if words in raw]

    return found


async def test_each_laboratory_sends_from_its_own_mailbox_and_hears_its_own_notices(
    bench: Bench, operator: MailServers
) -> None:
    await send(bench, "1.2.250.1.999.9.1", "medecin1@medecin-demo.mssante.fr", SOUTH)
    await send(bench, "1.2.250.1.999.9.2", "medecin2@medecin-demo.mssante.fr", LILLE)
    await send(bench, "1.2.250.1.999.9.3", "personne@medecin-demo.mssante.fr", LILLE)
    await drive(bench, told(bench, MailDelivered, 2))
    (bounced,) = await drive(bench, told(bench, MailBounced))
    assert (bounced.report_id, bounced.smtp_code) == ("1.2.250.1.999.9.3", "550")
    (ours,), (north,) = (operator.mails(f"medecin{n}@medecin-demo.mssante.fr") for n in (1, 2))
    assert APPLICATION in email.message_from_bytes(ours)["From"]
    read = email.message_from_bytes(north, policy=email.policy.default)
    assert (read["Return-Path"], read["Reply-To"]) == (f"<{NORTH}>", NORTH_SITE)


async def test_an_answer_reaches_the_people_of_the_site_that_sent_the_report(
    bench: Bench, operator: MailServers
) -> None:
    await send(bench, "1.2.250.1.999.9.4", "medecin4@medecin-demo.mssante.fr", LILLE)
    (delivered,) = await drive(bench, told(bench, MailDelivered))
    sent = email.message_from_bytes(operator.mails("medecin4@medecin-demo.mssante.fr")[-1])
    answer = (
        f"From: {DOCTOR}\r\nTo: {NORTH}\r\nSubject: Re\r\nMessage-ID: <nord-1@x>\r\n"
        f"In-Reply-To: {sent['Message-ID']}\r\n\r\nUne question\r\n"
    )
    operator.write_as(DOCTOR, NORTH, answer.encode())
    await drive(bench, arrived(operator, NORTH_SITE, b"nord-1@x"))
    (event,) = await drive(bench, told(bench, ReplyReceived))
    assert event.mail_id == delivered.mail_id
    assert operator.mails(NORTH_PEOPLE) == []
    assert not await arrived(operator, ORGANISATION, b"nord-1@x")()


async def test_an_answer_in_the_people_s_mailbox_is_known_and_left_where_it_is(
    bench: Bench, operator: MailServers
) -> None:
    await send(bench, "1.2.250.1.999.9.5", "medecin5@medecin-demo.mssante.fr", SOUTH)
    await drive(bench, told(bench, MailDelivered))
    sent = email.message_from_bytes(operator.mails("medecin5@medecin-demo.mssante.fr")[-1])
    answer = f"From: {DOCTOR}\r\nMessage-ID: <org-1@x>\r\nIn-Reply-To: {sent['Message-ID']}\r\n\r\nMerci\r\n"
    both = answer.encode()
    operator.write_as(DOCTOR, ORGANISATION, both)
    operator.write_as(DOCTOR, APPLICATION, both)  # a client that writes to both: one answer
    await drive(bench, told(bench, ReplyReceived))

    async def listed() -> list[str]:
        async with bench.service.database.reading() as connection:
            query = select(RETURNS.c.payload).where(RETURNS.c.error_code == "reply", RETURNS.c.state == "triage")
            payloads = (await connection.execute(query)).scalars()
            found = [payload for payload in payloads if "1.2.250.1.999.9.5" in payload]
        return found if len(found) == 2 else []

    await drive(bench, listed)
    assert len(await told(bench, ReplyReceived)()) == 1


async def test_a_partner_s_documents_are_integrated_and_answered_through_the_operator(
    bench: Bench, operator: MailServers, lps: Software
) -> None:
    raw = xdm_mail([cda("1.2.250.1.999.9.6")], return_path=False)
    operator.write_as(PARTNER, APPLICATION, raw)

    async def answered() -> list[bytes]:
        await bench.work("integrate")
        return operator.mails(PARTNER)

    (notice,) = await drive(bench, answered)
    read = read_mdn(notice)
    assert read is not None
    assert (read.disposition, read.error_code, read.message_id) == ("processed", "", "<xdm-1@partenaire.mssante.fr>")
    parsed = email.message_from_bytes(notice, policy=email.policy.default)
    assert parsed["Return-Path"] == "<>"
    assert not parsed.defects
    assert len(lps.messages) == 1
    assert await told(bench, MailRead)() == []
