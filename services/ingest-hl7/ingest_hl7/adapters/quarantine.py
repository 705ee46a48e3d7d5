"""Messages of senders nobody knew: released through the ordinary path, or refused and told so. Nothing is lost."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest_hl7.adapters import metrics, tables
from ingest_hl7.adapters.audit import note
from ingest_hl7.adapters.demands import Behind
from ingest_hl7.adapters.intake import Doors, Intake
from ingest_hl7.adapters.journal import Written
from ingest_hl7.adapters.knowledge import REFUSED_BY_PERSON, Entry, pack_frames
from ingest_hl7.adapters.rows import QUARANTINED, owed, quarantine_id
from ingest_hl7.core.answering import Answers, answers
from ingest_hl7.core.decision import Decision, Quarantined, Refusal, Relayed, Silent
from ingest_hl7.core.intake import Arrival, arrive, decide
from ingest_hl7.core.peer import Peer
from ingest_hl7.core.senders import Sender
from ingest_hl7.core.settlement import DMP, Outcome
from ingest_hl7.handlers import Outcomes
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentRefused, MessageSettled
from labohub.contracts.values import BlobRef, MessageId, ReportId
from labohub.errors import Refused
from labohub.runtime.logging import get_logger
from labohub.standards.hl7.findings import Finding

log = get_logger(__name__)


class NotInQuarantine(Refused):
    """The message is not in quarantine: it never was, or somebody decided already."""

    code = "quarantine.not-there"


class SenderStillUnknown(Refused):
    """No entry fits the message: add one, or name one."""

    code = "quarantine.sender-unknown"


class ContentRefused(Refused):
    """Its sender known, the message is refused for what it holds: it stays in quarantine until it is refused."""

    code = "quarantine.content-refused"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("the message would be refused")
        self.findings = findings


class _RolledBack(Exception):
    """Leaves the transaction: nothing of it stays."""

    def __init__(self, result: Written | Behind) -> None:
        super().__init__()
        self.result = result


@dataclass(frozen=True, slots=True)
class _Kept:
    """A message in quarantine."""

    raw: BlobRef
    received_at: datetime
    warnings: tuple[str, ...]
    code: str
    frames: bytes
    control_id: str


class Quarantine:
    """Decides upon messages in quarantine, one at a time, as an operator says."""

    def __init__(self, intake: Intake, doors: Doors, outcomes: Outcomes, stranger: Sender) -> None:
        """`stranger`: what stands for a sender without entry when its message is refused (where to tell it)."""
        self._intake = intake
        self._doors = doors
        self._outcomes = outcomes
        self._stranger = stranger

    async def release(self, message_id: str, label: str, actor: str) -> str:
        """Send a message through the ordinary path, as its sender's entry now says. Return its new state.

        Raises: NotInQuarantine, SenderStillUnknown, ContentRefused, Unavailable.
        """
        kept = await self._find(message_id)
        arrival = await self._arrival(kept, label)
        if arrival.sender is None:
            raise SenderStillUnknown("no entry fits")
        decision = await self._intake.take_again(arrival, self._writer(kept, message_id, actor, arrival.sender.label))
        if isinstance(decision, Refusal):
            raise ContentRefused(decision.findings)
        if decision is None or isinstance(decision, Quarantined | Silent):
            raise NotInQuarantine("somebody else decided meanwhile")
        await self._doors.blobs.erase(kept.raw)  # the release kept its own
        metrics.QUARANTINE.labels("released").inc()
        log.info("quarantine.released", message_id=message_id)
        return "released"

    async def refuse(self, message_id: str, label: str, actor: str) -> str:
        """Refuse a message for good: its source is told where the message asks for it. Return its new state.

        The same bytes get a refusal from now on: under another MSH-10 they are a new message.
        Raises: NotInQuarantine, Unavailable.
        """
        kept = await self._find(message_id)
        arrival = await self._arrival(kept, label)
        arrival = replace(arrival, sender=arrival.sender or self._stranger)
        decision, _ = decide(_proved(arrival), self._doors.policy)
        text = "Émetteur refusé par l'exploitant : message non traité."
        refusal = Refusal("AE", (Finding("207", "MSH^1^3", REFUSED_BY_PERSON, text),))
        given = answers(arrival, refusal, arrival.receipt.received_at.astimezone(self._doors.zone))
        async with self._doors.units() as unit:
            changed = await unit.connection.execute(
                _row(message_id, update(tables.messages)).values(
                    state="refused", reason=REFUSED_BY_PERSON, answer_code=given.code, answers=pack_frames(given.frames)
                )
            )
            if changed.rowcount != 1:
                raise NotInQuarantine("somebody else decided meanwhile")
            await note(unit, actor, "quarantine.refuse", message_id, arrival.sender.label if arrival.sender else "")
            await self._tell(unit, kept, arrival, decision)
        metrics.QUARANTINE.labels("refused").inc()
        log.info("quarantine.refused", message_id=message_id)
        return "refused"

    async def _tell(self, unit: IngestUnit, kept: _Kept, arrival: Arrival, decision: Decision) -> None:
        """Give the message its end; for a document, each destination's `N` that was asked for."""
        message_id = MessageId(arrival.receipt.message_id)
        names: list[str] = []
        if isinstance(decision, Relayed):
            names = [each.address.lower() for each in decision.report.recipients]
            names += [DMP] if decision.report.to_dmp else []
        if not isinstance(decision, Relayed) or not names:
            settled = MessageSettled(
                event_id=derived_id("event", message_id, "message-settled"),
                occurred_at=unit.now,
                report_id=ReportId(quarantine_id(message_id)),
                message_id=message_id,
                control_id=kept.control_id,
                state="stopped",
                code=REFUSED_BY_PERSON,
            )
            await unit.publish(settled)
            return
        report = decision.report.model_copy(update={"report_id": quarantine_id(message_id)})
        due = owed(Entry(arrival, decision, kept.raw), report)
        request = {"message_id": message_id, "report_id": report.report_id, "owed": due.model_dump_json()}
        await unit.connection.execute(tables.requests.insert(), {**request, "is_settled": False, "state": ""})
        rows = [
            {"message_id": message_id, "target": name, "outcome": str(Outcome.PENDING), "code": ""}
            for name in dict.fromkeys(names)
        ]
        await unit.connection.execute(tables.outcomes.insert(), rows)
        refused = DocumentRefused(
            event_id=derived_id("event", message_id, REFUSED_BY_PERSON),
            occurred_at=unit.now,
            report_id=report.report_id,
            message_id=message_id,
            control_id=report.control_id,
            code=REFUSED_BY_PERSON,
        )
        await self._outcomes.stop(refused, unit)

    def _writer(
        self, kept: _Kept, message_id: str, actor: str, label: str
    ) -> Callable[[Entry], Awaitable[Written | Behind]]:
        """Return what writes a released message in the place of the one in quarantine; its first answer stays."""

        async def submit(entry: Entry) -> Written | Behind:
            try:
                async with self._doors.units() as unit:
                    gone = await unit.connection.execute(_row(message_id, delete(tables.messages)))
                    if gone.rowcount != 1:
                        raise _RolledBack(Written(Answers(kept.code, ()), None, replayed=True))
                    [result] = await self._doors.journal.write(unit, [entry])
                    if isinstance(result, Behind):
                        raise _RolledBack(result)
                    if isinstance(result.decision, Refusal):
                        raise _RolledBack(replace(result, replayed=True))
                    first = {"answer_code": kept.code, "answers": kept.frames}
                    here = tables.messages.c.message_id == message_id
                    await unit.connection.execute(update(tables.messages).where(here).values(**first))
                    await note(unit, actor, "quarantine.release", message_id, label)
                    return result
            except _RolledBack as back:
                return back.result

        return submit

    async def _find(self, message_id: str) -> _Kept:
        query = _row(message_id, select(tables.messages))
        async with self._doors.units() as unit:
            row = (await unit.connection.execute(query)).mappings().first()
        if row is None:
            raise NotInQuarantine("not in quarantine")
        return _Kept(
            BlobRef.model_validate_json(row["raw"]),
            row["received_at"],
            tuple(row["warnings"].split()),
            row["answer_code"],
            row["answers"],
            row["control_id"],
        )

    async def _arrival(self, kept: _Kept, label: str) -> Arrival:
        """Return the message as it came, with the sender the operator names, or else the one its MSH names now."""
        raw = await self._doors.blobs.read(kept.raw)
        arrival = arrive(raw, self._doors.policy, kept.received_at, tolerated=kept.warnings)
        if label:
            arrival = replace(arrival, sender=self._doors.policy.registry.labelled(label))
        return _proved(arrival)


async def waiting(connection: AsyncConnection, after: tuple[datetime, str] | None, limit: int) -> list[dict[str, Any]]:
    """Return the messages in quarantine, oldest first."""
    table = tables.messages
    query = select(table).where(table.c.state == QUARANTINED)
    if after is not None:
        at, last = after
        query = query.where((table.c.received_at > at) | ((table.c.received_at == at) & (table.c.message_id > last)))
    query = query.order_by(table.c.received_at, table.c.message_id).limit(limit)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


def _proved(arrival: Arrival) -> Arrival:
    """Return the arrival as if its sender had proved who it is: the operator vouches for it."""
    return arrival if arrival.sender is None else replace(arrival, peer=Peer(entry=arrival.sender.label))


def _row(message_id: str, statement: Any) -> Any:
    table = tables.messages
    return statement.where(table.c.message_id == message_id, table.c.state == QUARANTINED)
