"""The operator's submission service, by a small pool of SMTP connections that carry many mails each."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPStatus
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from labohub.errors import HubError
from labohub.standards.dsn import xtext
from mss_sender.adapters.metrics import REJECTED, SUBMISSION_SECONDS, SUBMITTED
from mss_sender.adapters.tls import client_context
from mss_sender.core.access import Access
from mss_sender.core.answers import Answer, Stage, Verdict, judge
from mss_sender.ports import MailPostponed, MailRefused, MailUnknown, OperatorRejectsUs, Outgoing, Receipt
from mss_sender.settings import MssSenderSettings

IDLE_SECONDS = 30.0  # servers drop idle clients after one to five minutes
CANNOT_CONNECT, LINE_LOST = "111", "442"  # table SMTPERRORCODE


@dataclass
class _Line:
    """One connection, used by one mail at a time."""

    client: SMTP
    carried: int = 0
    last_used: float = field(default_factory=time.monotonic)

    @property
    def supports_dsn(self) -> bool:
        return self.client.supports_extension("dsn")

    @property
    def max_bytes(self) -> int:
        said = self.client.esmtp_extensions.get("size", "")
        return int(said) if said.isdigit() else 0


class _LineLost(MailPostponed):
    """The server dropped a connection before any content left."""


class Operators:
    """The operator as each laboratory's mailbox meets it: every mail goes with its own certificate."""

    def __init__(self, operators: Mapping[str, "SmtpOperator"]) -> None:
        """`operators`: by the address of the mailbox that sends."""
        self._operators = {address.lower(): operator for address, operator in operators.items()}

    async def submit(self, mail: Outgoing, before_content: Callable[[], Awaitable[None]]) -> Receipt:
        """Hand a mail over. Raises: MailRefused, MailPostponed, MailUnknown, OperatorRejectsUs."""
        return await self._operators[mail.account.lower()].submit(mail, before_content)

    async def close(self) -> None:
        """Say goodbye on all idle connections."""
        for operator in self._operators.values():
            await operator.close()


class SmtpOperator:
    """Hands the mails of one mailbox over, `smtp_connections` at a time."""

    def __init__(self, settings: MssSenderSettings, access: Access) -> None:
        self._settings = settings
        self._access = access
        self._tls = client_context(settings.ca_file, access) if settings.smtp_tls != "none" else None
        self._places = asyncio.Semaphore(settings.smtp_connections)
        self._idle: list[_Line] = []

    async def submit(self, mail: Outgoing, before_content: Callable[[], Awaitable[None]]) -> Receipt:
        """Hand a mail over. Raises: MailRefused, MailPostponed, MailUnknown, OperatorRejectsUs."""
        async with self._places:
            started = time.monotonic()
            try:
                receipt = await self._submit(mail, before_content)
            except HubError as error:
                SUBMITTED.labels(error.code).inc()
                REJECTED.set(1 if isinstance(error, OperatorRejectsUs) else 0)
                raise
            SUBMITTED.labels("accepted").inc()
            REJECTED.set(0)
            SUBMISSION_SECONDS.observe(time.monotonic() - started)
            return receipt

    async def _submit(self, mail: Outgoing, before_content: Callable[[], Awaitable[None]]) -> Receipt:
        line = await self._open_dialogue(mail)
        try:
            await self._recipient(line, mail)
            await before_content()
            await self._content(line, mail)
        except Exception:
            await self._clear(line)
            raise
        except BaseException:
            line.client.close()
            raise
        line.carried += 1
        self._keep(line)
        return Receipt(confirmable=line.supports_dsn)

    async def close(self) -> None:
        """Say goodbye on all idle connections."""
        while self._idle:
            await _quit(self._idle.pop())

    async def _open_dialogue(self, mail: Outgoing) -> _Line:
        """Return a line on which MAIL FROM was accepted. An idle line that the server dropped is replaced, once."""
        while self._idle:
            line = self._idle.pop()
            if time.monotonic() - line.last_used < IDLE_SECONDS and line.client.is_connected:
                with suppress(_LineLost):
                    await self._sender(line, mail)
                    return line
            line.client.close()
        line = await self._connect()
        await self._sender(line, mail)
        return line

    async def _sender(self, line: _Line, mail: Outgoing) -> None:
        if line.max_bytes and len(mail.content) > line.max_bytes:
            await self._clear(line)
            raise MailRefused(Answer(Stage.SENDER, 552, "5.3.4 above the size the operator takes"))
        options = [f"SIZE={len(mail.content)}"] if line.max_bytes else []
        if line.supports_dsn:
            options += ["RET=HDRS", f"ENVID={xtext(mail.envelope_id)}"]
        await self._step(line, Stage.SENDER, line.client.mail(mail.sender, options=options))

    async def _recipient(self, line: _Line, mail: Outgoing) -> None:
        options = []
        if line.supports_dsn:
            notify = "SUCCESS,FAILURE,DELAY" if mail.sender else "NEVER"  # nobody could be told of a notice's fate
            options = [f"NOTIFY={notify}", f"ORCPT=rfc822;{xtext(mail.recipient)}"]
        await self._step(line, Stage.RECIPIENT, line.client.rcpt(mail.recipient, options=options))

    async def _step(self, line: _Line, stage: Stage, command: Awaitable[object]) -> None:
        try:
            await command
        except SMTPResponseException as error:
            if not line.client.is_connected:  # 421: the server closes
                raise _LineLost(str(error.code)) from None
            if stage is not Stage.RECIPIENT:
                await self._clear(line)
            raise _translated(Answer(stage, error.code, error.message)) from None
        except (SMTPException, OSError, TimeoutError):
            line.client.close()
            raise _LineLost(LINE_LOST) from None

    async def _content(self, line: _Line, mail: Outgoing) -> None:
        try:
            await _data(line.client, mail.content, self._settings.send_timeout_seconds)
        except SMTPResponseException as error:
            raise _translated(Answer(Stage.CONTENT, error.code, error.message)) from None
        except (SMTPException, OSError, TimeoutError):
            line.client.close()
            raise MailUnknown("the line broke while the content was under way") from None

    async def _clear(self, line: _Line) -> None:
        """Forget a mail half handed over; the line is kept when the server agrees."""
        try:
            if line.client.is_connected:
                await line.client.rset(timeout=5)
                self._keep(line)
        except (SMTPException, OSError, TimeoutError):
            line.client.close()

    def _keep(self, line: _Line) -> None:
        line.last_used = time.monotonic()
        if not line.client.is_connected:
            return
        if line.carried >= self._settings.smtp_mails_per_connection:
            line.client.close()
        elif line not in self._idle:
            self._idle.append(line)

    async def _connect(self) -> _Line:
        settings = self._settings
        client = SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            timeout=settings.send_timeout_seconds,
            local_hostname=self._access.address.rpartition("@")[2],
            use_tls=settings.smtp_tls == "implicit",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=self._tls,
        )
        try:
            await client.connect()
            _no_delay(client)
            await client.ehlo()
            if settings.smtp_login == "external":
                await _external(client)
        except (SMTPAuthenticationError, SMTPNotSupported):
            client.close()
            raise OperatorRejectsUs("the operator does not let us in") from None
        except SMTPConnectResponseError as error:
            raise MailPostponed(str(error.code)) from None
        except SMTPResponseException as error:
            client.close()
            raise _translated(Answer(Stage.GREETING, error.code, error.message)) from None
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            if _untrusted(error):
                raise OperatorRejectsUs("the operator's certificate is not trusted") from None
            raise MailPostponed(CANNOT_CONNECT) from None
        return _Line(client)


def _translated(answer: Answer) -> MailRefused | MailPostponed | OperatorRejectsUs:
    verdict = judge(answer)
    if verdict is Verdict.RETRY:
        return MailPostponed(answer.smtp_code, answer.status)
    if verdict is Verdict.HALT:
        return OperatorRejectsUs(f"refused with {answer.code} {answer.status}")
    return MailRefused(answer)


def _untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


async def _data(client: SMTP, content: bytes, timeout_seconds: float) -> None:
    """Send a content that already has its CRLF: the library's `data` rewrites each line, a third of a mail's CPU."""
    response = await client.execute_command(b"DATA")
    if response.code != SMTPStatus.start_input:
        raise SMTPDataError(response.code, response.message)
    if client.protocol is None:
        raise SMTPServerDisconnected("the line broke")
    stuffed = content.replace(b"\r\n.", b"\r\n..")  # RFC 5321, 4.5.2
    client.protocol.write((b"." if content.startswith(b".") else b"") + stuffed + b".\r\n")
    response = await client.protocol.read_response(timeout=timeout_seconds)
    if response.code != SMTPStatus.completed:
        raise SMTPDataError(response.code, response.message)


async def _external(client: SMTP) -> None:
    response = await client.execute_command(b"AUTH", b"EXTERNAL", b"=")
    if response.code != 235:
        raise SMTPAuthenticationError(response.code, response.message)


def _no_delay(client: SMTP) -> None:
    """Send small writes at once: with Nagle's algorithm each mail waits some 40 ms for an acknowledgement."""
    transport = client.transport
    raw = transport.get_extra_info("socket") if transport else None
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def _quit(line: _Line) -> None:
    with suppress(SMTPException, OSError, TimeoutError):
        if line.client.is_connected:
            await line.client.quit(timeout=2)
    line.client.close()
