"""SMTP submission: STARTTLS, a client certificate, SIZE and DSN (RFC 5321, 3207, 1870, 3461)."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from labosim.faults import Fault
from labosim.mss.lines import Lines
from labosim.mss.notices import OPERATOR, Envelope
from labosim.mss.server import LineServer, Over

MAX_MAIL_BYTES = 26_214_400
_PATH = re.compile(r"(FROM|TO):\s*<([^<>\s]*)>\s*(.*)", re.IGNORECASE)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")

Accept = Callable[[Envelope], tuple[int, str]]
Deliver = Callable[[list[Envelope], bytes], None]
Strike = Callable[[], Fault | None]


@dataclass
class _Session:
    lines: Lines
    writer: asyncio.StreamWriter
    certificate_name: str = ""
    secure: bool = False
    sender: str | None = None
    envelope_id: str = ""
    recipients: list[Envelope] = field(default_factory=list)

    def forget(self) -> None:
        self.sender, self.envelope_id, self.recipients = None, "", []


class SmtpServer(LineServer):
    """One submission service. The rules on recipients and the fate of a mail are the simulator's."""

    def __init__(self, context: ssl.SSLContext, accept: Accept, deliver: Deliver, strike: Strike) -> None:
        super().__init__()
        self._context = context
        self._accept = accept
        self._deliver = deliver
        self._strike = strike
        self._commands: dict[str, Callable[[_Session, str], Awaitable[str]]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
        }

    async def converse(self, lines: Lines, writer: asyncio.StreamWriter) -> None:
        """Hold one dialogue."""
        await self._dialogue(_Session(lines, writer))

    async def _dialogue(self, session: _Session) -> None:
        fault = self._strike()
        if fault and fault.kind == "outage":
            await _say(session, "421 4.3.2 service unavailable")
            return
        await _say(session, f"220 {OPERATOR} ESMTP")
        while True:
            text = (await session.lines.line()).decode("ascii")
            verb, _, rest = text.partition(" ")
            command = self._commands.get(verb.upper())
            if reply := await command(session, rest.strip()) if command else "500 5.5.2 unknown command":
                await _say(session, reply)

    async def _ehlo(self, session: _Session, _: str) -> str:
        session.forget()
        offers = [OPERATOR, f"SIZE {MAX_MAIL_BYTES}", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]
        offers.append("AUTH EXTERNAL" if session.secure else "STARTTLS")
        return "\r\n".join([*(f"250-{offer}" for offer in offers), "250 PIPELINING"])

    async def _helo(self, session: _Session, _: str) -> str:
        session.forget()
        return f"250 {OPERATOR}"

    async def _starttls(self, session: _Session, _: str) -> str:
        if session.secure:
            return "503 5.5.1 already under TLS"
        await _say(session, "220 2.0.0 ready")
        session.lines.discard()
        await session.writer.start_tls(self._context, ssl_handshake_timeout=10)
        session.secure = True
        session.certificate_name = common_name(session.writer)
        session.forget()
        return ""

    async def _auth(self, session: _Session, rest: str) -> str:
        if rest.upper().startswith("EXTERNAL") and session.certificate_name:
            return "235 2.7.0 authenticated"
        return "535 5.7.8 only EXTERNAL with a certificate"

    async def _mail(self, session: _Session, rest: str) -> str:
        found = _PATH.fullmatch(rest)
        if not session.secure:
            return "530 5.7.0 STARTTLS first"
        if found is None or found[1].upper() != "FROM":
            return "501 5.5.4 MAIL FROM:<address>"
        fault = self._strike()
        if fault and fault.kind == "outage":
            await _say(session, "421 4.3.2 service unavailable")
            raise Over
        parameters = _parameters(found[3])
        if unknown := set(parameters) - {"SIZE", "BODY", "RET", "ENVID", "SMTPUTF8"}:
            return f"555 5.5.4 unsupported {sorted(unknown)[0]}"
        if int(parameters.get("SIZE") or 0) > MAX_MAIL_BYTES:
            return "552 5.3.4 message too big"
        if found[2] and found[2].lower() != session.certificate_name.lower():
            return "553 5.7.1 this certificate may not send from this address"
        session.forget()
        session.sender = found[2]
        session.envelope_id = _decoded(parameters.get("ENVID", ""))
        return "250 2.1.0 ok"

    async def _rcpt(self, session: _Session, rest: str) -> str:
        found = _PATH.fullmatch(rest)
        if session.sender is None:
            return "503 5.5.1 MAIL first"
        if found is None or found[1].upper() != "TO" or "@" not in found[2]:
            return "501 5.1.3 RCPT TO:<address>"
        parameters = _parameters(found[3])
        if set(parameters) - {"NOTIFY", "ORCPT"}:
            return "555 5.5.4 unsupported parameter"
        notify = (
            frozenset(parameters["NOTIFY"].upper().split(",")) if "NOTIFY" in parameters else frozenset({"FAILURE"})
        )
        if notify - {"NEVER", "SUCCESS", "FAILURE", "DELAY"} or ("NEVER" in notify and len(notify) > 1):
            return "501 5.5.4 NOTIFY"
        envelope = Envelope(
            session.sender, found[2], session.envelope_id, notify, _decoded(parameters.get("ORCPT", ""))
        )
        code, text = self._accept(envelope)
        if code == 250:
            session.recipients.append(envelope)
        return f"{code} {text}"

    async def _data(self, session: _Session, _: str) -> str:
        if not session.recipients:
            return "503 5.5.1 RCPT first"
        await _say(session, "354 end with a lone dot")
        fault = self._strike()
        if fault and fault.kind == "cut" and fault.code != "after":
            await session.lines.line()
            raise Over
        content = await session.lines.dotted(MAX_MAIL_BYTES)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.delay_seconds)
        recipients = session.recipients
        session.forget()
        self._deliver(recipients, content)
        if fault and fault.kind == "cut":
            raise Over
        return "250 2.0.0 queued"

    async def _rset(self, session: _Session, _: str) -> str:
        session.forget()
        return "250 2.0.0 ok"

    async def _noop(self, _session: _Session, _: str) -> str:
        return "250 2.0.0 ok"

    async def _quit(self, session: _Session, _: str) -> str:
        await _say(session, "221 2.0.0 bye")
        raise Over


def server_context(certificate: str, key: str, authority: str, *, client_certificate: ssl.VerifyMode) -> ssl.SSLContext:
    """Return the TLS context of a server that asks for, or demands, a client certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    context.load_cert_chain(certificate, key)
    context.verify_mode = client_certificate
    return context


def common_name(writer: asyncio.StreamWriter) -> str:
    """Return the common name of the peer's certificate; empty without one."""
    certificate = writer.get_extra_info("peercert") or {}
    names = (pair for attribute in certificate.get("subject", ()) for pair in attribute)
    return next((str(value) for name, value in names if name == "commonName"), "")


async def _say(session: _Session, reply: str) -> None:
    session.writer.write(reply.encode("ascii", "replace") + b"\r\n")
    await session.writer.drain()


def _parameters(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in text.split())
    return {name.upper(): value for name, _, value in pairs}


def _decoded(xtext: str) -> str:
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), xtext)
