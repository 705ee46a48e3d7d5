"""A mailbox of the operator over IMAP4rev1, with the standard library, in a thread of its own.

Positions are (UIDVALIDITY, UID), never `\\Seen`: people read too. BODY.PEEK[] changes nothing.

Source: RFC 3501, 2177 (IDLE), 4422 (EXTERNAL).
"""

import imaplib
import io
import re
import select
import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, cast

from labohub.errors import Misconfigured, Unavailable
from mss_sender.adapters.tls import client_context
from mss_sender.core.access import Access
from mss_sender.ports import Fetched, Position
from mss_sender.settings import MssSenderSettings

IDLE_LIMIT_SECONDS = 540.0  # operators and firewalls cut silent connections after some ten minutes; RFC 2177 allows 29
REFUSALS = 3  # a mail that the server refuses so often is passed over, and listed for a person
HEAD_BYTES = 64 * 1024  # what is kept of a mail above the size limit
_UID_SIZE = re.compile(rb"\bUID (\d+)\b.*\bRFC822\.SIZE (\d+)|\bRFC822\.SIZE (\d+)\b.*\bUID (\d+)")


class MailboxUnavailable(Unavailable):
    """The IMAP server does not answer, or the connection broke."""

    code = "mss.mailbox-unavailable"


class MailboxRejectsUs(Misconfigured):
    """The IMAP server refuses our login, or there is no such folder."""

    code = "mss.mailbox-rejects-us"


class ImapMailbox:
    """One folder of one account. All methods but `wake` belong to one thread."""

    def __init__(self, settings: MssSenderSettings, access: Access) -> None:
        self.account = access.address
        self._access = access
        self._settings = settings
        self._tls = client_context(settings.ca_file, access) if settings.imap_tls != "none" else None
        self._client: imaplib.IMAP4 | None = None
        self._uid_validity = 0
        self._refusals: Counter[int] = Counter()  # UIDs that the server would not give
        self._bells: tuple[socket.socket, socket.socket] | None = None  # (heard by `wait`, rung by `wake`)

    def fetch_after(self, position: Position, limit: int) -> tuple[Position, Sequence[Fetched]]:
        """Return the mails after a position, oldest first, and the new position."""
        try:
            client = self._connected()
            client.noop()  # the server may only look at the mailbox again when asked
            last = position.last_uid if position.uid_validity == self._uid_validity else 0
            found: list[Fetched] = []
            for uid in islice(self._uids_after(client, last), limit):
                if (mail := self._fetch(client, uid)) is not None:
                    found.append(mail)
                last = uid
            return Position(self._uid_validity, last), found
        except (imaplib.IMAP4.error, OSError, EOFError, ValueError):
            self.close()
            raise MailboxUnavailable("the mailbox cannot be read") from None

    def wait(self, seconds: float) -> None:
        """Return when the server tells of a change, when woken, or after `seconds`."""
        try:
            client = self._connected()
            bell = self._bell()
            if "IDLE" in client.capabilities:
                self._idle(client, bell, min(seconds, IDLE_LIMIT_SECONDS))
            else:
                select.select([bell], [], [], seconds)
                client.noop()
            with suppress(BlockingIOError):
                bell.recv(64)
        except (imaplib.IMAP4.error, OSError, EOFError, ValueError):
            self.close()
            raise MailboxUnavailable("the mailbox connection broke") from None

    def wake(self) -> None:
        """End a `wait`, from any thread."""
        if (bells := self._bells) is not None:
            with suppress(OSError):
                bells[1].send(b"w")

    def leave(self) -> None:
        """Leave the server for good."""
        self.close()
        bells, self._bells = self._bells, None
        for each in bells or ():
            each.close()

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError, EOFError):
                client.shutdown()

    def _bell(self) -> socket.socket:
        if self._bells is None:
            self._bells = socket.socketpair()
            self._bells[0].setblocking(False)
        return self._bells[0]

    def _connected(self) -> imaplib.IMAP4:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> imaplib.IMAP4:
        settings = self._settings
        where = (settings.imap_host, settings.imap_port)
        timeout = settings.imap_timeout_seconds
        client: imaplib.IMAP4
        if settings.imap_tls == "implicit":
            client = imaplib.IMAP4_SSL(*where, ssl_context=self._tls, timeout=timeout)
        else:
            client = imaplib.IMAP4(*where, timeout=timeout)
        try:
            if settings.imap_tls == "starttls":
                client.starttls(ssl_context=self._tls)
            self._login(client)
            status, _ = client.select(_quoted(self._access.folder), readonly=True)
            if status != "OK":
                raise MailboxRejectsUs("the folder of a mailbox cannot be opened")
            self._uid_validity = int(_first_number(client.response("UIDVALIDITY")[1]))
        except BaseException:
            with suppress(imaplib.IMAP4.error, OSError, EOFError):
                client.shutdown()
            raise
        return client

    def _login(self, client: imaplib.IMAP4) -> None:
        try:
            if self._access.imap_login == "external":
                client.authenticate("EXTERNAL", lambda _: self._access.acts_as.encode())
            else:
                client.login(self.account, self._access.imap_password.get_secret_value())
            client._get_capabilities()  # they change at login; no public way to ask again
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise MailboxRejectsUs("the operator does not let us read the mailbox") from None

    def _uids_after(self, client: imaplib.IMAP4, last: int) -> list[int]:
        status, answers = client.uid("SEARCH", "UID", f"{last + 1}:*")
        if status != "OK":
            raise imaplib.IMAP4.error("SEARCH")
        uids = [int(word) for answer in answers if answer for word in answer.split()]
        return sorted(uid for uid in uids if uid > last)  # `n:*` always names the last mail, even an old one

    def _fetch(self, client: imaplib.IMAP4, uid: int) -> Fetched | None:
        """Return a mail; None when it was removed meanwhile."""
        try:
            size = self._size(client, uid)
            if size is None:
                return None
            truncated = size > self._settings.max_return_bytes
            answers = _asked(client, uid, f"(BODY.PEEK[]<0.{HEAD_BYTES}>)" if truncated else "(BODY.PEEK[])")
        except _NotGiven:
            return self._not_given(client, uid)
        bodies = [answer[1] for answer in answers if isinstance(answer, tuple)]
        if not bodies and self._size(client, uid) is not None:  # it is there, and was not given
            return self._not_given(client, uid)
        return Fetched(uid, bodies[0], truncated) if bodies else None

    def _not_given(self, client: imaplib.IMAP4, uid: int) -> Fetched:
        """Return what stands for a mail that the server cannot give, once that is certain: a person looks for it.

        Raises: imaplib.IMAP4.error: not certain yet.
        """
        self._refusals[uid] += 1
        if self._refusals[uid] < REFUSALS:
            raise imaplib.IMAP4.error("FETCH")
        return Fetched(uid, f"X-Labohub-Not-Given: {self._uid_validity}/{uid}\r\n\r\n".encode(), truncated=True)

    def _size(self, client: imaplib.IMAP4, uid: int) -> int | None:
        for answer in _asked(client, uid, "(UID RFC822.SIZE)"):
            if isinstance(answer, bytes) and (found := _UID_SIZE.search(answer)):
                uid_said, size = (found[1], found[2]) if found[1] else (found[4], found[3])
                if int(uid_said) == uid:
                    return int(size)
        return None

    def _idle(self, client: imaplib.IMAP4, bell: socket.socket, seconds: float) -> None:
        tag = client._new_tag()  # imaplib speaks IDLE only from Python 3.14 on
        client.send(tag + b" IDLE\r\n")
        while not (line := client.readline()).startswith(b"+"):
            if not line or line.startswith(tag):
                raise imaplib.IMAP4.abort("IDLE refused")
            if _tells(line):
                seconds = 0.0
        if seconds and not self._has_more(client):
            select.select([client.sock, bell], [], [], seconds)
        client.send(b"DONE\r\n")
        while not (line := client.readline()).startswith(tag):
            if not line:
                raise imaplib.IMAP4.abort("closed while idle")

    def _has_more(self, client: imaplib.IMAP4) -> bool:
        """Return whether the server already said more: it may lie in TLS or in the reader's buffer."""
        client.sock.settimeout(0)
        try:
            return bool(cast(io.BufferedReader, client.file).peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            client.sock.settimeout(self._settings.imap_timeout_seconds)


class _NotGiven(Exception):  # never leaves this module
    """The server refuses one mail."""


def _asked(client: imaplib.IMAP4, uid: int, items: str) -> list[Any]:
    status, answers = client.uid("FETCH", str(uid), items)
    if status != "OK":
        raise _NotGiven
    return list(answers)


def _tells(line: bytes) -> bool:
    return line.startswith(b"*") and b"EXISTS" in line


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _first_number(answers: Sequence[bytes | None] | None) -> bytes:
    for answer in answers or ():
        if answer:
            return answer
    raise imaplib.IMAP4.error("no UIDVALIDITY")
