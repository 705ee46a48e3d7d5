"""A built document becomes a planned filing. Inside the inbox transaction: no network."""

from collections.abc import Awaitable, Callable

from dmp_feeder.core import outcomes
from dmp_feeder.core.errors import DocumentIdReused, DocumentSuperseded, FeedingIsOpposed, FilingRefused
from dmp_feeder.core.filing import DELETE, REFUSED, TRANSMITTING, Asker, Filing, Rules, filing_id, operation_of, plan
from dmp_feeder.ports import FilingUnit
from labohub.contracts.events import DocumentBuilt, FeedingOpposed
from labohub.runtime.logging import get_logger
from labohub.store.work import NewWork, Work

log = get_logger(__name__)


def planner(rules: Rules) -> Callable[[DocumentBuilt, FilingUnit], Awaitable[None]]:
    """Return the handler that plans a filing, or says at once why there is none."""

    async def plan_filing(event: DocumentBuilt, unit: FilingUnit) -> None:
        asker = Asker(report_id=event.report_id, message_id=event.message_id)
        try:
            filing = plan(event, rules)
            if filing is not None:
                await _add(filing, asker, unit)
        except FilingRefused as error:
            operation, document_id = operation_of(event), event.facts.unique_id
            filed_as = filing_id([each.facts.unique_id for each in event.documents], operation)
            await unit.publish(
                outcomes.refused(
                    asker, filed_as, document_id, operation, at=unit.now, code=error.code, label=error.label
                )
            )
            log.warning("filing.refused", report_id=event.report_id, submission_id=filed_as, code=error.code)

    return plan_filing


async def oppose(event: FeedingOpposed, unit: FilingUnit) -> None:
    """Keep from the DMP what one request would feed it with, or let it go on when the opposition is lifted.

    What waits is refused at once. What is being transmitted cannot be held back: the worker finds out whether it
    arrived, and sends nothing any more. The document of the request may still have to come.
    """
    if not event.opposed:
        await unit.oppositions.lift(event.message_id)
        return
    await unit.oppositions.add(event.message_id, event.cause, unit.now)
    for filed_as in await unit.askers.filings_of(event.message_id):
        work = await unit.filings.hold(filed_as)
        if work is None or not work.is_open or work.extra["operation"] == DELETE:
            continue
        if work.state == TRANSMITTING:
            log.warning("filing.opposed-too-late", report_id=event.report_id, submission_id=filed_as)
            continue
        filing = Filing.model_validate_json(work.payload)
        asker = Asker(report_id=event.report_id, message_id=event.message_id)
        if not await unit.askers.drop(filed_as, event.message_id):
            await unit.filings.withdraw(filed_as, FeedingIsOpposed.code)
        refused = outcomes.refused(
            asker, filed_as, filing.document_id, filing.operation, at=unit.now,
            code=FeedingIsOpposed.code, label=FeedingIsOpposed.label,
        )  # fmt: skip
        await unit.publish(refused)
        log.info("filing.opposed", report_id=event.report_id, submission_id=filed_as)


async def _add(filing: Filing, asker: Asker, unit: FilingUnit) -> None:
    """Plan a filing. One that is known already is not done twice: whoever asks again gets the known outcome."""
    extra = {"operation": filing.operation}
    row = NewWork(filing.filing_id, lane=filing.report_id, payload=filing.model_dump_json(), extra=extra)
    before = await unit.filings.find(filing.filing_id)
    is_open = before is None or before.is_open or before.state == REFUSED
    if filing.operation != DELETE and is_open and await unit.oppositions.has(asker.message_id):
        raise FeedingIsOpposed("the patient opposes the feeding of his DMP")
    if (
        filing.operation != DELETE
        and (before is None or before.state == REFUSED)
        and await unit.filings.is_ended(filing)
    ):
        raise DocumentSuperseded("something replaces or deletes it")
    await unit.filings.plan(row, filing)  # ignored when it is known
    known = await unit.filings.hold(filing.filing_id)  # its settling waits for us, or we see how it ended
    assert known is not None
    if _differs(known, filing):
        raise DocumentIdReused("this document id was filed with other bytes")
    if known.state == REFUSED:
        if await unit.filings.has_later_accepted(known):
            raise DocumentSuperseded("a later document of this report is in the DMP")
        await unit.filings.reopen(filing.filing_id, filing.model_dump_json(), unit.now)
    elif not known.is_open:
        await _tell_again(filing, known, asker, unit)
        return
    await unit.askers.add(filing.filing_id, asker)
    log.info(
        "filing.planned", report_id=filing.report_id, submission_id=filing.filing_id, operation=filing.operation,
        state=known.state,
    )  # fmt: skip


def _differs(known: Work, filing: Filing) -> bool:
    first = Filing.model_validate_json(known.payload)
    return filing.operation != DELETE and _digests(first) != _digests(filing)


def _digests(filing: Filing) -> list[str]:
    return [each.content.sha256 for each in filing.documents]


async def _tell_again(filing: Filing, known: Work, asker: Asker, unit: FilingUnit) -> None:
    lot = (await unit.lots.find([filing.filing_id])).get(filing.filing_id)
    await unit.publish(
        outcomes.accepted(
            asker,
            filing.filing_id,
            filing.document_id,
            known.extra["operation"],
            at=unit.now,
            evidence=lot.evidence if lot else None,
        )
    )
    log.info("filing.already-done", report_id=filing.report_id, submission_id=filing.filing_id)
