"""The service against a real operator: Postfix and Dovecot, TLS with a client certificate, their own notices."""

import email
import email.policy
import io
import ssl
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from labohub.contracts.events import MailBounced, MailDelivered, ReplyReceived
from labohub.contracts.values import MailTexts, Recipient
from tests.support.mail_servers import DOCTOR, ORGANISATION, PATIENT, MailServers
from tests.support.mss import (
    Bench,
    cda,
    close_bench,
    doctor,
    document_built,
    drive,
    open_bench,
    patient,
    pki,
    sender_settings,
)


@pytest.fixture(scope="module")
def operator() -> Iterator[MailServers]:
    servers = MailServers(pki())
    try:
        servers.start()
        yield servers
    finally:
        servers.remove()


@pytest.fixture
async def bench(operator: MailServers, tmp_path: Path) -> AsyncIterator[Bench]:
    settings = sender_settings(pki(), smtp_port=operator.smtp_port, imap_port=operator.imap_port)
    bench = await open_bench(tmp_path, settings)
    yield bench
    await bench.service.listeners[0].stop()
    await close_bench(bench)


async def send(bench: Bench, unique_id: str, *recipients: Recipient) -> None:
    refs = await bench.document(cda(unique_id))
    await bench.handle(document_built(*recipients, unique_id=unique_id, message=unique_id, **refs))


async def test_a_mail_reaches_the_doctor_whole_and_postfix_confirms_it(bench: Bench, operator: MailServers) -> None:
    content = cda("1.2.250.1.999.7.1", kilobytes=150)
    refs = await bench.document(content)
    dots = MailTexts(professional=".\n..\n.x\nfin")
    await bench.handle(document_built(doctor(), unique_id="1.2.250.1.999.7.1", texts=dots, **refs))

    async def delivered() -> list[MailDelivered]:
        return [event for event in await bench.told() if isinstance(event, MailDelivered)]

    assert [event.action for event in await drive(bench, delivered)] == ["delivered"]
    raw = operator.mails(DOCTOR)[-1]
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.defects
    body = mail.get_body()
    assert body is not None
    assert body.get_content().split() == [".", "..", ".x", "fin"]
    attached = {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}
    assert sorted(attached) == [
        "20260312_CR d'examens biologiques_DURAND_Elodie_26031200417.pdf",
        "IHE_XDM.zip",
    ]
    with zipfile.ZipFile(io.BytesIO(attached["IHE_XDM.zip"])) as archive:
        assert archive.testzip() is None
        assert archive.read("IHE_XDM/SUBSET01/DOC0001.XML") == content


async def test_what_postfix_returns_becomes_bounces_with_the_table_s_codes(bench: Bench) -> None:
    boxes = ("personne", "bal-pleine", "bal-fermee", "rcpt-refuse")
    await send(bench, "1.2.250.1.999.7.2", *(doctor(f"{box}@medecin-demo.mssante.fr") for box in boxes))

    async def all_bounced() -> dict[str, tuple[str, str]]:
        found = {
            event.recipient.address.partition("@")[0]: (event.smtp_code, event.status)
            for event in await bench.told()
            if isinstance(event, MailBounced)
        }
        return found if len(found) == len(boxes) else {}

    assert await drive(bench, all_bounced) == {
        "personne": ("550", "5.1.1"),
        "bal-pleine": ("552", "5.2.2"),
        "bal-fermee": ("554", "5.2.1"),
        "rcpt-refuse": ("550", "5.1.1"),
    }


async def test_a_mailbox_the_server_cannot_serve_for_too_long_ends_as_a_failure(bench: Bench) -> None:
    await send(bench, "1.2.250.1.999.7.3", doctor("lent@medecin-demo.mssante.fr"))

    async def failed() -> list[MailBounced]:
        return [event for event in await bench.told() if isinstance(event, MailBounced)]

    (event,) = await drive(bench, failed, seconds=60)
    assert (event.status, event.smtp_code) == ("4.3.2", "451")


async def test_an_answer_reaches_the_organisational_mailbox_with_the_original_attached(
    bench: Bench, operator: MailServers
) -> None:
    await send(bench, "1.2.250.1.999.7.4", patient())

    async def delivered() -> list[MailDelivered]:
        return [event for event in await bench.told() if isinstance(event, MailDelivered)]

    await drive(bench, delivered)
    sent = email.message_from_bytes(operator.mails(PATIENT)[-1], policy=email.policy.default)
    answer = (
        f"From: {PATIENT}\r\nTo: labo.app@labo-demo.mssante.fr\r\nSubject: Re: {sent['Subject']}\r\n"
        f"Message-ID: <question-1@patient.mssante.fr>\r\nIn-Reply-To: {sent['Message-ID']}\r\n\r\n"
        "Merci, et ensuite ?\r\n"
    )
    operator.write_as(PATIENT, "labo.app@labo-demo.mssante.fr", answer.encode())

    async def answered() -> list[ReplyReceived]:
        return [event for event in await bench.told() if isinstance(event, ReplyReceived)]

    (event,) = await drive(bench, answered)
    assert event.mail_id == (await delivered())[0].mail_id
    assert event.evidence is not None
    assert b"Merci, et ensuite ?" in await bench.platform.blobs.read(event.evidence)

    async def arrived() -> list[bytes]:
        return [raw for raw in operator.mails(ORGANISATION) if b"question-1" in raw]

    (raw,) = await drive(bench, arrived)
    forwarded = email.message_from_bytes(raw, policy=email.policy.default)
    assert forwarded["Reply-To"] == PATIENT
    assert forwarded["Auto-Submitted"] == "auto-generated"
    (original,) = (part.get_content() for part in forwarded.iter_attachments())
    assert original["Message-ID"] == "<question-1@patient.mssante.fr>"


async def test_the_mailbox_says_at_once_that_something_came(bench: Bench, operator: MailServers) -> None:
    collector = bench.service.listeners[0]
    await collector.start()
    operator.write_as(DOCTOR, "labo.app@labo-demo.mssante.fr", b"From: a@b.mssante.fr\r\nSubject: idle\r\n\r\nx\r\n")

    async def sorted_() -> bool:
        return await bench.work("sort")

    await drive_sorting(sorted_)


async def drive_sorting(done: object) -> None:
    """Wait, without reading the mailbox ourselves, until the collector has kept something to sort."""
    import asyncio

    async with asyncio.timeout(4):  # less than the poll: only IDLE can tell in time
        while not await done():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_without_our_certificate_sending_halts_and_nothing_bounces(operator: MailServers, tmp_path: Path) -> None:
    settings = sender_settings(
        pki(),
        smtp_port=operator.smtp_port,
        imap_enabled=False,
        certificate_file=None,
        key_file=None,
    )
    bench = await open_bench(tmp_path, settings)
    try:
        await send(bench, "1.2.250.1.999.7.5", doctor())
        assert await bench.work("send")
        assert await bench.told() == []
        async with bench.service.units() as unit:
            assert await unit.mails.queue.count_open() == 1
    finally:
        await close_bench(bench)


async def test_a_server_certificate_of_another_authority_is_not_spoken_to(
    operator: MailServers, tmp_path: Path
) -> None:
    settings = sender_settings(
        pki(),
        smtp_port=operator.smtp_port,
        imap_enabled=False,
        ca_file=Path(ssl.get_default_verify_paths().cafile or ""),
    )
    bench = await open_bench(tmp_path, settings)
    try:
        before = len(operator.mails(DOCTOR))
        await send(bench, "1.2.250.1.999.7.6", doctor())
        await bench.work("send")
        assert not await bench.work("send"), "sending should pause: it is about the installation"
        assert await bench.told() == []
        assert len(operator.mails(DOCTOR)) == before
    finally:
        await close_bench(bench)
