"""State of mail sending: mails, who asked for them, what is known of them, returns, hand-overs, mailbox positions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from labohub.contracts.codec import derived_id
from labohub.contracts.events import EVENTS, DeliveryEvent, DocumentBuilt
from labohub.store.sql import insert_ignore, insert_new, upsert
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit
from labohub.store.work import NewWork, Work, WorkQueue, work_table
from mss_sender.adapters.metrics import FACTS
from mss_sender.core.effects import Fact
from mss_sender.core.planning import DocumentIdReused, DocumentSuperseded, begins, differs, ends, lane
from mss_sender.core.values import HandOver, PlannedMail, Return
from mss_sender.ports import Position

metadata = MetaData()
BOUNCED = "bounced"  # state of a mail that did not arrive

MAILS = work_table(
    "mails",
    metadata,
    Column("envelope_id", String, nullable=False, unique=True),
    Column("message_identifier", String, nullable=False, unique=True),
)
MAIL_REQUESTS = Table(  # the messages that wait for a mail's outcome: usually one
    "mail_requests",
    metadata,
    Column("mail_id", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
)
MAIL_FACTS = Table(  # each thing known of a mail, once
    "mail_facts",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("mail_id", String, nullable=False),
    Column("fact", String, nullable=False),
    Column("event_type", String, nullable=False),
    Column("event", Text, nullable=False),
    UniqueConstraint("mail_id", "fact"),
    sqlite_autoincrement=True,
)
MAIL_ENDS = Table(  # documents that a mail to this box replaces or deletes: they are not sent to it any more
    "mail_ends",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("document_id", String, primary_key=True),
    Column("mail_id", String, nullable=False),
)
RETURNS = work_table("returns", metadata, Column("fetched_at", UtcDateTime, nullable=False))
HANDOVERS = work_table(
    "handovers",
    metadata,
    Column("correspondent", String, nullable=False),  # derived from the address: only compared
    Column("asked_at", UtcDateTime, nullable=False),
)
Index("handovers_correspondent", HANDOVERS.c.correspondent, HANDOVERS.c.asked_at)
INTEGRATIONS = work_table("integrations", metadata)
POSITIONS = Table(
    "mailbox_positions",
    metadata,
    Column("mailbox", String, primary_key=True),
    Column("uid_validity", Integer, nullable=False),
    Column("last_uid", Integer, nullable=False),
)
Index("returns_state", RETURNS.c.state)


class MssUnit(Unit):
    """One transaction of this service."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.mails = MailTable(self)
        self.returns = ReturnTable(self)
        self.handovers = HandOverTable(self)
        self.integrations = WorkQueue(INTEGRATIONS, self)


class MailTable:
    """Mails and what is known of them."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.queue = WorkQueue(MAILS, unit)

    async def add(self, mail: PlannedMail) -> bool:
        """Plan a mail; return False when this document already went, or goes, to this mailbox.

        Whoever asks again is told what is known, and hears of what comes. A mail that did not arrive is sent again,
        unless a later document of the report went to this mailbox: it must not be undone.

        Raises:
            DocumentIdReused: this document's identifier went to this mailbox with other bytes.
            DocumentSuperseded: its replacement or deletion was here first.
        """
        if await self._is_ended(mail):
            raise DocumentSuperseded("its replacement or deletion goes to this mailbox")
        keys = {"envelope_id": mail.envelope_id, "message_identifier": mail.message_identifier}
        await self.queue.add(NewWork(mail.mail_id, lane(mail), mail.model_dump_json(), extra=keys))
        known = await self.queue.hold(mail.mail_id)  # settling waits for us, or we see what it wrote
        assert known is not None
        first = PlannedMail.model_validate_json(known.payload)
        box = mail.to.lower()
        ended = [{"mailbox": box, "document_id": each, "mail_id": mail.mail_id} for each in ends(mail)]
        await insert_ignore(self._unit.connection, MAIL_ENDS, ended)
        if differs(first, mail):
            raise DocumentIdReused("this document id was mailed with other bytes")
        is_new = first.source.message_id == mail.source.message_id
        if known.state == BOUNCED and not is_new and not await self._is_superseded(known):
            await self._reopen(mail)
            return True
        await self._ask(mail.mail_id, mail.source)
        if not is_new:
            await self._tell_again(mail.mail_id, mail.source)
        return is_new

    async def find_by(self, envelope_id: str, message_ids: Sequence[str]) -> Work | None:
        """Return our mail that a return speaks of: by ENVID first, then by Message-ID, best clue first."""
        found = await self._first(MAILS.c.envelope_id, (envelope_id,)) if envelope_id else None
        return found or await self._first(MAILS.c.message_identifier, message_ids)

    async def record(self, mail_id: str, fact: Fact) -> bool:
        """Keep a fact and tell it to all who asked for the mail; return False when it was known."""
        await self.queue.hold(mail_id)  # who asks at this moment is told by us, or reads what we write
        row = {
            "mail_id": mail_id,
            "fact": fact.name,
            "event_type": type(fact.event).__name__,
            "event": fact.event.model_dump_json(),
        }
        if not await insert_new(self._unit.connection, MAIL_FACTS, "fact", [row]):
            return False
        FACTS.labels(fact.name.split("-")[0]).inc()
        query = select(MAIL_REQUESTS).where(MAIL_REQUESTS.c.mail_id == mail_id)
        for request in (await self._unit.connection.execute(query)).mappings():
            await self._unit.publish(_addressed(fact.event, fact.name, request["report_id"], request["message_id"]))
        return True

    async def known(self, mail_id: str) -> frozenset[str]:
        """Return the names of the facts known of a mail."""
        query = select(MAIL_FACTS.c.fact).where(MAIL_FACTS.c.mail_id == mail_id)
        return frozenset((await self._unit.connection.execute(query)).scalars())

    async def _is_ended(self, mail: PlannedMail) -> bool:
        """Return whether a document of a mail not known yet was replaced or deleted in its mailbox."""
        ended = select(MAIL_ENDS.c.mail_id).where(
            MAIL_ENDS.c.mailbox == mail.to.lower(), MAIL_ENDS.c.document_id.in_(begins(mail))
        )
        if (await self._unit.connection.execute(ended.limit(1))).first() is None:
            return False
        return await self.queue.find(mail.mail_id) is None

    async def _ask(self, mail_id: str, source: DocumentBuilt) -> None:
        row = {"mail_id": mail_id, "message_id": source.message_id, "report_id": source.report_id}
        await insert_ignore(self._unit.connection, MAIL_REQUESTS, [row])

    async def _is_superseded(self, known: Work) -> bool:
        later = select(MAILS.c.id).where(
            MAILS.c.lane == known.lane, MAILS.c.sequence > known.sequence, MAILS.c.state != BOUNCED
        )
        return (await self._unit.connection.execute(later.limit(1))).first() is not None

    async def _reopen(self, mail: PlannedMail) -> None:
        """Make a mail that did not arrive due again, for the message that asks now."""
        await self._unit.connection.execute(delete(MAIL_REQUESTS).where(MAIL_REQUESTS.c.mail_id == mail.mail_id))
        await self._unit.connection.execute(delete(MAIL_FACTS).where(MAIL_FACTS.c.mail_id == mail.mail_id))
        await self._ask(mail.mail_id, mail.source)
        await self.queue.change(
            mail.mail_id, state="due", is_open=True, due_at=self._unit.now, attempts=0, error_code="",
            lease_token="", leased_until=None, settled_at=None, payload=mail.model_dump_json(),
        )  # fmt: skip

    async def _tell_again(self, mail_id: str, source: DocumentBuilt) -> None:
        query = select(MAIL_FACTS).where(MAIL_FACTS.c.mail_id == mail_id).order_by(MAIL_FACTS.c.sequence)
        for row in (await self._unit.connection.execute(query)).mappings().all():
            event = EVENTS[row["event_type"]].model_validate_json(row["event"])
            assert isinstance(event, DeliveryEvent)
            await self._unit.publish(_addressed(event, row["fact"], source.report_id, source.message_id))

    async def _first(self, column: Column[Any], values: Sequence[str]) -> Work | None:
        for value in values:
            query = select(MAILS.c.id).where(column == value)
            found = (await self._unit.connection.execute(query)).scalar_one_or_none()
            if found is not None:
                return await self.queue.find(found)
        return None


class ReturnTable:
    """What came back, raw first."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.queue = WorkQueue(RETURNS, unit)

    async def keep(self, mailbox: str, position: Position, returns: Sequence[Return]) -> None:
        """Write mails as read and the position after them, together."""
        await self.queue.add(
            *(
                NewWork(each.return_id, each.return_id, each.model_dump_json(), extra={"fetched_at": each.fetched_at})
                for each in returns
            )
        )
        row = {"mailbox": mailbox, "uid_validity": position.uid_validity, "last_uid": position.last_uid}
        await upsert(self._unit.connection, POSITIONS, [row])

    async def position(self, mailbox: str) -> Position:
        """Return how far a mailbox was read."""
        query = select(POSITIONS).where(POSITIONS.c.mailbox == mailbox)
        row = (await self._unit.connection.execute(query)).mappings().first()
        return Position(row["uid_validity"], row["last_uid"]) if row else Position(0, 0)


class HandOverTable:
    """Answers on their way to people."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.queue = WorkQueue(HANDOVERS, unit)

    async def add(self, value: HandOver) -> None:
        """Plan a hand-over; the same again changes nothing."""
        extra = {"correspondent": _correspondent(value.sender), "asked_at": self._unit.now}
        await self.queue.add(NewWork(value.handover_id, value.handover_id, value.model_dump_json(), extra=extra))

    async def count_since(self, correspondent: str, since: datetime) -> int:
        """Return how many mails of a correspondent were handed over since then."""
        query = select(func.count()).where(
            HANDOVERS.c.correspondent == _correspondent(correspondent), HANDOVERS.c.asked_at > since
        )
        return int((await self._unit.connection.execute(query)).scalar_one())


def _correspondent(address: str) -> str:
    return derived_id("correspondent", address.strip().lower())


def _addressed(event: DeliveryEvent, fact: str, report_id: str, message_id: str) -> DeliveryEvent:
    changes = {
        "event_id": derived_id("mss", event.mail_id, fact, message_id),
        "report_id": report_id,
        "message_id": message_id,
    }
    return event.model_copy(update=changes)
