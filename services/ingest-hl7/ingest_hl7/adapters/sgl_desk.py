"""Where an SGL event takes effect: one event, one transaction, one answer for ever."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ingest_hl7.adapters.departing import take_turn
from ingest_hl7.adapters.sgl_effects import Effect, apply
from ingest_hl7.adapters.sgl_ledger import Ledger
from ingest_hl7.adapters.sgl_tables import sgl_events
from ingest_hl7.core.holding import key_of
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.sgl_events import REFUSED
from ingest_hl7.core.sgl_refusals import EventIdReused, EventRefused
from ingest_hl7.handlers import Outcomes
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.sgl import SglEvent
from labohub.contracts.values import BlobRef
from labohub.runtime.logging import get_logger
from labohub.store.sql import upsert
from labohub.store.unit import Units

log = get_logger(__name__)

ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Presented:
    """An event as it came: its content's hash, where its bytes are kept, who presented it."""

    event: SglEvent
    sha256: str
    body: BlobRef
    key_id: str

    @property
    def event_id(self) -> str:
        """Return our identifier: the same for the same id from the same source."""
        source = self.event.source
        return derived_id("sgl-event", source.application, source.facility, self.event.id)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the source is told. `replayed`: it was told before."""

    status: int
    content: dict[str, Any]
    replayed: bool = False


class SglDesk:
    """Takes events, one at a time for each source."""

    def __init__(self, units: Units[IngestUnit], registry: Registry, outcomes: Outcomes) -> None:
        self._units = units
        self._registry = registry
        self._outcomes = outcomes

    async def take(self, presented: Presented) -> Reply:
        """Return the answer, durable together with the effect. Raises: Unavailable."""
        event, event_id = presented.event, presented.event_id
        async with self._units() as unit:
            await take_turn(unit, event.source.application, event.source.facility)
            query = select(sgl_events).where(sgl_events.c.event_id == event_id)
            known = (await unit.connection.execute(query)).mappings().first()
            if known is not None and known["sha256"] == presented.sha256 and known["state"] != REFUSED:
                return Reply(known["status"], json.loads(known["answer"]), replayed=True)
            if known is not None and known["state"] != REFUSED:
                raise EventIdReused("this id was used for another event")
            effect, status = await self._try(unit, event, event_id)
            content = {
                "event_id": event_id,
                "id": event.id,
                "type": event.type,
                "state": effect.state,
                "code": effect.code,
                "reports": list(effect.reports),
                "received_at": unit.now.isoformat(),
            }
            await upsert(unit.connection, sgl_events, [_row(presented, effect, status, content, unit)])
        log.info("sgl-event.taken", event_id=event_id, kind=event.type, state=effect.state, code=effect.code)
        return Reply(status, content)

    async def _try(self, unit: IngestUnit, event: SglEvent, event_id: str) -> tuple[Effect, int]:
        """Return the effect. A refusal comes before anything is written."""
        ledger = Ledger(unit, self._outcomes, event_id)
        key = key_of(event.source, event.subject)
        sender = self._registry.named(event.source.application, event.source.facility)
        try:
            reports = await ledger.named(key)
            return await apply(ledger, event, key, sender, reports), ACCEPTED
        except EventRefused as error:
            return Effect(REFUSED, error.code), error.status


def _row(
    presented: Presented, effect: Effect, status: int, content: dict[str, Any], unit: IngestUnit
) -> dict[str, Any]:
    event = presented.event
    return {
        "event_id": presented.event_id,
        "id": event.id,
        "application": event.source.application,
        "facility": event.source.facility,
        "type": event.type,
        "sha256": presented.sha256,
        "occurred_at": event.occurred_at,
        "received_at": unit.now,
        "key_id": presented.key_id,
        "body": presented.body.model_dump_json(),
        "state": effect.state,
        "code": effect.code,
        "status": status,
        "answer": json.dumps(content),
    }
