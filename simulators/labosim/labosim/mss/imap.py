"""A light IMAP4rev1 server over the simulator's mailboxes (RFC 3501, with IDLE of RFC 2177 and STARTTLS)."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from labosim.faults import Fault
from labosim.mss.boxes import UID_VALIDITY, Box, Boxes, Stored
from labosim.mss.imap_data import item, tokens, within
from labosim.mss.lines import Lines
from labosim.mss.server import LineServer, Over
from labosim.mss.smtp import common_name

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")


@dataclass
class _Session:
    lines: Lines
    writer: asyncio.StreamWriter
    secure: bool = False
    user: str = ""
    box: Box | None = None
    seen: list[Stored] = field(default_factory=list)  # what the client knows of: its sequence numbers
    appended: bytes = b""  # the last literal of APPEND

    async def say(self, text: str | bytes) -> None:
        """Send a line."""
        self.writer.write((text.encode() if isinstance(text, str) else text) + b"\r\n")
        await self.writer.drain()


class ImapServer(LineServer):
    """Serves each address its own INBOX."""

    def __init__(
        self, context: ssl.SSLContext, boxes: Boxes, password: str, strike: Callable[[], Fault | None]
    ) -> None:
        super().__init__()
        self._context = context
        self._boxes = boxes
        self._password = password
        self._strike = strike
        self._commands: dict[str, Callable[[_Session, str, list[bytes]], Awaitable[str]]] = {
            "CAPABILITY": self._capability,
            "NOOP": self._noop,
            "CHECK": self._noop,
            "LOGOUT": self._logout,
            "STARTTLS": self._starttls,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "LIST": self._list,
            "CLOSE": self._close,
            "IDLE": self._idle,
            "APPEND": self._append,
            "UID": self._uid,
            "SEARCH": self._search,
            "FETCH": self._fetch,
            "STORE": self._store,
        }

    async def converse(self, lines: Lines, writer: asyncio.StreamWriter) -> None:
        """Hold one dialogue."""
        await self._dialogue(_Session(lines, writer))

    async def _dialogue(self, session: _Session) -> None:
        await session.say("* OK operateur simule")
        while True:
            line = await self._command_line(session)
            tag, _, rest = line.partition(b" ")
            name, _, rest = rest.partition(b" ")
            fault = self._strike()
            if fault and fault.kind == "outage":
                await session.say("* BYE unavailable")
                raise Over
            command = self._commands.get(name.decode("ascii").upper())
            if command is None:
                await session.say(tag + b" BAD unknown command")
                continue
            if result := await command(session, tag.decode("ascii"), tokens(rest)):
                await session.say(f"{tag.decode('ascii')} {result}")

    async def _command_line(self, session: _Session) -> bytes:
        """Return a whole command; a literal becomes a quoted string."""
        line = await session.lines.line()
        while found := _LITERAL.search(line):
            if not found[2]:
                await session.say("+ go on")
            data = await session.lines.exactly(int(found[1]))
            if line.upper().split(b" ")[1:2] == [b"APPEND"]:
                session.appended = data
                return line[: found.start()].rstrip() + await session.lines.line()
            quoted = b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
            line = line[: found.start()] + quoted + await session.lines.line()
        return line

    async def _capability(self, session: _Session, _: str, _words: list[bytes]) -> str:
        access = "AUTH=EXTERNAL AUTH=PLAIN" if session.secure else "STARTTLS LOGINDISABLED"
        await session.say(f"* CAPABILITY IMAP4rev1 IDLE {access}")
        return "OK CAPABILITY"

    async def _noop(self, session: _Session, _: str, _words: list[bytes]) -> str:
        await self._refresh(session)
        return "OK done"

    async def _logout(self, session: _Session, tag: str, _words: list[bytes]) -> str:
        await session.say("* BYE")
        await session.say(f"{tag} OK LOGOUT")
        raise Over

    async def _starttls(self, session: _Session, tag: str, _words: list[bytes]) -> str:
        if session.secure:
            return "BAD already under TLS"
        await session.say(f"{tag} OK begin")
        session.lines.discard()
        await session.writer.start_tls(self._context, ssl_handshake_timeout=10)
        session.secure = True
        return ""

    async def _login(self, session: _Session, _: str, words: list[bytes]) -> str:
        if not session.secure:
            return "NO [PRIVACYREQUIRED] STARTTLS first"
        if len(words) != 2 or words[1].decode() != self._password:
            return "NO [AUTHENTICATIONFAILED] no"
        session.user = words[0].decode()
        return "OK LOGIN"

    async def _authenticate(self, session: _Session, _: str, words: list[bytes]) -> str:
        if [word.upper() for word in words[:1]] != [b"EXTERNAL"]:
            return "NO only EXTERNAL"
        if len(words) == 1:
            await session.say("+ ")
            await session.lines.line()
        name = common_name(session.writer)
        if not name:
            return "NO [AUTHENTICATIONFAILED] no certificate"
        session.user = name
        return "OK AUTHENTICATE"

    async def _select(self, session: _Session, _: str, words: list[bytes]) -> str:
        if not session.user:
            return "NO log in first"
        if not words or words[0].upper() != b"INBOX":
            return "NO no such folder"
        session.box = self._boxes.box(session.user)
        session.seen = list(session.box.mails)
        await session.say(f"* {len(session.seen)} EXISTS")
        await session.say("* 0 RECENT")
        await session.say("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted)")
        await session.say(f"* OK [UIDVALIDITY {UID_VALIDITY}] stable")
        await session.say(f"* OK [UIDNEXT {session.box.next_uid}] next")
        return "OK [READ-WRITE] selected"

    async def _list(self, session: _Session, _: str, _words: list[bytes]) -> str:
        await session.say('* LIST () "/" INBOX')
        return "OK LIST"

    async def _close(self, session: _Session, _: str, _words: list[bytes]) -> str:
        session.box, session.seen = None, []
        return "OK CLOSE"

    async def _idle(self, session: _Session, _: str, _words: list[bytes]) -> str:
        if session.box is None:
            return "BAD SELECT first"
        changed = session.box.changed
        await session.say("+ idling")
        await self._refresh(session)
        done = asyncio.ensure_future(session.lines.line())
        try:
            while not done.done():
                news = asyncio.ensure_future(changed.wait())
                await asyncio.wait({done, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                changed = session.box.changed
                await self._refresh(session)
        finally:
            if not done.done():
                done.cancel()
        return "OK IDLE" if done.result().upper() == b"DONE" else "BAD DONE expected"

    async def _append(self, session: _Session, _: str, words: list[bytes]) -> str:
        if not session.user or not words:
            return "NO log in first"
        self._boxes.deliver(session.user, session.appended)
        return "OK APPEND"

    async def _uid(self, session: _Session, tag: str, words: list[bytes]) -> str:
        name = words[0].decode("ascii").upper() if words else ""
        if name == "SEARCH":
            return await self._search(session, tag, words[1:], by_uid=True)
        if name == "FETCH":
            return await self._fetch(session, tag, words[1:], by_uid=True)
        if name == "STORE":
            return await self._store(session, tag, words[1:], by_uid=True)
        return "BAD unknown UID command"

    async def _search(self, session: _Session, _: str, words: list[bytes], *, by_uid: bool = False) -> str:
        await self._refresh(session)
        criteria = [word.decode("ascii").upper() for word in words]
        chosen = list(enumerate(session.seen, 1))
        while criteria:
            key = criteria.pop(0)
            if key == "UID" and criteria:
                wanted = criteria.pop(0)
                last = session.seen[-1].uid if session.seen else 0
                chosen = [(n, mail) for n, mail in chosen if within(mail.uid, wanted, last)]
            elif key in ("UNSEEN", "SEEN"):
                chosen = [(n, mail) for n, mail in chosen if ("\\Seen" in mail.flags) == (key == "SEEN")]
            elif key != "ALL":
                return f"BAD {key} is not known here"
        await session.say(" ".join(["* SEARCH", *(str(mail.uid if by_uid else n) for n, mail in chosen)]))
        return "OK SEARCH"

    async def _fetch(self, session: _Session, _: str, words: list[bytes], *, by_uid: bool = False) -> str:
        if session.box is None or len(words) != 2:
            return "BAD FETCH"
        items = words[1].decode("ascii").upper().split()
        for number, mail in _chosen(session, words[0].decode("ascii"), by_uid):
            parts: list[bytes] = [b"UID %d" % mail.uid] if by_uid and "UID" not in items else []
            for name in items:
                part = item(name, mail)
                if part is None:
                    return f"BAD {name} is not known here"
                parts.append(part)
            await session.say(b"* %d FETCH (%s)" % (number, b" ".join(parts)))
        return "OK FETCH"

    async def _store(self, session: _Session, _: str, words: list[bytes], *, by_uid: bool = False) -> str:
        if session.box is None or len(words) != 3:
            return "BAD STORE"
        action = words[1].decode("ascii").upper()
        flags = set(words[2].decode("ascii").strip("()").split())
        for number, mail in _chosen(session, words[0].decode("ascii"), by_uid):
            if action.startswith("+"):
                mail.flags |= flags
            elif action.startswith("-"):
                mail.flags -= flags
            else:
                mail.flags = set(flags)
            if not action.endswith(".SILENT"):
                await session.say(f"* {number} FETCH (UID {mail.uid} FLAGS ({' '.join(sorted(mail.flags))}))")
        return "OK STORE"

    async def _refresh(self, session: _Session) -> None:
        """Tell the client what came and what went since it last knew."""
        if session.box is None:
            return
        alive = {mail.key for mail in session.box.mails}
        for number in range(len(session.seen), 0, -1):
            if session.seen[number - 1].key not in alive:
                del session.seen[number - 1]
                await session.say(f"* {number} EXPUNGE")
        known = {mail.key for mail in session.seen}
        new = [mail for mail in session.box.mails if mail.key not in known]
        if new:
            session.seen += new
            await session.say(f"* {len(session.seen)} EXISTS")


def _chosen(session: _Session, wanted: str, by_uid: bool) -> list[tuple[int, Stored]]:
    mails = list(enumerate(session.seen, 1))
    if not mails:
        return []
    if by_uid:
        return [(n, mail) for n, mail in mails if within(mail.uid, wanted, mails[-1][1].uid)]
    return [(n, mail) for n, mail in mails if within(n, wanted, len(mails))]
