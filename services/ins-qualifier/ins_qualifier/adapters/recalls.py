"""The recall list: reports that left under an identity that is wrong, or in doubt."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import insert, select, update

from ins_qualifier.adapters import tables
from ins_qualifier.adapters.tables import OPEN, SERVICE, InsUnit
from ins_qualifier.core.check import Check
from ins_qualifier.core.local import Detail
from ins_qualifier.core.recall import RecallCode, left_as, why_wrong
from labohub.contracts.codec import derived_id
from labohub.contracts.events import IdentityWithdrawn
from labohub.contracts.values import Patient
from labohub.runtime.logging import get_logger

log = get_logger(__name__)


async def recall_left(
    unit: InsUnit, identity: str, code: RecallCode, cause: str, *, patient: Patient | None = None, environment: str = ""
) -> int:
    """Recall a local patient's reports that left. With `patient`: those that are not his. Return how many."""
    checks = tables.checks
    query = select(checks.c.id, checks.c.payload).where(checks.c.identity == identity, checks.c.state == "qualified")
    count = 0
    for row in (await unit.connection.execute(query)).all():
        check = Check.model_validate_json(row.payload)
        details = why_wrong(left_as(check), patient, environment=environment) if patient else ()
        if details or patient is None:
            count += await recall(unit, row.id, check, identity=identity, code=code, cause=cause, details=details)
    return count


async def recall(
    unit: InsUnit, item: str, check: Check, *, identity: str, code: RecallCode, cause: str, details: Sequence[Detail]
) -> bool:
    """Put one report on the list, and tell the next stages to let no more of it leave. False: it is there already."""
    table, report = tables.recalls, check.event.report
    was = (await unit.connection.execute(select(table.c.state).where(table.c.id == item))).scalar_one_or_none()
    if was == OPEN:
        return False
    changing: dict[str, Any] = {
        "identity": identity,
        "code": code.value,
        "cause": cause,
        "details": orjson.dumps([[detail.subject, detail.reason] for detail in details]).decode(),
        "state": OPEN,
        "changed_at": unit.now,
    }
    if was is None:
        row = {
            "id": item,
            "report_id": report.report_id,
            "message_id": report.message_id,
            "control_id": report.control_id,
            "sender_application": report.sender.application,
            "sender_facility": report.sender.facility,
            "opened_at": unit.now,
        }
        await unit.connection.execute(insert(table).values(**row, **changing))
    else:
        await unit.connection.execute(update(table).where(table.c.id == item).values(**changing))
    await unit.worklist.note(item, "recalled", code.value, SERVICE, unit.now)
    await unit.publish(
        IdentityWithdrawn(
            event_id=derived_id("identity-withdrawn", item, code.value, cause),
            occurred_at=unit.now,
            report_id=report.report_id,
            message_id=report.message_id,
            code=code.value,
        )
    )
    log.warning("identity.recalled", report_id=report.report_id, code=code.value)
    return True
