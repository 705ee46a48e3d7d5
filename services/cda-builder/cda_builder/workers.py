"""Documents made or checked: jobs are leased, done in the workshop, and settled with the event that tells."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

import orjson

from cda_builder.core.catalogue import Catalogue, Seen, seen_in
from cda_builder.core.errors import CdaDocumentMissing, CdaNotConformant
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.versions import Version, fingerprint, numbering_after
from cda_builder.ports import Made, Order, Workshop, WorkshopBusy
from labohub.contracts.codec import derived_id
from labohub.contracts.events import DocumentBuilt, DocumentRefused, Event, IdentityQualified
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import BlobRef, Identity, Path
from labohub.errors import Refused, Unavailable
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.store.blobs import BlobMissing, Blobs
from labohub.store.unit import Units
from labohub.store.work import Work, WorkQueue

log = get_logger(__name__)

MAX_ATTEMPTS = 5  # of what is not explained by an outage: then the report is refused and someone is told
CDA_MEDIA, SELF_PRESENTING_MEDIA = "application/xml", "application/xslt+xml"
PDF_MEDIA, JSON_MEDIA = "application/pdf", "application/json"


class Versions(Protocol):
    """The versions that exist."""

    async def last(self, report_id: str) -> Version | None:
        """Return the newest version of a report's document."""

    async def add(self, report_id: str, version: Version) -> None:
        """Keep a version."""


class Catalogues(Protocol):
    """The laboratories' catalogues, and the volume of results by local code."""

    async def edition(self, facility: str) -> tuple[str, int]:
        """Return whose catalogue holds for a facility, and its number; 0 for none."""

    async def read(self, owner: str) -> Catalogue:
        """Return the catalogue of an owner."""

    async def count(self, seen: Sequence[Seen]) -> None:
        """Add the results of a new document to the volumes."""


class BuildingUnit(Protocol):
    """The part of a unit that building needs."""

    jobs: WorkQueue
    versions: Versions
    catalogues: Catalogues
    now: datetime

    async def publish(self, *events: Event) -> None:
        """Write the events into the outbox."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a document is built upon: the version before it, and the laboratory's catalogue."""

    last: Version | None
    catalogue: Catalogue = field(default_factory=Catalogue)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: a version, a refusal, or later."""

    version: Version | None = None
    companion: Version | None = None  # the laboratory's other format of the same content
    is_new: bool = False
    seen: tuple[Seen, ...] = ()  # the local codes of a new version
    code: str = ""
    conformance_report: BlobRef | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes the documents that are due."""

    blobs: Blobs
    workshop: Workshop
    profiles: Mapping[str, LaboratoryProfile]  # by sending facility; "" for all others
    batch_size: int
    lease_seconds: float
    retry_first_seconds: float
    retry_cap_seconds: float
    catalogues: dict[str, tuple[int, Catalogue]] = field(default_factory=dict)  # by owner: those read last

    async def build_due(self, units: Units[BuildingUnit], now: datetime) -> bool:  # type: ignore[type-var]
        """Make up to a batch of documents, of different reports. Return False when nothing is due."""
        async with units() as unit:
            works = await unit.jobs.lease_due(self.batch_size, self.lease_seconds)
            events = [IdentityQualified.model_validate_json(work.payload) for work in works]
            known = [await self._known(unit, event) for event in events]
        if not works:
            return False
        jobs = list(zip(works, events, known, strict=True))
        outcomes = await asyncio.gather(*(self._do(*job) for job in jobs))
        async with units() as unit:
            for (work, event, _), outcome in zip(jobs, outcomes, strict=True):
                await self._settle(unit, work, event, outcome)
        return True

    async def _known(self, unit: BuildingUnit, event: IdentityQualified) -> Known:
        """Return what a document is built upon. A catalogue is read once, until another is imported."""
        last = await unit.versions.last(event.report_id)
        if event.report.path is Path.RELAY:
            return Known(last)
        owner, number = await unit.catalogues.edition(event.report.sender.facility)
        held = self.catalogues.get(owner)
        if number and (held is None or held[0] != number):
            held = self.catalogues[owner] = (number, await unit.catalogues.read(owner))
        return Known(last, held[1]) if number and held else Known(last)

    async def _do(self, work: Work, event: IdentityQualified, known: Known) -> Outcome:
        started = perf_counter()
        with span("cda.build", work.traceparent, report_id=event.report_id):
            try:
                outcome = await self._version(event, known)
            except CdaNotConformant as error:
                outcome = Outcome(code=error.code, conformance_report=error.report)
            except Refused as error:
                outcome = Outcome(code=error.code)
            except WorkshopBusy as error:  # perhaps this very document ends the workers: not for ever
                outcome = Outcome(code=error.code, again=work.attempts < MAX_ATTEMPTS)
            except Unavailable as error:
                outcome = Outcome(code=error.code, again=True)
            except Exception as error:
                log.bug("document.failed", error, report_id=event.report_id, attempt=work.attempts)
                outcome = Outcome(code="cda.internal", again=work.attempts < MAX_ATTEMPTS)
        log.info(
            "document.made" if outcome.version else "document.not-made",
            report_id=event.report_id,
            path=event.report.path.value,
            code=outcome.code,
            elapsed_ms=round((perf_counter() - started) * 1000),
        )
        return outcome

    async def _version(self, event: IdentityQualified, known: Known) -> Outcome:
        if event.report.path is Path.RELAY:
            return await self._relayed(event)
        return await self._structured(event, known)

    async def _relayed(self, event: IdentityQualified) -> Outcome:
        """Check the laboratory's own documents; the very same bytes go on. One that is refused stops both."""
        if event.report.document is None:
            raise CdaDocumentMissing("no document to relay")
        sources = [each for each in (event.report.document, event.report.companion) if each is not None]
        versions = await asyncio.gather(*(self._examined(source, event.identity) for source in sources))
        return Outcome(versions[0], versions[1] if len(versions) > 1 else None)

    async def _examined(self, source: BlobRef, identity: Identity) -> Version:
        made = await self.workshop.examine(await self.blobs.read(source), identity)
        return await self._kept(made, source, made.facts.version_number, source.sha256)

    async def _structured(self, event: IdentityQualified, known: Known) -> Outcome:
        """Build the document; the same content as the last version is that version again."""
        report, source, last = event.report, event.report.results, known.last
        if source is None:
            raise CdaDocumentMissing("no results to structure")
        profile = self.profiles.get(report.sender.facility) or self.profiles[""]
        results = LaboratoryReport.model_validate_json(await self.blobs.read(source))
        mark = fingerprint(report, results, event.identity, profile)
        if last is not None and last.fingerprint == mark:
            return Outcome(last)
        numbering = numbering_after(last, await self._before(last))
        catalogue = known.catalogue.needed_by(results)
        made = await self.workshop.structure(Order(report, results, event.identity, profile, numbering, catalogue))
        version = await self._kept(made, None, numbering.version, mark)
        return Outcome(
            version.model_copy(update={"results": source}), is_new=True, seen=seen_in(results, report.sender.facility)
        )

    async def _before(self, last: Version | None) -> LaboratoryReport | None:
        """Return what the published version said; None when it is no longer kept."""
        if last is None or last.results is None:
            return None
        try:
            return LaboratoryReport.model_validate_json(await self.blobs.read(last.results))
        except BlobMissing:
            return None

    async def _kept(self, made: Made, source: BlobRef | None, number: int, mark: str) -> Version:
        """Return the version, its document, PDF and conformance report durable.

        Raises:
            CdaNotConformant: the verdict is against it; only the report is kept.
        """
        media = SELF_PRESENTING_MEDIA if made.self_presenting else CDA_MEDIA
        content = orjson.dumps(made.verdict.as_report(made.facts.unique_id))
        report = await self.blobs.put(content, JSON_MEDIA)
        if not made.verdict.conforms:
            raise CdaNotConformant("the document does not conform", report)
        return Version(
            number=number,
            fingerprint=mark,
            document=source or await self.blobs.put(made.document, media),
            facts=made.facts,
            pdf=await self.blobs.put(made.pdf, PDF_MEDIA) if made.pdf else None,
            conformance=made.verdict.conformance,
            conformance_report=report,
        )

    async def _settle(self, unit: BuildingUnit, work: Work, event: IdentityQualified, outcome: Outcome) -> None:
        if outcome.again:
            wait = backoff_seconds(
                work.attempts, first=self.retry_first_seconds, cap=self.retry_cap_seconds, fraction=0
            )
            await unit.jobs.settle(
                work, "postponed", is_open=True, due_at=unit.now + timedelta(seconds=wait), error_code=outcome.code
            )
            return
        state = "built" if outcome.version else "refused"
        if not await unit.jobs.settle(work, state, error_code=outcome.code):
            return  # our lease ran out: whoever took over tells
        if outcome.version and outcome.is_new:
            await unit.versions.add(work.lane, outcome.version)
            await unit.catalogues.count(outcome.seen)
        await unit.publish(told(event, outcome, unit.now))


def told(event: IdentityQualified, outcome: Outcome, now: datetime) -> Event:
    """Return the event that says how a job ended; its id depends on what caused it alone."""
    version, companion = outcome.version, outcome.companion
    if version is None:
        return DocumentRefused(
            event_id=derived_id("document.refused", event.event_id),
            occurred_at=now,
            report_id=event.report_id,
            message_id=event.message_id,
            control_id=event.report.control_id,
            code=outcome.code,
            conformance_report=outcome.conformance_report,
        )
    return DocumentBuilt(
        event_id=derived_id("document.built", event.event_id),
        occurred_at=now,
        report_id=event.report_id,
        message_id=event.message_id,
        report=event.report,
        identity=event.identity,
        document=version.document,
        facts=version.facts,
        pdf=version.pdf,
        companion=companion.document if companion else None,
        companion_facts=companion.facts if companion else None,
        companion_pdf=companion.pdf if companion else None,
        companion_conformance_report=companion.conformance_report if companion else None,
        conformance=version.conformance,
        conformance_report=version.conformance_report,
    )


def profiles_by_facility(
    default: LaboratoryProfile, others: Mapping[str, LaboratoryProfile]
) -> Mapping[str, LaboratoryProfile]:
    """Return the laboratory profiles by sending facility, the default under an empty name."""
    return {**others, "": default}
