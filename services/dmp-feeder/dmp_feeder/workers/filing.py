"""Planned filings leave for the DMP: leased, built, kept, sent, judged, settled.

No transaction is open while the DMP is called. What is sent is durable before it leaves, so that every attempt sends
the same lot, byte for byte, under a new VIHF.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dmp_feeder.core.channel import Channel
from dmp_feeder.core.filing import ACCEPTED, DELETE, DELETED, FEED, REPLACE, TRANSMITTING, Filing
from dmp_feeder.core.lot import Dossier, Installation, build_lot, lot_of, open_dossier
from dmp_feeder.core.verdicts import Kind, Verdict
from dmp_feeder.ports import Dmp, DmpRejectsUs, DmpUnreachable, FilingUnits, KeptLot
from dmp_feeder.workers.registry import DONE, Found, Registry, id_taken, nothing_to_delete
from dmp_feeder.workers.settling import Outcome, Patience, settle_all
from labohub.errors import Refused, Unavailable
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger
from labohub.runtime.telemetry import span
from labohub.standards.mtom import Package
from labohub.store.batching import Batcher
from labohub.store.blobs import Blobs
from labohub.store.work import Work

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Office:
    """All that filing needs, in one value."""

    installation: Installation
    blobs: Blobs
    dmp: Dmp
    channel: Channel
    patience: Patience
    clock: Clock
    batch_size: int
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class Departure:
    """A filing about to be sent: made durable first, with its lot unless it is a deletion."""

    work: Work
    lot: KeptLot | None = None


async def file_due(units: FilingUnits, now: datetime, *, office: Office) -> bool:
    """File the due documents. Return False when nothing is due, or the DMP is away."""
    limit = office.channel.take(now, office.batch_size)
    if limit == 0:
        return False
    try:
        async with units() as unit:
            works = await unit.filings.lease_due(limit, office.lease_seconds)
            kept = await unit.lots.find([work.id for work in works]) if works else {}
        batch = _Batch(units, office)
        await asyncio.gather(*(batch.file(work, kept.get(work.id)) for work in works))
        return bool(works)
    finally:
        office.channel.give_back()


class _Batch:
    """Leased filings on their way together: they share commits, nothing else."""

    def __init__(self, units: FilingUnits, office: Office) -> None:
        self._units = units
        self._office = office
        self._registry = Registry(office.installation, office.dmp, office.clock)
        self._departed: set[str] = set()
        self._departing: Batcher[Departure, bool] = Batcher(self._depart, office.batch_size)
        self._settling: Batcher[Outcome, bool] = Batcher(self._settle, office.batch_size)

    async def file(self, work: Work, kept: KeptLot | None) -> None:
        """File one document and settle it, whatever happens."""
        filing = Filing.model_validate_json(work.payload)
        with span("dmp.file", work.traceparent, report_id=filing.report_id, operation=filing.operation):
            outcome = await self._attempt(work, filing, kept)
            if outcome is None or not await self._settling.submit(outcome):
                log.warning("filing.lease-lost", report_id=filing.report_id, submission_id=work.id)

    async def _attempt(self, work: Work, filing: Filing, kept: KeptLot | None) -> Outcome | None:
        """Return how the attempt ended; None when another worker took the filing over."""
        channel, patience = self._office.channel, self._office.patience
        try:
            outcome = await self._try(work, filing, kept)
            if outcome is not None and outcome.verdict.kind is Kind.CHANNEL:
                raise DmpRejectsUs(outcome.verdict.dmp_code)
        except DmpRejectsUs as error:
            channel.failed(self._office.clock(), patience.channel_pause_seconds)
            log.error("dmp.channel-closed", code=error.code, submission_id=work.id)
            verdict = Verdict(Kind.LATER, code=error.code)
        except DmpUnreachable as error:
            channel.failed(self._office.clock(), patience.wait_seconds(channel.failures + 1))
            log.warning("dmp.unreachable", code=error.code, submission_id=work.id, attempt=work.attempts)
            verdict = Verdict(Kind.LATER, code=error.code)
        except Unavailable as error:
            verdict = Verdict(Kind.LATER, code=error.code)
        except Refused as error:
            verdict = Verdict(Kind.FINAL, code=error.code)
        except Exception as error:
            log.bug("filing.failed", error, report_id=filing.report_id, submission_id=work.id)
            verdict = Verdict(Kind.FEW, code="bug")
        else:
            channel.succeeded()
            return outcome
        sent = work.state == TRANSMITTING or work.id in self._departed
        return Outcome(work, filing, verdict, filing.operation, sent=sent)

    async def _try(self, work: Work, filing: Filing, kept: KeptLot | None) -> Outcome | None:
        content = await self._office.blobs.read(filing.document)
        dossier = await asyncio.to_thread(open_dossier, filing, content, self._office.installation)
        if filing.operation == DELETE:
            return await self._delete(work, dossier)
        return await self._provide(work, dossier, kept)

    async def _provide(self, work: Work, dossier: Dossier, kept: KeptLot | None) -> Outcome | None:
        """Send the lot: the kept one when there was an attempt before."""
        filing, blobs = dossier.filing, self._office.blobs
        if kept is not None:
            replaced_id = kept.replaced_id
            stored = await blobs.read(kept.evidence)
            lot = await asyncio.to_thread(lot_of, Package(kept.evidence.media_type, stored))
        else:
            replaced_id, found = await self._target(dossier)
            if found.verdict.kind is not Kind.DONE:
                return Outcome(work, filing, found.verdict, filing.operation)
            lot = await asyncio.to_thread(build_lot, dossier, self._office.installation, found.entry_uuid)
        call = await self._registry.provide(dossier, lot)
        evidence = await blobs.put(call.evidence.body, call.evidence.content_type)
        if not await self._departing.submit(Departure(work, KeptLot(evidence, replaced_id))):
            return None
        verdict = await self._registry.send(call)
        if verdict.kind is Kind.DUPLICATE:
            verdict = await self._registry.confirm(dossier, verdict) if kept else id_taken(verdict)
        return Outcome(work, filing, verdict, REPLACE if replaced_id else FEED, evidence, replaced_id, sent=True)

    async def _target(self, dossier: Dossier) -> tuple[str, Found]:
        """Return the document that stands in the DMP in place of this one, and where; nothing for a new one.

        Versions that never got there are skipped: the third replaces the first when the second was refused.
        """
        filing = dossier.filing
        if filing.operation != REPLACE:
            return "", Found("")
        async with self._units() as unit:
            known = await unit.filings.of_document(filing.replaces) if filing.replaces else None
            target = filing.replaces if known is None or known.state == ACCEPTED else ""
            if not target and (known is None or known.state != DELETED):
                target = await unit.filings.latest_accepted(filing.set_id, filing.report_id)
        if not target or target == filing.document_id:
            return "", Found("")
        found = await self._registry.find(dossier, target)
        return (target if found.entry_uuid else ""), found

    async def _delete(self, work: Work, dossier: Dossier) -> Outcome | None:
        """Delete the document where the DMP holds it. Absent after an attempt of ours, it is deleted."""
        found = await self._registry.find(dossier, dossier.filing.document_id)
        verdict = found.verdict
        tried = work.state == TRANSMITTING
        if verdict.kind is Kind.DONE and found.entry_uuid:
            if not await self._departing.submit(Departure(work)):
                return None
            tried, verdict = True, await self._registry.delete(dossier, found.entry_uuid)
        elif verdict.kind is Kind.DONE:
            verdict = DONE if tried else nothing_to_delete()
        return Outcome(work, dossier.filing, verdict, DELETE, sent=tried)

    async def _depart(self, departures: Sequence[Departure]) -> list[bool]:
        """Write what is about to be sent; False for those whose lease was lost."""
        async with self._units() as unit:
            ours = []
            for each in departures:
                ours.append(await unit.filings.mark(each.work, TRANSMITTING))
                if ours[-1] and each.lot is not None:
                    await unit.lots.keep(each.work.id, each.lot)
        self._departed.update(each.work.id for each, kept in zip(departures, ours, strict=True) if kept)
        return ours

    async def _settle(self, ended: Sequence[Outcome]) -> list[bool]:
        return await settle_all(self._units, ended, self._office.patience)
