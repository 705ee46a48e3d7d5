"""What one SGL event reads and writes: the requests of the reports it speaks of, and the marks it leaves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select, update

from ingest_hl7.adapters import rows, tables
from ingest_hl7.adapters.departing import held, held_reports
from ingest_hl7.adapters.patient_news import record_consent, subjects_of_report
from ingest_hl7.adapters.patient_tables import patient_index
from ingest_hl7.adapters.patients import known_of, opposed_fact
from ingest_hl7.adapters.sgl_tables import added_recipients, departures, report_names, sgl_marks
from ingest_hl7.core.consents import Consent, subjects
from ingest_hl7.core.holding import HOLD, NOT_VALIDATED, Mark
from ingest_hl7.core.returns import Return
from ingest_hl7.core.settlement import DMP, Outcome
from ingest_hl7.core.sgl_events import Departure, going
from ingest_hl7.handlers import Outcomes
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.events import Event, MessageSettled, ReportReceived
from labohub.contracts.values import MessageId, Path, Recipient, Report
from labohub.store.sql import insert_ignore, upsert


class Ledger:
    """One event's view of the store, inside its transaction."""

    def __init__(self, unit: IngestUnit, outcomes: Outcomes, event_id: str) -> None:
        self._unit = unit
        self._outcomes = outcomes
        self.now = unit.now
        self.event_id = event_id

    async def named(self, key: str) -> list[list[Departure]]:
        """Return the requests of each report known under this name, oldest first."""
        ids = select(report_names.c.report_id).where(report_names.c.key == key)
        return await self._load(list((await self._unit.connection.execute(ids)).scalars()))

    async def again(self, reports: Sequence[list[Departure]]) -> list[list[Departure]]:
        """Return the same reports as they stand now."""
        return await self._load([known[0].report.report_id for known in reports])

    async def mark(self, key: str, mark: Mark) -> None:
        """Remember what was said."""
        row = {"key": key, "mark": mark.value, "event_id": self.event_id, "since": self._unit.now}
        await insert_ignore(self._unit.connection, sgl_marks, [row])

    async def unmark(self, key: str, mark: Mark) -> bool:
        """Forget what was said. Return False when it never was."""
        gone = delete(sgl_marks).where(sgl_marks.c.key == key, sgl_marks.c.mark == mark.value)
        return bool((await self._unit.connection.execute(gone)).rowcount)

    async def validate(self, departure: Departure) -> None:
        """Remember that this version was validated."""
        await self._change(departure, needs_validation=False)

    async def keep_waiting(self, departure: Departure, reason: str) -> None:
        """Give a waiting request its reason of now, and say so."""
        await self._change(departure, held_for=reason)
        await self._tell(departure.report, held(departure.report, reason, self._unit))

    async def let_go(self, reports: Sequence[list[Departure]]) -> bool:
        """Let leave what has nothing left to wait for. Return whether anything still waits."""
        held_ids = await held_reports(self._unit)
        still = False
        for known in reports:
            waiting = [each for each in known if each.waits]
            if waiting and waiting[0].report.report_id in held_ids:
                still = True
                continue
            free = [each for each in waiting if not each.needs_validation]
            plan = going(known, free)
            for departure, code in plan.ended:
                await self._end(departure, code)
            for departure in plan.leaving:
                await self._leave(departure)
            ended = {each.fact.message_id for each, _ in plan.ended}
            for each in waiting:
                if each.needs_validation and each.fact.message_id not in ended:
                    still = True
                    if each.held_for == HOLD:
                        await self.keep_waiting(each, NOT_VALIDATED)
        return still

    async def rewrite(self, departure: Departure) -> None:
        """Change a request that waits: what it leaves with, to whom, and what is owed about it."""
        report = departure.report
        await self._change(departure, fact=_bytes(departure.fact))
        request = await self._unit.requests.find(report.message_id)
        assert request is not None
        owed = request.owed.model_copy(update={"recipients": report.recipients, "to_dmp": report.to_dmp})
        mine = tables.requests.c.message_id == report.message_id
        await self._unit.connection.execute(update(tables.requests).where(mine).values(owed=owed.model_dump_json()))
        targets = _targets(report)
        gone = [each.name for each in request.targets if each.name not in targets]
        table = tables.outcomes
        pending = delete(table).where(table.c.message_id == report.message_id, table.c.target.in_(gone))
        await self._unit.connection.execute(pending.where(table.c.outcome == str(Outcome.PENDING)))
        await self._expect(report, targets)

    async def reissue(self, last: Departure, changes: dict[str, Any]) -> None:
        """Send a report again as a request of our own: later stages know each document and mailbox, none gets it twice.

        Its outcomes are owed to the message that carried the report: the only number that its source knows.
        """
        origin = last.report
        message_id = MessageId(derived_id("message", "sgl-event", self.event_id, origin.report_id))
        asked = origin.model_copy(update={**changes, "message_id": message_id, "received_at": self._unit.now})
        patients = await known_of(self._unit, set(subjects(asked.patient, asked.sender.facility)))
        report = patients.without_opposed_feeding(asked)
        patients.remember(report)
        request = await self._unit.requests.find(origin.message_id)
        assert request is not None
        owed: Return = request.owed.model_copy(update={"recipients": asked.recipients, "to_dmp": asked.to_dmp})
        connection = self._unit.connection
        fact = rows.received(report)
        await connection.execute(
            tables.requests.insert(),
            {
                "message_id": message_id,
                "report_id": report.report_id,
                "owed": owed.model_dump_json(),
                "is_settled": False,
                "state": "",
            },
        )
        await self._expect(report, _targets(asked))
        await patients.write(self._unit)
        await connection.execute(
            departures.insert(),
            {
                "message_id": message_id,
                "report_id": report.report_id,
                "accepted_at": self._unit.now,
                "held_for": "",
                "needs_validation": False,
                "only_withdraws": False,
                "fact": _bytes(fact),
            },
        )
        await self._remember_sendings(report)
        await self._unit.publish(fact)
        if asked.to_dmp and not report.to_dmp:
            await self._unit.publish(opposed_fact(report, "", self._unit.now))

    async def consent(self, keys: Sequence[str], consent: Consent) -> bool:
        """Keep what a patient said; his requests under way hear of it. Return whether he is known by any request."""
        known = await known_of(self._unit, set(keys))
        standing = dict.fromkeys(known.merged[key][0] if key in known.merged else key for key in keys)
        await self._unit.publish(*await record_consent(self._unit, list(standing), consent))
        request = select(patient_index.c.message_id).where(patient_index.c.subject.in_(list(standing))).limit(1)
        return await self._unit.connection.scalar(request) is not None

    async def subjects_of(self, reports: Sequence[list[Departure]]) -> list[str]:
        """Return the keys under which the patients of these reports are known."""
        ids = [known[0].report.report_id for known in reports]
        return [key for each in ids for key in await subjects_of_report(self._unit, each)]

    async def remember_recipients(self, report_id: str, new: Sequence[Recipient], removed: Sequence[str]) -> None:
        """Remember whom events added to a demand: they get its corrections too."""
        table = added_recipients
        await upsert(
            self._unit.connection,
            table,
            [
                {"report_id": report_id, "address": each.address.lower(), "recipient": each.model_dump_json()}
                for each in new
            ],
        )
        addresses = [each.lower() for each in removed]
        if addresses:
            gone = delete(table).where(table.c.report_id == report_id, table.c.address.in_(addresses))
            await self._unit.connection.execute(gone)

    async def _load(self, report_ids: Sequence[str]) -> list[list[Departure]]:
        if not report_ids:
            return []
        query = (
            select(departures, tables.requests.c.is_settled)
            .join(tables.requests, tables.requests.c.message_id == departures.c.message_id)
            .where(departures.c.report_id.in_(report_ids))
            .order_by(departures.c.report_id, departures.c.accepted_at)
        )
        found: dict[str, list[Departure]] = {}
        for row in (await self._unit.connection.execute(query)).mappings():
            fact = ReportReceived.model_validate_json(row["fact"])
            departure = Departure(
                fact, row["held_for"], row["needs_validation"], row["is_settled"], row["only_withdraws"]
            )
            found.setdefault(row["report_id"], []).append(departure)
        return list(found.values())

    async def _leave(self, departure: Departure) -> None:
        fact = departure.fact.model_copy(update={"occurred_at": self._unit.now})
        await self._change(replace(departure, fact=fact), held_for="", fact=_bytes(fact))
        await self._unit.publish(fact)

    async def _end(self, departure: Departure, code: str) -> None:
        """End a request that never leaves. A message whose content is inside a later one asks for no answer."""
        report = departure.report
        about = Event(
            event_id=derived_id("event", report.message_id, code),
            occurred_at=self._unit.now,
            report_id=report.report_id,
            message_id=report.message_id,
        )
        if report.path is Path.RELAY:
            await self._outcomes.stop_for(about, code, self._unit)
            return
        table = tables.outcomes
        stopped = update(table).where(table.c.message_id == report.message_id)
        await self._unit.connection.execute(stopped.values(outcome=str(Outcome.STOPPED), code=code))
        await self._unit.requests.close(report.message_id, "archived")
        settled = MessageSettled(
            event_id=derived_id("event", report.message_id, "message-settled"),
            occurred_at=self._unit.now,
            report_id=report.report_id,
            message_id=report.message_id,
            control_id=report.control_id,
            state="archived",
            code=code,
        )
        await self._tell(report, settled)

    async def _tell(self, report: Report, event: Event) -> None:
        sender = report.sender
        await self._unit.publish(event)
        await self._outcomes.announce(self._unit, event, sender.application, sender.facility, report.control_id)

    async def _change(self, departure: Departure, **values: Any) -> None:
        mine = departures.c.message_id == departure.fact.message_id
        await self._unit.connection.execute(update(departures).where(mine).values(**values))

    async def _expect(self, report: Report, targets: Sequence[str]) -> None:
        """Write the destinations that are not known yet."""
        message_id = report.message_id
        values = [
            {"message_id": message_id, "target": each, "outcome": str(Outcome.PENDING), "code": ""} for each in targets
        ]
        await insert_ignore(self._unit.connection, tables.outcomes, values)

    async def _remember_sendings(self, report: Report) -> None:
        """Relayed documents that are asked for later by HL7 are known to have gone to these mailboxes."""
        digests = [each.sha256 for each in (report.document, report.companion) if each is not None]
        if not digests:
            return
        known = select(tables.documents.c.document_id).where(
            tables.documents.c.report_id == report.report_id, tables.documents.c.sha256.in_(digests)
        )
        values = [
            {"document_id": each, "request": str(report.request), "target": target, "message_id": report.message_id}
            for each in (await self._unit.connection.execute(known)).scalars()
            for target in _targets(report)
        ]
        await upsert(self._unit.connection, tables.sendings, values)


def _targets(report: Report) -> list[str]:
    names = [each.address.lower() for each in report.recipients] + ([DMP] if report.to_dmp else [])
    return list(dict.fromkeys(names))


def _bytes(fact: ReportReceived) -> bytes:
    return fact.model_dump_json().encode()
