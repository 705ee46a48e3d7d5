"""The last step of the intake: a request leaves, or waits for its laboratory's word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, text

from ingest_hl7.adapters import rows
from ingest_hl7.adapters.knowledge import Entry
from ingest_hl7.adapters.sgl_tables import added_recipients, departures, report_names, sgl_marks
from ingest_hl7.core.decision import Relayed, Structured
from ingest_hl7.core.holding import Mark, keys_of, report_key, why_held
from ingest_hl7.core.senders import ReportPolicy
from ingest_hl7.core.sgl_events import announced, with_added
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.events import Event, ReportHeld
from labohub.contracts.values import Recipient, Report, Request
from labohub.store.sql import among, insert_ignore

_SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_MARKS = select(sgl_marks.c.key, sgl_marks.c.mark).where(among(sgl_marks.c.key, "keys"))
_HELD = (
    select(report_names.c.report_id)
    .join(sgl_marks, sgl_marks.c.key == report_names.c.key)
    .where(sgl_marks.c.mark == Mark.HOLD.value)
)
_ADDED = (
    select(added_recipients)
    .where(among(added_recipients.c.report_id, "report_ids"))
    .order_by(added_recipients.c.report_id, added_recipients.c.address)
)
_LEFT = (
    select(departures.c.report_id)
    .where(among(departures.c.report_id, "report_ids"), departures.c.held_for == "")
    .distinct()
)


class Departing:
    """The requests of one transaction, and what their laboratories said about them before they came."""

    def __init__(self, unit: IngestUnit, known: "Known") -> None:
        self._unit = unit
        self._marks = known.marks
        self._held = known.held
        self._added = known.added
        self._left = known.left
        self._leaving: list[dict[str, Any]] = []
        self._written = 0  # of those that leave
        self._names: list[dict[str, str]] = []
        self._spent: set[str] = set()

    def as_known(self, entry: Entry, report: Report) -> Report:
        """Return the report as its laboratory's former words make it.

        Once announced, a demand stays visible; whom an event added gets its later versions. A laboratory's own
        document says all this itself.
        """
        if not isinstance(entry.decision, Structured):
            return report
        if Mark.ANNOUNCED in self._marks.get(report_key(report.report_id), ()):
            report = announced(report, entry.arrival.sender)
        return with_added(report, self._added.get(report.report_id, []))

    def depart(self, entry: Entry, report: Report, decision: Relayed | Structured) -> Event:
        """Return the event that says that a request leaves, or that it waits; keep with what it leaves."""
        keys = _keys(report, decision)
        marks = {mark for key in keys for mark in self._marks.get(key, ())}
        sender = entry.arrival.sender
        on_event = sender is not None and sender.report_policy is ReportPolicy.ON_EVENT
        needs_validation = on_event and isinstance(decision, Structured)
        if needs_validation and Mark.VALIDATED in marks:
            needs_validation = False
            self._spend(keys)
        is_held = Mark.HOLD in marks or report.report_id in self._held  # a later version never overtakes a held one
        held_for = why_held(is_held=is_held, needs_validation=needs_validation)
        if is_held:
            self._held.add(report.report_id)
        if isinstance(decision, Structured):
            request = Request.REPLACEMENT if report.report_id in self._left else Request.INITIAL
            report = report.model_copy(update={"request": request})
        if not held_for:
            self._left.add(report.report_id)
        fact = rows.received(report)
        row = {
            "message_id": report.message_id,
            "report_id": report.report_id,
            "accepted_at": self._unit.now + timedelta(microseconds=len(self._leaving)),
            "held_for": held_for,
            "needs_validation": needs_validation,
            "only_withdraws": _only_withdraws(decision),
            "fact": fact.model_dump_json().encode(),
        }
        self._leaving.append(row)
        self._names += [{"key": key, "report_id": report.report_id} for key in keys]
        return held(report, held_for, self._unit) if held_for else fact

    async def write(self) -> None:
        """Write how these requests leave."""
        if self._leaving[self._written :]:
            await self._unit.connection.execute(departures.insert(), self._leaving[self._written :])
            self._written = len(self._leaving)
            await insert_ignore(self._unit.connection, report_names, self._names)
        if self._spent:
            spent = delete(sgl_marks).where(sgl_marks.c.key.in_(self._spent), sgl_marks.c.mark == Mark.VALIDATED.value)
            await self._unit.connection.execute(spent)

    def _spend(self, keys: Iterable[str]) -> None:
        """A validation that came first lets one version leave."""
        for key in keys:
            if Mark.VALIDATED in self._marks.get(key, ()):
                self._marks[key].discard(Mark.VALIDATED)
                self._spent.add(key)


async def departing(unit: IngestUnit, entries: Sequence[Entry]) -> Departing:
    """Return the departures of a transaction. Its first act: no SGL event of these senders is applied meanwhile.

    So a hold is seen, or comes too late and says so. Messages do not wait for one another here. SQLite has one writer.
    """
    headers = [entry.arrival.header for entry in entries]
    names = {_turn(each.component(3, 1), each.component(4, 1)) for each in headers if each is not None}
    if unit.connection.dialect.name == "postgresql" and names:
        await unit.connection.execute(_SHARED, [{"name": name} for name in sorted(names)])
    return Departing(unit, await _known(unit, entries))


@dataclass(slots=True)
class Known:
    """What laboratories said before these requests came."""

    marks: dict[str, set[Mark]]  # by name
    held: set[str]  # reports
    added: dict[str, list[Recipient]]  # by report
    left: set[str]  # demands of which a version left


async def _known(unit: IngestUnit, entries: Sequence[Entry]) -> Known:
    wanted: set[str] = set()
    demands: set[str] = set()
    for entry in entries:
        if isinstance(entry.decision, Relayed | Structured):
            report = entry.decision.report
            wanted |= {*_keys(report, entry.decision), report_key(report.report_id)}
            if isinstance(entry.decision, Structured):
                demands.add(report.report_id)
    if not wanted:
        return Known({}, set(), {}, set())
    return Known(
        await _marks(unit, wanted), await held_reports(unit), await _added(unit, demands), await _left(unit, demands)
    )


async def held_reports(unit: IngestUnit) -> set[str]:
    """Return the known reports that a laboratory holds."""
    return set((await unit.connection.execute(_HELD)).scalars())


async def _marks(unit: IngestUnit, keys: Iterable[str]) -> dict[str, set[Mark]]:
    found: dict[str, set[Mark]] = {}
    for key, mark in await unit.connection.execute(_MARKS, {"keys": sorted(keys)}):
        found.setdefault(key, set()).add(Mark(mark))
    return found


async def _left(unit: IngestUnit, report_ids: Iterable[str]) -> set[str]:
    wanted = sorted(report_ids)
    if not wanted:
        return set()
    return set((await unit.connection.execute(_LEFT, {"report_ids": wanted})).scalars())


async def _added(unit: IngestUnit, report_ids: Iterable[str]) -> dict[str, list[Recipient]]:
    found: dict[str, list[Recipient]] = {}
    wanted = sorted(report_ids)
    if wanted:
        for row in await unit.connection.execute(_ADDED, {"report_ids": wanted}):
            found.setdefault(row.report_id, []).append(Recipient.model_validate_json(row.recipient))
    return found


async def take_turn(unit: IngestUnit, application: str, facility: str) -> None:
    """Wait until no message of this sender is being written; none is until the unit ends."""
    if unit.connection.dialect.name == "postgresql":
        await unit.connection.execute(_ALONE, {"name": _turn(application, facility)})


def held(report: Report, reason: str, unit: IngestUnit) -> ReportHeld:
    """Return the fact that a request waits."""
    return ReportHeld(
        event_id=derived_id("event", report.message_id, "report-held", reason),
        occurred_at=unit.now,
        report_id=report.report_id,
        message_id=report.message_id,
        control_id=report.control_id,
        reason=reason,
        message_type=report.message_type,
        sender_application=report.sender.application,
        sender_facility=report.sender.facility,
    )


def _keys(report: Report, decision: Relayed | Structured) -> tuple[str, ...]:
    documents = [each.document_id for each in decision.documents] if isinstance(decision, Relayed) else []
    return keys_of(report, documents)


def _only_withdraws(decision: Relayed | Structured) -> bool:
    """Return whether all that a version says is that results it gave before are none."""
    if not isinstance(decision, Structured) or decision.results is None:
        return False
    report = decision.results
    statuses = {result.status for battery in report.batteries for result in battery.results}
    return statuses == {"X"} and not report.attached_reports


def _turn(application: str, facility: str) -> str:
    return f"sgl\x1f{application}\x1f{facility}"
