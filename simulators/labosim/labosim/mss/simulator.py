"""The operator: who may be written to, what becomes of a mail, who answers by himself.

By the address, at RCPT: `rcpt-refuse…` 550, `indisponible…` and `rcpt-tempo…` 451, outside mssante.fr or
`@hors-liste.mssante.fr` 550. Accepted, then returned: `inconnu…`, `bal-pleine…`, `bal-fermee…`, `refus-contenu…` and
the patients 1990000000000NN, 2990000000000NN. `pfi…` integrates and says so, `pfi-ko…` fails with 902; others read
what asks for a receipt.

Faults: `outage` (421), `slow` (`delay_seconds` before the last answer), `fault` with a three-digit `code` at RCPT,
`full` (returned with 5.2.2), `silent` (no notices), `cut` (in the content; code `after`: once taken).
"""

import asyncio
import re
import ssl
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from labosim.faults import Faults
from labosim.mss.boxes import Boxes, Stored
from labosim.mss.imap import ImapServer
from labosim.mss.notices import Envelope, answer, delivery_notice, head_of, receipt
from labosim.mss.smtp import SmtpServer, server_context
from labosim.pki import Pki

KEPT_MAILS = 5000
STORED_PER_MAIL = 4  # the mail, its notice, its receipt, an answer
DOMAIN = "mssante.fr"
FAILURES = (  # local part or whole address -> status and words of the notice that follows
    (re.compile(r"(inconnu|unknown)"), "5.1.1", "boite inconnue"),
    (re.compile(r"bal-pleine"), "5.2.2", "boite pleine"),
    (re.compile(r"bal-fermee"), "5.2.1", "boite fermee"),
    (re.compile(r"refus-contenu"), "5.7.1", "contenu refuse"),
    (re.compile(r"1990000000000\d\d@patient\."), "5.2.1", "messagerie fermee"),
    (re.compile(r"2990000000000\d\d@patient\."), "5.1.1", "patient non trouve"),
)


@dataclass(frozen=True, slots=True)
class Submitted:
    """One mail to one recipient, as it came."""

    mail_id: str
    envelope: Envelope
    subject: str
    message_id: str
    stored: Stored


class MssSimulator:
    """SMTP and IMAP on loopback, with the same mailboxes behind."""

    def __init__(
        self,
        *,
        pki: Pki,
        faults: Faults,
        host: str = "127.0.0.1",
        smtp_port: int = 2525,
        imap_port: int = 2143,
        imap_password: str = "demo",  # noqa: S107  # the public password of a simulator
        auto_read: bool = True,
        keep: int = KEPT_MAILS,
    ) -> None:
        self.host, self.smtp_port, self.imap_port = host, smtp_port, imap_port
        self.auto_read = auto_read
        self.boxes = Boxes(keep * STORED_PER_MAIL)
        self._keep = keep
        self._faults = faults
        self._mails: OrderedDict[str, Submitted] = OrderedDict()
        self._numbers = count(1)
        cert, key, ca = str(pki.cert("mss-server")), str(pki.key("mss-server")), str(pki.ca_pem)
        smtp_tls = server_context(cert, key, ca, client_certificate=ssl.CERT_REQUIRED)
        imap_tls = server_context(cert, key, ca, client_certificate=ssl.CERT_OPTIONAL)
        self._smtp = SmtpServer(smtp_tls, self.accept, self.deliver, lambda: faults.active("mss"))
        self._imap = ImapServer(imap_tls, self.boxes, imap_password, lambda: faults.active("mss"))

    async def start(self) -> None:
        """Return when both ports accept; port 0 takes a free one."""
        self.smtp_port = await self._smtp.start(self.host, self.smtp_port)
        self.imap_port = await self._imap.start(self.host, self.imap_port)

    async def stop(self) -> None:
        """Close both ports and remove the mails."""
        await asyncio.gather(self._smtp.stop(), self._imap.stop())
        self.boxes.close()

    def reset(self) -> None:
        """Forget all mails."""
        self._mails.clear()
        self.boxes.clear()

    @property
    def mails(self) -> list[Submitted]:
        """The mails taken over SMTP, oldest first."""
        return list(self._mails.values())

    def accept(self, envelope: Envelope) -> tuple[int, str]:
        """Return what RCPT answers."""
        local, _, domain = envelope.rcpt_to.lower().rpartition("@")
        fault = self._faults.active("mss")
        if fault and fault.kind == "fault" and fault.code[:1] in ("4", "5"):
            return int(fault.code), f"{fault.code[0]}.7.0 asked for"
        inside = domain == DOMAIN or domain.endswith("." + DOMAIN)
        if not inside or domain == f"hors-liste.{DOMAIN}":
            return 550, "5.7.1 outside the espace de confiance"
        if local.startswith("rcpt-refuse"):
            return 550, "5.1.1 no such mailbox"
        if local.startswith(("indisponible", "rcpt-tempo")):
            return 451, "4.3.2 try later"
        return 250, "2.1.5 ok"

    def deliver(self, envelopes: list[Envelope], raw: bytes) -> None:
        """Take a mail: keep it, put it into its boxes and write the notices asked for."""
        head = head_of(raw)
        for envelope in envelopes:
            mail_id = f"mail-{next(self._numbers)}"
            failure = self._failure(envelope.rcpt_to)
            box = f"perdu-{mail_id}@{DOMAIN}" if failure else envelope.rcpt_to
            stored = self.boxes.deliver(box, _traced(envelope, raw))
            self._mails[mail_id] = Submitted(
                mail_id, envelope, str(head["Subject"]), str(head["Message-ID"] or ""), stored
            )
            while len(self._mails) > self._keep:
                self._mails.popitem(last=False)
            self._notify(envelope, raw, failure)
            if not failure and head["Disposition-Notification-To"] and envelope.mail_from:
                self._read(envelope, raw)

    def source(self, mail_id: str) -> bytes | None:
        """Return a mail's bytes as they came over SMTP; None when unknown or forgotten."""
        mail = self._mails.get(mail_id)
        if mail is None or not mail.stored.path.exists():
            return None
        return mail.stored.raw().partition(b"\r\n")[2]  # without the Return-Path that delivery added

    def answer(self, mail_id: str, sender: str, text: str) -> bool:
        """Let a person answer a mail; return False when the mail is unknown."""
        raw = self.source(mail_id)
        if raw is None:
            return False
        sender = sender or self._mails[mail_id].envelope.rcpt_to
        reply = answer(raw, sender, text)
        original = head_of(raw)
        to = str(original["Reply-To"] or original["From"])
        address = to.rpartition("<")[2].rstrip(">").strip()
        self.boxes.deliver(address, b"Return-Path: <%s>\r\n" % sender.encode() + reply)
        return True

    def _failure(self, address: str) -> tuple[str, str] | None:
        fault = self._faults.active("mss")
        if fault and fault.kind == "full":
            return "5.2.2", "boite pleine"
        for pattern, status, words in FAILURES:
            if pattern.match(address.lower()):
                return status, words
        return None

    def _notify(self, envelope: Envelope, raw: bytes, failure: tuple[str, str] | None) -> None:
        fault = self._faults.active("mss")
        wanted = "FAILURE" if failure else "SUCCESS"
        if not envelope.mail_from or wanted not in envelope.notify or (fault and fault.kind == "silent"):
            return
        action, status, words = ("failed", *failure) if failure else ("delivered", "2.0.0", "remis dans la boite")
        self.boxes.deliver(envelope.mail_from, delivery_notice(envelope, raw, action, status, words))

    def _read(self, envelope: Envelope, raw: bytes) -> None:
        """Answer as software does (`pfi…`, `pfi-ko…`), or as a person who opens the mail."""
        local = envelope.rcpt_to.lower()
        if local.startswith("pfi-ko"):
            self.boxes.deliver(envelope.mail_from, receipt(envelope, raw, "processed", "902"))
        elif local.startswith("pfi"):
            self.boxes.deliver(envelope.mail_from, receipt(envelope, raw, "processed"))
        elif self.auto_read:
            self.boxes.deliver(envelope.mail_from, receipt(envelope, raw, "displayed"))


def _traced(envelope: Envelope, raw: bytes) -> bytes:
    return b"Return-Path: <%s>\r\n" % envelope.mail_from.encode() + raw


def routes(simulator: MssSimulator) -> APIRouter:
    """Return the operator's part of the control API."""
    router = APIRouter(prefix="/sim/mss", tags=["mss"])

    @router.get("/mails")
    async def mails() -> list[dict[str, Any]]:
        return [
            {
                "id": mail.mail_id,
                "mail_from": mail.envelope.mail_from,
                "rcpt_to": mail.envelope.rcpt_to,
                "subject": mail.subject,
                "message_id": mail.message_id,
                "size_bytes": mail.stored.size_bytes,
            }
            for mail in simulator.mails
        ]

    @router.get("/mails/{mail_id}")
    async def mail(mail_id: str) -> Response:
        raw = simulator.source(mail_id)
        if raw is None:
            raise HTTPException(404)
        return Response(raw, media_type="message/rfc822")

    @router.post("/replies", status_code=201)
    async def replies(body: dict[str, str]) -> dict[str, bool]:
        if not simulator.answer(body.get("mail_id", ""), body.get("from", ""), body.get("text", "")):
            raise HTTPException(404)
        return {"delivered": True}

    return router
