"""Demands and orders in the store: what a result message must know, and what it leaves behind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import or_, select, update

from ingest_hl7.adapters import tables
from ingest_hl7.adapters.knowledge import Batch, Entry, KnownReport, RecordedOrder
from ingest_hl7.core import orders
from ingest_hl7.core.decision import Ordered, Refusal, Structured
from ingest_hl7.core.order import KnownOrder, OrderState
from ingest_hl7.core.structuring import patient_key
from ingest_hl7.ports import IngestUnit
from labohub.contracts.values import BlobRef, Report, ReportId
from labohub.standards.hl7.findings import Finding
from labohub.store.sql import among, insert_ignore, upsert

_DEMANDS = select(tables.reports).where(among(tables.reports.c.report_id, "report_ids"))
_FILLERS = select(tables.fillers).where(among(tables.fillers.c.filler_key, "keys"))
_ORDERS = select(tables.orders).where(
    or_(among(tables.orders.c.order_key, "keys"), among(tables.orders.c.group_key, "keys"))
)


@dataclass(frozen=True, slots=True)
class Behind:
    """Nothing was written: more is known of the demand than the decision knew. Decide again, for this report."""

    known: KnownReport | None
    report: Report  # as it is known: its demand, its patient
    orders: tuple[RecordedOrder, ...] = ()
    former: tuple[BlobRef, ...] = ()  # states of the patient's other demands, the latest first


async def load_demands(unit: IngestUnit, batch: Batch, entries: Sequence[Entry]) -> None:
    """Add to a batch the demands, the orders and the former demands that its result messages speak of."""
    decisions = [entry.decision for entry in entries if isinstance(entry.decision, Structured)]
    wanted = {str(each.report.report_id) for each in decisions}
    keys = {key for each in decisions for key in each.fresh.order_keys}
    keys |= {each.key for entry in entries if isinstance(entry.decision, Ordered) for each in entry.decision.orders}
    fillers = {key for each in decisions for key in each.fresh.filler_keys if key}
    if fillers:
        for key, report_id in await unit.connection.execute(_FILLERS, {"keys": list(fillers)}):
            batch.fillers[key] = report_id
        wanted |= set(batch.fillers.values())
    if wanted:
        for row in (await unit.connection.execute(_DEMANDS, {"report_ids": list(wanted)})).mappings():
            batch.reports[row["report_id"]] = KnownReport(
                row["version"],
                row["patient_key"],
                BlobRef.model_validate_json(row["results"]),
                json.loads(row["times"]),
                row["published"],
                row["digest"],
            )
    if keys:
        for row in (await unit.connection.execute(_ORDERS, {"keys": list(keys)})).mappings():
            batch.orders[row["order_key"]] = RecordedOrder(
                row["order_key"],
                row["group_key"],
                OrderState(row["state"]),
                row["person"],
                BlobRef.model_validate_json(row["content"]),
                row["position"],
            )
    for each in decisions:
        if each.fresh.sender.previous_results and each.report.patient.local_ids:
            await _load_former(unit, batch, each)


async def _load_former(unit: IngestUnit, batch: Batch, decision: Structured) -> None:
    table, person = tables.reports, _person_of(decision.report)
    if person in batch.former:
        return
    query = select(table.c.report_id, table.c.results).where(table.c.patient_key == person)
    query = query.order_by(table.c.changed_at.desc()).limit(decision.fresh.sender.previous_results + 1)
    batch.former[person] = {
        row.report_id: BlobRef.model_validate_json(row.results) for row in await unit.connection.execute(query)
    }


def follow_numbers(batch: Batch, decision: Structured) -> Structured | Refusal:
    """Return the decision for the demand in which its filler numbers are known: results follow their number.

    Refused when they are known in several, of which only one would learn what the message says.
    """
    fresh = decision.fresh
    homes = [(batch.fillers[key], place) for key, place in zip(fresh.filler_keys, fresh.places.batteries, strict=True)
             if key in batch.fillers]  # fmt: skip
    if not homes:
        return decision
    home = homes[0][0]
    elsewhere = next((place for each, place in homes if each != home), "")
    if elsewhere:
        text = "Examens connus dans des demandes différentes : un message par demande."
        return Refusal("AE", (Finding("199", f"{elsewhere}^3", "ltw.demands-mixed", text),))
    if home == decision.report.report_id:
        return decision
    return replace(decision, report=decision.report.model_copy(update={"report_id": ReportId(home)}))


def behind(batch: Batch, entry: Entry, decision: Structured) -> Behind | None:
    """Return what the decision must know first; None when it knew all."""
    report = decision.report
    latest = batch.reports.get(report.report_id)
    keys = decision.fresh.order_keys
    recorded = tuple(
        each for each in batch.orders.values() if each.order_key in keys or (each.group_key and each.group_key in keys)
    )
    others = batch.former.get(_person_of(report), {})
    former = tuple(ref for report_id, ref in others.items() if report_id != report.report_id)
    is_late = latest is not None and latest.version != entry.base_version
    if is_late or (not entry.informed and (recorded or former)):
        return Behind(latest, report, recorded, former)
    return None


def keep(batch: Batch, entry: Entry, decision: Structured, unit: IngestUnit) -> None:
    """Keep the state of a demand, whether a report leaves or not."""
    report_id, latest = decision.report.report_id, batch.reports.get(decision.report.report_id)
    leaves = decision.results is not None
    known = KnownReport(
        version=entry.base_version + 1,
        patient_key=latest.patient_key if latest else _person_of(decision.report),
        results=entry.contents[-1],
        times=decision.times,
        left=(latest.left if latest else 0) + leaves,
        digest=decision.digest if leaves else latest.digest if latest else "",
    )
    batch.reports[report_id] = known
    for key in decision.fresh.filler_keys:
        if key and key not in batch.fillers:
            batch.fillers[key] = report_id
            batch.add("fillers", {"filler_key": key, "report_id": report_id})
    batch.add(
        "reports",
        {
            "report_id": report_id,
            "version": known.version,
            "patient_key": known.patient_key,
            "results": known.results.model_dump_json(),
            "times": json.dumps(known.times),
            "published": known.left,
            "digest": known.digest,
            "changed_at": unit.now,
        },
    )
    placers = {each.placer_number for each in decision.state.batteries if each.status in ("P", "A", "F", "C")}
    for key, recorded in batch.orders.items():
        if (
            key in decision.fresh.order_keys
            and key.split("\x1f")[0] in placers
            and recorded.state is OrderState.ORDERED
        ):
            batch.orders[key] = replace(recorded, state=OrderState.RESULTED)
            batch.resulted.add(key)


def record(batch: Batch, entry: Entry, ordered: Ordered, receiver: str, unit: IngestUnit) -> Ordered:
    """Return the orders with their answers; what is accepted is recorded."""
    known = {key: KnownOrder(each.state, each.person) for key, each in batch.orders.items()}
    judged = orders.judge(ordered, known, receiver)
    content = entry.contents[0]
    for position, (order, verdict) in enumerate(zip(judged.orders, judged.verdicts, strict=True)):
        state = orders.state_after(order, verdict, known.get(order.key))
        if state is None:
            continue
        kept = RecordedOrder(order.key, order.group_key, state, ordered.person, content, position)
        batch.orders[order.key] = kept
        row = {
            "order_key": order.key,
            "group_key": order.group_key,
            "state": str(state),
            "person": ordered.person,
            "content": content.model_dump_json(),
            "position": position,
            "message_id": entry.arrival.receipt.message_id,
            "changed_at": unit.now,
        }
        batch.add("orders", row)
    return judged


async def write_demands(unit: IngestUnit, batch: Batch) -> None:
    """Write what a run changed of demands and orders."""
    for name, key in (("reports", "report_id"), ("orders", "order_key")):
        latest = {row[key]: row for row in batch.rows.get(name, [])}
        await upsert(unit.connection, tables.metadata.tables[name], list(latest.values()))
    await insert_ignore(unit.connection, tables.fillers, batch.rows.get("fillers", []))
    if batch.resulted:
        table = tables.orders
        told = update(table).where(table.c.order_key.in_(batch.resulted)).values(state=str(OrderState.RESULTED))
        await unit.connection.execute(told)


def _person_of(report: Report) -> str:
    return patient_key(report.patient, report.sender.facility)
