"""A qualified identity becomes a document to make or to check. Inside the inbox transaction: no network."""

from typing import Protocol

from labohub.contracts.events import IdentityQualified
from labohub.store.work import NewWork, WorkQueue


class BuildingUnit(Protocol):
    """The part of a unit that planning needs."""

    jobs: WorkQueue


async def plan_document(event: IdentityQualified, unit: BuildingUnit) -> None:
    """Plan one document. Those of one report are made one after another, in the order of its messages."""
    await unit.jobs.add(NewWork(event.event_id, event.report_id, event.model_dump_json()))
