"""Planned filings leave for the DMP: leased, built, kept, sent, judged, settled.

No transaction is open while the DMP is called. What is sent is durable before it leaves, so that every attempt sends
the same lot, byte for byte, under a new VIHF.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dmp_feeder.core.channel import Channel
from dmp_feeder.core.errors import FeedingIsOpposed
from dmp_feeder.core.filing import ACCEPTED, DELETE, DELETED, DUE, FEED, REPLACE, TRANSMITTING, FiledDocument, Filing
from dmp_feeder.core.lot import Dossier, Installation, build_lot, lot_of, open_dossier
from dmp_feeder.core.verdicts import Kind, Verdict
from dmp_feeder.ports import Dmp, DmpRejectsUs, DmpUnreachable, FilingUnits, KeptLot, TargetUnderWay
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
            opposed = await unit.oppositions.among([work.id for work in works])
        batch = _Batch(units, office, opposed)
        await asyncio.gather(*(batch.file(work, kept.get(work.id)) for work in works))
        return bool(works)
    finally:
        office.channel.give_back()


_OPPOSED = Verdict(Kind.FINAL, label=FeedingIsOpposed.label, code=FeedingIsOpposed.code)


@dataclass(frozen=True, slots=True)
class Target:
    """A document of the DMP that one of ours replaces."""

    document_id: str
    replaced_id: str
    found: Found


class _Batch:
    """Leased filings on their way together: they share commits, nothing else."""

    def __init__(self, units: FilingUnits, office: Office, opposed: set[str]) -> None:
        self._units = units
        self._opposed = opposed  # the patient said so after an attempt
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
        contents = [await self._office.blobs.read(each.content) for each in filing.documents]
        dossier = await asyncio.to_thread(open_dossier, filing, contents, self._office.installation)
        if filing.operation == DELETE:
            return await self._delete(work, dossier)
        if work.id in self._opposed:
            return await self._look(work, dossier, kept)
        return await self._provide(work, dossier, kept)

    async def _look(self, work: Work, dossier: Dossier, kept: KeptLot | None) -> Outcome:
        """Find out whether an attempt made before the opposition arrived; nothing is sent any more."""
        verdict = await self._registry.confirm(dossier, _OPPOSED)
        replaced = kept.replaced if kept else {}
        evidence = kept.evidence if kept else None
        return Outcome(work, dossier.filing, verdict, REPLACE if replaced else FEED, evidence, replaced, sent=True)

    async def _provide(self, work: Work, dossier: Dossier, kept: KeptLot | None) -> Outcome | None:
        """Send the lot: the kept one when there was an attempt before."""
        filing, blobs = dossier.filing, self._office.blobs
        if kept is not None:
            replaced = kept.replaced
            stored = await blobs.read(kept.evidence)
            lot = await asyncio.to_thread(lot_of, Package(kept.evidence.media_type, stored))
        else:
            targets = await self._targets(dossier)
            wrong = next((each.found.verdict for each in targets if each.found.verdict.kind is not Kind.DONE), None)
            if wrong is not None:
                return Outcome(work, filing, wrong, filing.operation)
            replaced = {each.document_id: each.replaced_id for each in targets if each.found.entry_uuid}
            uuids = {each.document_id: each.found.entry_uuid for each in targets if each.found.entry_uuid}
            lot = await asyncio.to_thread(build_lot, dossier, self._office.installation, uuids)
        call = await self._registry.provide(dossier, lot)
        evidence = await blobs.put(call.evidence.body, call.evidence.content_type)
        if not await self._departing.submit(Departure(work, KeptLot(evidence, replaced))):
            return None
        verdict = await self._registry.send(call)
        if verdict.kind is Kind.DUPLICATE:
            verdict = await self._registry.confirm(dossier, verdict) if kept else id_taken(verdict)
        return Outcome(work, filing, verdict, REPLACE if replaced else FEED, evidence, replaced, sent=True)

    async def _targets(self, dossier: Dossier) -> list[Target]:
        """Return what the documents replace in the DMP, each with the entry it has there; nothing for new ones."""
        if dossier.filing.operation != REPLACE:
            return []
        targets: list[Target] = []
        for paper in dossier.papers:
            replaced_id = await self._replaced(dossier, paper.filed)
            if replaced_id and replaced_id not in {each.replaced_id for each in targets}:
                found = await self._registry.find(dossier, replaced_id)
                targets.append(Target(paper.filed.document_id, replaced_id, found))
        return targets

    async def _replaced(self, dossier: Dossier, filed: FiledDocument) -> str:
        """Return the document that a new one takes the place of; empty for none.

        Versions that never got there are skipped: the third replaces the first when the second was refused.
        """
        async with self._units() as unit:
            state = await unit.filings.document_state(filed.replaces) if filed.replaces else ""
            if state == DUE:
                raise TargetUnderWay("the replaced document is not filed yet")
            target = filed.replaces if state in ("", ACCEPTED) else ""
            if not target and state != DELETED:
                target = await unit.filings.latest_accepted(filed, dossier.filing.report_id)
        own = {each.document_id for each in dossier.filing.documents}
        return "" if target in own else target

    async def _delete(self, work: Work, dossier: Dossier) -> Outcome | None:
        """Delete the documents that the DMP holds, one after the other. Absent after an attempt of ours, it is done."""
        tried, verdict, held = work.state == TRANSMITTING, DONE, list[tuple[str, str]]()
        async with self._units() as unit:
            states = [await unit.filings.document_state(each.document_id) for each in dossier.filing.documents]
        if DUE in states:
            raise TargetUnderWay("the document to delete is not filed yet")
        for each in dossier.filing.documents:
            found = await self._registry.find(dossier, each.document_id)
            if found.verdict.kind is not Kind.DONE:
                return Outcome(work, dossier.filing, found.verdict, DELETE, sent=tried)
            if found.entry_uuid:
                held.append((each.document_id, found.entry_uuid))
        if not held:
            return Outcome(work, dossier.filing, DONE if tried else nothing_to_delete(), DELETE, sent=tried)
        if not await self._departing.submit(Departure(work)):
            return None
        for document_id, entry_uuid in held:
            verdict = await self._registry.delete(dossier, document_id, entry_uuid)
            if verdict.kind is not Kind.DONE:
                break
        return Outcome(work, dossier.filing, verdict, DELETE, sent=True)

    async def _depart(self, departures: Sequence[Departure]) -> list[bool]:
        """Write what is about to be sent; False for those whose lease was lost."""
        async with self._units() as unit:
            ours = []
            for each in departures:
                ours.append(await unit.filings.mark(each.work, TRANSMITTING))
                if ours[-1] and await unit.oppositions.among([each.work.id]):
                    ours[-1] = False  # said since it was leased: once the lease is over, we only look
                if ours[-1] and each.lot is not None:
                    await unit.lots.keep(each.work.id, each.lot)
        self._departed.update(each.work.id for each, kept in zip(departures, ours, strict=True) if kept)
        return ours

    async def _settle(self, ended: Sequence[Outcome]) -> list[bool]:
        return await settle_all(self._units, ended, self._office.patience)
