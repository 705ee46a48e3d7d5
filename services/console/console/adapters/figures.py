"""Counts for the overview, and the worklists."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, func, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from console.adapters.paging import known, read_cursor, write_cursor
from console.adapters.tables import messages, reports, steps, waiting
from console.adapters.views import Page, Reconciliation, ServiceRow, WaitingView

TREND_BINS = 12
TREND_MINUTES = 5
SERVICES = ("ingest-hl7", "ins-qualifier", "cda-builder", "mss-sender", "dmp-feeder")


async def find_waiting(
    connection: AsyncConnection, worklist: str, *, limit: int, cursor: str = ""
) -> Page[WaitingView]:
    """Return what waits for a human, oldest first.

    Raises:
        CursorMalformed: see the class.
    """
    query = (
        select(waiting, messages.c.control_id, messages.c.sender_application, reports.c.patient)
        .outerjoin(messages, messages.c.message_id == waiting.c.message_id)
        .outerjoin(reports, reports.c.report_id == waiting.c.report_id)
        .where(waiting.c.worklist == worklist, waiting.c.is_open)
    )
    if cursor:
        query = query.where(tuple_(waiting.c.opened_at, waiting.c.item_id) > tuple_(*read_cursor(cursor)))
    rows = (await connection.execute(query.order_by(waiting.c.opened_at, waiting.c.item_id).limit(limit + 1))).all()
    more, rows = len(rows) > limit, rows[:limit]
    items = [
        WaitingView(
            **known(row, WaitingView)
            | {name: row._mapping[name] or "" for name in ("control_id", "sender_application", "patient")}
        )
        for row in rows
    ]
    return Page(items=items, next_cursor=write_cursor(rows[-1].opened_at, rows[-1].item_id) if more else "")


async def count_waiting(connection: AsyncConnection) -> dict[str, int]:
    """Return how many items wait on each worklist."""
    query = select(waiting.c.worklist, func.count()).where(waiting.c.is_open).group_by(waiting.c.worklist)
    found: dict[str, int] = {}
    for worklist, count in await connection.execute(query):
        found[worklist] = count
    return found


async def reconcile(connection: AsyncConnection) -> Reconciliation:
    """Return accepted messages by terminal state, and those without one."""
    query = select(messages.c.state, messages.c.stage, func.count(), func.min(messages.c.seen_at))
    settled: dict[str, int] = {}
    by_stage: dict[str, int] = {}
    oldest: datetime | None = None
    for state, stage, count, first_at in await connection.execute(query.group_by(messages.c.state, messages.c.stage)):
        if state:
            settled[state] = settled.get(state, 0) + count
        else:
            by_stage[stage] = by_stage.get(stage, 0) + count
            oldest = min(oldest or first_at, first_at)
    still_open = sum(by_stage.values())
    return Reconciliation(
        accepted=sum(settled.values()) + still_open,
        settled=settled,
        open=still_open,
        open_by_stage=by_stage,
        oldest_open_at=oldest,
    )


async def service_rows(connection: AsyncConnection, now: datetime) -> list[ServiceRow]:
    """Return what each service did in the last hour, with its trend."""
    since = now - timedelta(minutes=TREND_BINS * TREND_MINUTES)
    last_at = {name: await _last_at(connection, name) for name in SERVICES}
    rows = {
        name: ServiceRow(service=name, last_hour=0, errors=0, waiting=0, last_at=at, trend=[0] * TREND_BINS)
        for name, at in last_at.items()
    }
    width = TREND_MINUTES * 60 * 1_000_000
    start = int(since.timestamp()) * 1_000_000
    bin_ = (type_coerce(steps.c.at, BigInteger) - start) // width
    query = select(steps.c.service, steps.c.outcome, bin_.label("bin"), func.count()).where(steps.c.at >= since)
    for service, outcome, bin_number, count in await connection.execute(query.group_by("service", "outcome", "bin")):
        if (row := rows.get(service)) is None:
            continue
        row.last_hour += count
        row.errors += count if outcome == "error" else 0
        row.waiting += count if outcome == "waiting" else 0
        row.trend[max(0, min(int(bin_number), TREND_BINS - 1))] += count
    return list(rows.values())


async def newest_step(connection: AsyncConnection) -> int:
    """Return the number of the newest step: it changes when anything happened."""
    return (await connection.execute(select(func.max(steps.c.id)))).scalar_one() or 0


async def _last_at(connection: AsyncConnection, service: str) -> datetime | None:
    last: datetime | None = (
        await connection.execute(select(func.max(steps.c.at)).where(steps.c.service == service))
    ).scalar_one()
    return last
