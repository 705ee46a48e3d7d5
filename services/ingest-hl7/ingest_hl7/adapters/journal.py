"""Where a decision becomes durable: many messages, one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from ingest_hl7.adapters import rows, tables
from ingest_hl7.adapters.chains import follow
from ingest_hl7.adapters.demands import Behind, behind, follow_numbers, keep, load_demands, record, write_demands
from ingest_hl7.adapters.departing import Departing, departing
from ingest_hl7.adapters.document_owners import of_another_patient
from ingest_hl7.adapters.knowledge import Batch, Entry, load
from ingest_hl7.adapters.patient_news import apply
from ingest_hl7.adapters.patients import KnownPatients, known_of_entries, opposed_fact, take_turns
from ingest_hl7.core import returns
from ingest_hl7.core.answering import Answers, answers
from ingest_hl7.core.decision import Archived, Decision, Ordered, PatientNews, Quarantined, Refusal, Relayed, Structured
from ingest_hl7.core.senders import Sender
from ingest_hl7.core.settlement import DMP, Outcome
from ingest_hl7.handlers import Outcomes
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import to_record
from labohub.contracts.events import Event, MessageSettled, ReportHeld
from labohub.contracts.values import BlobRef, Report
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.zam import ZamKind
from labohub.store.sql import insert_ignore, upsert


@dataclass(frozen=True, slots=True)
class Written:
    """The answers of a message, now durable. `replayed`: it was here already, and this is its first answer."""

    answers: Answers
    decision: Decision | None = None
    replayed: bool = False
    spare: BlobRef | None = None  # the bytes, when they were kept already


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is stored about the entries of one run."""

    batch: Batch
    patients: KnownPatients
    leaving: Departing


class Journal:
    """Writes entries; what an entry finds already there decides what is written."""

    def __init__(self, zone: ZoneInfo, outcomes: Outcomes) -> None:
        self._zone = zone
        self._outcomes = outcomes

    async def write(self, unit: IngestUnit, entries: Sequence[Entry]) -> list[Written | Behind]:
        """Return one result per entry, in order. All is durable when the unit has ended.

        What an ADT says is applied to all that was written before it, and known to all that comes after.
        """
        leaving = await departing(unit, entries)
        await take_turns(unit, entries)
        results: list[Written | Behind] = []
        for run in runs(entries):
            results += await self._write_run(unit, leaving, run)
        return results

    async def _write_run(
        self, unit: IngestUnit, leaving: Departing, entries: Sequence[Entry]
    ) -> list[Written | Behind]:
        batch = await load(unit, entries)
        await load_demands(unit, batch, entries)
        patients = await known_of_entries(unit, entries)
        results = [await self._take(unit, Knowledge(batch, patients, leaving), entry) for entry in entries]
        for name in ("messages", "requests", "outcomes"):
            if batch.rows.get(name):
                await unit.connection.execute(tables.metadata.tables[name].insert(), batch.rows[name])
        for name in ("documents", "superseded"):
            await insert_ignore(unit.connection, tables.metadata.tables[name], batch.rows.get(name, []))
        sendings = {(row["document_id"], row["request"], row["target"]): row for row in batch.rows.get("sendings", [])}
        await upsert(unit.connection, tables.sendings, list(sendings.values()))
        await write_demands(unit, batch)
        await leaving.write()
        await patients.write(unit)
        return results

    async def _take(self, unit: IngestUnit, known: Knowledge, entry: Entry) -> Written | Behind:
        receipt, batch = entry.arrival.receipt, known.batch
        first = batch.seen.get(receipt.message_id)
        if first is not None and receipt.message_id not in batch.reconsidered:
            return Written(first, replayed=True)
        decision = _with_knowledge(known, entry)
        if isinstance(decision, Behind):
            return decision
        spare = None
        if first is not None:  # refused before: what it lacked may be there now
            if isinstance(decision, Refusal):
                return Written(first, replayed=True)
            spare, entry = entry.raw, await _instead(unit, entry)
            batch.reconsidered.discard(receipt.message_id)
        decision, events = await self._apply(unit, known, entry, decision)
        given = answers(entry.arrival, decision, receipt.received_at.astimezone(self._zone))
        batch.add("messages", rows.message_row(entry, decision, given))
        batch.seen[receipt.message_id] = given
        if not isinstance(decision, Refusal):
            batch.keys.add(receipt.key)
        await self._publish(unit, entry, events)
        return Written(given, decision, spare=spare)

    async def _apply(
        self, unit: IngestUnit, known: Knowledge, entry: Entry, decision: Decision
    ) -> tuple[Decision, list[Event]]:
        """Write what a decision changes. Return it as what is stored makes it, and its facts."""
        message_id, batch = entry.arrival.receipt.message_id, known.batch
        events: list[Event] = []
        if isinstance(decision, PatientNews):
            decision, events = await apply(unit, decision, message_id, self._zone)
        elif isinstance(decision, Relayed):
            refusal = await of_another_patient(unit, batch, known.patients, decision)
            decision = refusal or follow(batch, entry, decision)
        elif isinstance(decision, Ordered):
            decision = record(batch, entry, decision, self._outcomes.us.application, unit)
            events += rows.archive_events(entry, Archived(rows.ORDERS))
        elif isinstance(decision, Structured):
            keep(batch, entry, decision, unit)
            known.patients.remember(decision.report)
        elif isinstance(decision, Quarantined):
            events.append(rows.quarantined(entry, decision))
        if isinstance(decision, Archived):
            events += rows.archive_events(entry, decision)
        elif isinstance(decision, Structured) and decision.results is None:
            events += rows.archive_events(entry, Archived(decision.waits, decision.report.report_id))
        elif isinstance(decision, Relayed | Structured):
            events += await self._request(unit, known, entry, decision)
        return decision, events

    async def _publish(self, unit: IngestUnit, entry: Entry, events: Sequence[Event]) -> None:
        """Let the facts of a message go, and tell its source's webhooks of an end or a wait."""
        header = entry.arrival.header
        for event in events:
            unit.send(event.TOPIC, to_record(event, entry.traceparent))
            if isinstance(event, ReportHeld | MessageSettled) and header is not None:
                sender = header.component(3, 1), header.component(4, 1)
                await self._outcomes.announce(unit, event, *sender, event.control_id)

    async def _request(
        self, unit: IngestUnit, known: Knowledge, entry: Entry, decision: Relayed | Structured
    ) -> list[Event]:
        """Accept a request for sending. Return its facts."""
        asked = decision.report
        if isinstance(decision, Structured):
            asked = known.leaving.as_known(entry, asked.model_copy(update={"results": entry.contents[0]}))
        report = known.patients.without_opposed_feeding(asked)
        if isinstance(decision, Relayed):
            known.patients.remember(report)
        await self._accept(unit, known.batch, entry, report, decision, owes_dmp=asked.to_dmp)
        events = [known.leaving.depart(entry, report, decision)]
        if asked.to_dmp and not report.to_dmp:
            document_id = decision.documents[0].document_id if isinstance(decision, Relayed) else ""
            events.append(opposed_fact(report, document_id, report.received_at))
        return events

    async def _accept(
        self,
        unit: IngestUnit,
        batch: Batch,
        entry: Entry,
        report: Report,
        decision: Relayed | Structured,
        *,
        owes_dmp: bool,
    ) -> None:
        """Write what is asked, and what of it already failed. `owes_dmp`: an outcome for the DMP is to come."""
        owed = rows.owed(entry, report)
        targets = dict.fromkeys((each.address.lower() for each in report.recipients), (Outcome.PENDING, ""))
        if owes_dmp:
            targets[DMP] = (Outcome.PENDING, "")
        if isinstance(decision, Relayed):
            for refused in decision.refused_recipients:
                targets.setdefault(refused.recipient.address.lower(), (Outcome.FAILED, refused.reason))
            told = [
                returns.mail_outcome(ZamKind.MSS_RECEPTION, owed, refused.recipient, refused.smtp_code)
                for refused in decision.refused_recipients
            ]
            await self._outcomes.owe(
                unit,
                owed,
                told,
                message_id=report.message_id,
                report_id=report.report_id,
                occurred_at=report.received_at,
            )
        request = {
            "message_id": report.message_id,
            "report_id": report.report_id,
            "owed": owed.model_dump_json(),
            "is_settled": False,
            "state": "",
        }
        batch.add("requests", request)
        for name, (outcome, code) in targets.items():
            row = {"message_id": report.message_id, "target": name, "outcome": str(outcome), "code": code}
            batch.add("outcomes", row)


def runs(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """Return the entries cut so that news of a patient stand alone."""
    found: list[list[Entry]] = []
    for entry in entries:
        alone = isinstance(entry.decision, PatientNews)
        if not found or alone or isinstance(found[-1][-1].decision, PatientNews):
            found.append([])
        found[-1].append(entry)
    return list(found)


async def _instead(unit: IngestUnit, entry: Entry) -> Entry:
    """Forget that a message was refused; return its entry with the bytes that were kept then."""
    table, message_id = tables.messages, entry.arrival.receipt.message_id
    kept = (await unit.connection.execute(select(table.c.raw).where(table.c.message_id == message_id))).scalar_one()
    await unit.connection.execute(delete(table).where(table.c.message_id == message_id))
    return replace(entry, raw=BlobRef.model_validate_json(kept))


def _with_knowledge(known: Knowledge, entry: Entry) -> Decision | Behind:
    """Return the decision in the light of what is stored: the same number for other content, a known report."""
    decision, sender, batch = entry.decision, entry.arrival.sender, known.batch
    if isinstance(decision, Refusal):
        return decision
    if entry.arrival.receipt.key in batch.keys and _refuses_same_number(sender, decision):
        text = "MSH-10 déjà employé pour un autre contenu."
        return Refusal("AE", (Finding("205", "MSH^1^10", "hl7.control-id-reused", text),))
    if isinstance(decision, Relayed | Structured):
        decision = known.patients.as_known(decision)
    if isinstance(decision, Structured):
        followed = follow_numbers(batch, decision)
        if isinstance(followed, Refusal):
            return followed
        decision = followed
        if (missed := behind(batch, entry, decision)) is not None:
            return missed
        if decision.if_unknown is not None:
            return decision.if_unknown
    return decision


def _refuses_same_number(sender: Sender | None, decision: Decision) -> bool:
    """The volet's senders may write a constant MSH-10: there only the hash tells messages apart."""
    return sender is not None and sender.same_control_id_is_refused and not isinstance(decision, Relayed)
