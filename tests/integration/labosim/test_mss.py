"""The light MSSanté operator, seen by clients that are not ours: smtplib and imaplib."""

import asyncio
import email
import email.policy
import imaplib
import smtplib
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest

from labosim.faults import Faults
from labosim.mss import MssSimulator
from tests.support.mss import pki

SENDER = "labo.app@labo-demo.mssante.fr"
DOCTOR = "adam.hoda@medecin-demo.mssante.fr"
MAIL = b"From: labo.app@labo-demo.mssante.fr\r\nSubject: s\r\nMessage-ID: <m@x>\r\n\r\n..dot\r\n.\r\nend\r\n"
R = TypeVar("R")


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def simulator(faults: Faults) -> AsyncIterator[MssSimulator]:
    simulator = MssSimulator(pki=pki(), faults=faults, smtp_port=0, imap_port=0, keep=5)
    await simulator.start()
    yield simulator
    await simulator.stop()


def context(name: str = "labo-bal") -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(pki().ca_pem))
    if name:
        made.load_cert_chain(pki().cert(name), pki().key(name))
    return made


async def dialogue(simulator: MssSimulator, talk: Callable[[smtplib.SMTP], R], certificate: str = "labo-bal") -> R:
    """Return what a client got, after STARTTLS with a certificate."""

    def run() -> R:
        with smtplib.SMTP("localhost", simulator.smtp_port, timeout=10) as client:
            client.starttls(context=context(certificate))
            client.ehlo()
            return talk(client)

    return await asyncio.to_thread(run)


async def submit(simulator: MssSimulator, to: str, *, notify: str = "SUCCESS,FAILURE") -> None:
    options = ["RET=HDRS", "ENVID=E+2B1"]
    await dialogue(
        simulator,
        lambda client: client.sendmail(SENDER, [to], MAIL, options, [f"NOTIFY={notify}", f"ORCPT=rfc822;{to}"]),
    )


async def test_a_mail_goes_in_and_comes_out_with_its_dots(simulator: MssSimulator) -> None:
    await submit(simulator, DOCTOR)
    assert simulator.source("mail-1") == MAIL
    assert simulator.mails[0].envelope.envelope_id == "E+1"


async def test_nothing_is_taken_before_tls(simulator: MssSimulator) -> None:
    def talk() -> int:
        with smtplib.SMTP("localhost", simulator.smtp_port, timeout=10) as client:
            client.ehlo()
            return client.mail(SENDER)[0]

    assert await asyncio.to_thread(talk) == 530


async def test_a_client_without_certificate_gets_nowhere(simulator: MssSimulator) -> None:
    with pytest.raises((ssl.SSLError, smtplib.SMTPException, OSError)):
        await dialogue(simulator, lambda client: client.mail(SENDER), certificate="")


async def test_a_certificate_sends_from_its_own_address_only(simulator: MssSimulator) -> None:
    assert (await dialogue(simulator, lambda client: client.mail("autre@labo-demo.mssante.fr")))[0] == 553
    assert (await dialogue(simulator, lambda client: client.mail("")))[0] == 250


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("rcpt-refuse@medecin-demo.mssante.fr", 550),
        ("indisponible@medecin-demo.mssante.fr", 451),
        ("a@gmail.com", 550),
        ("a@hors-liste.mssante.fr", 550),
        (DOCTOR, 250),
    ],
)
async def test_recipients_are_answered_by_their_address(simulator: MssSimulator, to: str, code: int) -> None:
    def talk(client: smtplib.SMTP) -> int:
        client.mail(SENDER)
        return client.rcpt(to)[0]

    assert await dialogue(simulator, talk) == code


@pytest.mark.parametrize("options", [["FOO=1"], ["SIZE=99999999"]])
async def test_a_parameter_it_does_not_take_is_refused(simulator: MssSimulator, options: list[str]) -> None:
    assert (await dialogue(simulator, lambda client: client.mail(SENDER, options)))[0] in (552, 555)


@pytest.mark.parametrize(
    ("to", "notify", "action", "status"),
    [
        (DOCTOR, "SUCCESS,FAILURE", "delivered", "2.0.0"),
        ("inconnu@medecin-demo.mssante.fr", "FAILURE", "failed", "5.1.1"),
        ("bal-pleine@medecin-demo.mssante.fr", "FAILURE", "failed", "5.2.2"),
        ("299000000000011@patient.mssante.fr", "FAILURE", "failed", "5.1.1"),
    ],
)
async def test_a_notice_is_a_real_report(
    simulator: MssSimulator, to: str, notify: str, action: str, status: str
) -> None:
    await submit(simulator, to, notify=notify)
    (stored,) = simulator.boxes.box(SENDER).mails
    notice = email.message_from_bytes(stored.raw(), policy=email.policy.default)
    assert not any(part.defects for part in notice.walk())
    assert (notice.get_content_type(), notice.get_param("report-type")) == ("multipart/report", "delivery-status")
    parts: Any = notice.get_payload()
    general, block = parts[1].get_payload()
    assert general["Original-Envelope-Id"] == "E+1"
    assert (block["Action"], block["Status"], block["Original-Recipient"]) == (action, status, f"rfc822;{to}")
    assert b"<m@x>" in parts[2].get_payload(decode=True)


async def test_no_notice_comes_that_was_not_asked_for(simulator: MssSimulator) -> None:
    await submit(simulator, DOCTOR, notify="FAILURE")
    assert simulator.boxes.box(SENDER).mails == []


async def test_only_the_last_mails_are_kept(simulator: MssSimulator) -> None:
    for _ in range(22):
        await submit(simulator, DOCTOR, notify="FAILURE")
    assert [mail.mail_id for mail in simulator.mails] == [f"mail-{n}" for n in range(18, 23)]
    assert [stored.uid for stored in simulator.boxes.box(DOCTOR).mails] == list(range(3, 23))


async def imap(simulator: MssSimulator, talk: Callable[[imaplib.IMAP4], R], *, password: str = "demo") -> R:
    def run() -> R:
        client = imaplib.IMAP4("localhost", simulator.imap_port, timeout=10)
        try:
            client.starttls(context(""))
            client.login(DOCTOR, password)
            client.select()
            return talk(client)
        finally:
            client.shutdown()

    return await asyncio.to_thread(run)


async def test_a_mailbox_is_read_by_the_standard_library(simulator: MssSimulator) -> None:
    await submit(simulator, DOCTOR)
    await submit(simulator, DOCTOR)

    def talk(client: imaplib.IMAP4) -> list[object]:
        found = client.uid("SEARCH", "UID", "2:*")[1]
        raw = client.uid("FETCH", "1", "(BODY.PEEK[])")[1][0][1]
        unseen = client.search(None, "UNSEEN")[1]
        client.uid("STORE", "1", "+FLAGS", r"(\Seen)")
        return [
            found,
            raw,
            unseen,
            client.search(None, "UNSEEN")[1],
            client.append("INBOX", None, None, b"A: b\r\n\r\nc")[0],
        ]

    found, raw, unseen, later, appended = await imap(simulator, talk)
    assert found == [b"2"]
    assert isinstance(raw, bytes)
    assert raw.endswith(MAIL)
    assert (unseen, later, appended) == ([b"1 2"], [b"2"], "OK")
    assert len(simulator.boxes.box(DOCTOR).mails) == 3


async def test_a_wrong_password_or_no_tls_opens_nothing(simulator: MssSimulator) -> None:
    with pytest.raises(imaplib.IMAP4.error):
        await imap(simulator, lambda client: client.noop(), password="wrong")

    def clear() -> None:
        client = imaplib.IMAP4("localhost", simulator.imap_port, timeout=10)
        try:
            client.login(DOCTOR, "demo")
        finally:
            client.shutdown()

    with pytest.raises(imaplib.IMAP4.error):
        await asyncio.to_thread(clear)


async def test_an_idle_client_hears_of_a_mail_at_once(simulator: MssSimulator) -> None:
    idling = threading.Event()

    def talk(client: imaplib.IMAP4) -> bytes:
        client.send(b"I1 IDLE\r\n")
        assert client.readline().startswith(b"+")
        idling.set()
        told = client.readline()
        client.send(b"DONE\r\n")
        assert client.readline().startswith(b"I1 OK")
        return told

    waiting = asyncio.create_task(imap(simulator, talk))
    await asyncio.to_thread(idling.wait, 10)
    await submit(simulator, DOCTOR, notify="FAILURE")
    assert await waiting == b"* 1 EXISTS\r\n"


@pytest.mark.parametrize("kind", ["outage", "cut"])
async def test_faults_strike_where_they_are_asked(simulator: MssSimulator, faults: Faults, kind: str) -> None:
    faults.order("mss", kind)
    with pytest.raises((smtplib.SMTPException, OSError)):
        await submit(simulator, DOCTOR)
    faults.clear()
    await submit(simulator, DOCTOR)
    assert len(simulator.mails) == 1


async def test_a_reset_forgets_mails_and_never_reuses_their_numbers(simulator: MssSimulator) -> None:
    await submit(simulator, DOCTOR)
    simulator.reset()
    assert simulator.mails == []
    await submit(simulator, DOCTOR)
    assert simulator.mails[0].mail_id == "mail-2"
    assert simulator.boxes.box(DOCTOR).mails[0].uid == 2
