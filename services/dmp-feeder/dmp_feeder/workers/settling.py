"""Outcomes of filings written together: the work row, the facts for those who asked, the state of what was replaced."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dmp_feeder.core import outcomes
from dmp_feeder.core.filing import ACCEPTED, DELETE, DELETED, DUE, REFUSED, REPLACED, TRANSMITTING, Filing
from dmp_feeder.core.verdicts import Kind, Verdict
from dmp_feeder.ports import FilingUnit, FilingUnits
from labohub.contracts.values import BlobRef
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.store.work import Work

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often to try again."""

    first_seconds: float
    cap_seconds: float
    generic_attempts: int
    channel_pause_seconds: float

    def wait_seconds(self, failures: int) -> float:
        """Return the wait after this many failures in a row."""
        fraction = random.random()
        return backoff_seconds(failures, first=self.first_seconds, cap=self.cap_seconds, fraction=fraction)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt at a filing ended. `operation` is what was really done."""

    work: Work
    filing: Filing
    verdict: Verdict
    operation: str
    evidence: BlobRef | None = None
    replaced: Mapping[str, str] = field(default_factory=dict)  # document in the DMP, by the one that replaces it
    sent: bool = False  # a request may have reached the DMP, now or before


async def settle_all(units: FilingUnits, ended: Sequence[Outcome], patience: Patience) -> list[bool]:
    """Write outcomes in one transaction; False for those whose lease was lost."""
    async with units() as unit:
        return [await _settle(unit, outcome, patience) for outcome in ended]


async def _settle(unit: FilingUnit, outcome: Outcome, patience: Patience) -> bool:
    match outcome.verdict.kind:
        case Kind.DONE:
            return await _accept(unit, outcome)
        case Kind.TARGET if not outcome.filing.rereads:
            await unit.lots.drop(outcome.work.id)
            changed = outcome.filing.model_copy(update={"rereads": outcome.filing.rereads + 1})
            return await _again(unit, outcome, changed, unit.now)
        case Kind.LATER | Kind.CHANNEL:
            return await _again(unit, outcome, outcome.filing, _later(unit.now, outcome, patience))
        case Kind.FEW if outcome.filing.failures + 1 < patience.generic_attempts:
            changed = outcome.filing.model_copy(update={"failures": outcome.filing.failures + 1})
            return await _again(unit, outcome, changed, _later(unit.now, outcome, patience))
        case _:
            return await _refuse(unit, outcome)


def _later(now: datetime, outcome: Outcome, patience: Patience) -> datetime:
    return now + timedelta(seconds=patience.wait_seconds(outcome.work.attempts))


async def _again(unit: FilingUnit, outcome: Outcome, filing: Filing, due_at: datetime) -> bool:
    verdict = outcome.verdict
    log.info(
        "filing.postponed", report_id=filing.report_id, submission_id=outcome.work.id,
        code=verdict.code, dmp_code=verdict.dmp_code, attempt=outcome.work.attempts,
    )  # fmt: skip
    return await unit.filings.settle(
        outcome.work,
        TRANSMITTING if outcome.sent else DUE,
        is_open=True,
        due_at=due_at,
        error_code=verdict.code,
        payload=filing.model_dump_json(),
    )


async def _accept(unit: FilingUnit, outcome: Outcome) -> bool:
    filing, work = outcome.filing, outcome.work
    if not await unit.filings.settle(work, ACCEPTED, extra={"operation": outcome.operation}):
        return False
    if outcome.operation == DELETE:
        for each in filing.documents:
            await unit.filings.mark_document(each.document_id, DELETED)
    else:
        await unit.filings.settle_documents(work.id, ACCEPTED)
        for replaced_id in outcome.replaced.values():
            await unit.filings.mark_document(replaced_id, REPLACED)
    for asker in await unit.askers.take(work.id):
        await unit.publish(
            outcomes.accepted(
                asker, work.id, filing.document_id, outcome.operation, at=unit.now, evidence=outcome.evidence
            )
        )
    log.info(
        "dmp.accepted", report_id=filing.report_id, submission_id=work.id, operation=outcome.operation,
        attempt=work.attempts, warning=outcome.verdict.label,
    )  # fmt: skip
    return True


async def _refuse(unit: FilingUnit, outcome: Outcome) -> bool:
    filing, work, verdict = outcome.filing, outcome.work, outcome.verdict
    if not await unit.filings.settle(work, REFUSED, error_code=verdict.code):
        return False
    await unit.filings.settle_documents(work.id, REFUSED)
    await unit.lots.drop(work.id)  # should someone ask again, after a correction, it will be another lot
    for asker in await unit.askers.take(work.id):
        await unit.publish(
            outcomes.refused(
                asker, work.id, filing.document_id, outcome.operation, at=unit.now,
                code=verdict.code, dmp_code=verdict.dmp_code, label=verdict.label,
            )
        )  # fmt: skip
    log.warning(
        "dmp.refused", report_id=filing.report_id, submission_id=work.id, operation=outcome.operation,
        code=verdict.code, dmp_code=verdict.dmp_code,
    )  # fmt: skip
    return True
