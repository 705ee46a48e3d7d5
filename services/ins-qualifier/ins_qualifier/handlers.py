"""Events to our state. Transactional; never the network."""

from ins_qualifier.core.check import Check, check_id
from ins_qualifier.ports import Qualification
from labohub.contracts.events import ReportReceived
from labohub.store.work import NewWork


async def plan_check(event: ReportReceived, unit: Qualification) -> None:
    """Plan the identity check of a report. The messages of one report are checked in their order."""
    check = Check(event=event, planned_at=unit.now)
    await unit.checks.add(NewWork(id=check_id(event), lane=event.report_id, payload=check.model_dump_json()))
