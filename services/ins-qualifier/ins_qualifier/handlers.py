"""Events to our state. Transactional; never the network."""

from collections.abc import Awaitable, Callable

from ins_qualifier.core.check import Check, again, check_id
from ins_qualifier.core.decision import Finding, decide
from ins_qualifier.core.local import check_patient
from ins_qualifier.core.recall import why_wrong
from ins_qualifier.ports import Qualification
from labohub.contracts.events import PatientCorrected, ReportReceived
from labohub.contracts.values import Identity, IdentityStatus
from labohub.runtime.logging import get_logger
from labohub.store.work import NewWork, Work

log = get_logger(__name__)

QUALIFIED = "qualified"
CORRECTED = "patient-corrected"  # in a history; its code is the message that said so
SOURCE = "ingest-hl7"


async def plan_check(event: ReportReceived, unit: Qualification) -> None:
    """Plan the identity check of a report. The messages of one report are checked in their order."""
    check = Check(event=event, planned_at=unit.now)
    await unit.checks.add(NewWork(id=check_id(event), lane=event.report_id, payload=check.model_dump_json()))


def follower(environment: str) -> Callable[[PatientCorrected, Qualification], Awaitable[None]]:
    """Return the handler that lets checks follow a corrected patient."""

    async def follow(event: PatientCorrected, unit: Qualification) -> None:
        """Check the corrected patient, or recall a report that left for another one. Never silent: all is in a history.

        A report that waits goes round again, from the first question; an answer about the former patient that is under
        way is not used.
        """
        item = check_id(event)
        later = await unit.hold_report(item)
        work = await unit.checks.find(item)
        if work is None:  # held at the intake: the report will come with its patient corrected
            log.info("identity.correction-early", report_id=event.report_id)
            return
        check = Check.model_validate_json(work.payload)
        if check.event.report.patient == event.patient:
            return
        await unit.worklist.note(item, CORRECTED, event.cause, SOURCE, unit.now)
        renewed = again(check, unit.now, event.patient)
        if work.state == QUALIFIED:
            await _recall(event, work, check, unit, environment)
        elif work.is_open or not (later.qualified or later.under_way):
            await unit.start_again(item, renewed)
            await unit.worklist.check_again(item, unit.now)
            log.info("identity.checked-again", report_id=event.report_id)
        else:  # a later message of the report decides; this one is ready should a person ask
            await unit.checks.change(item, payload=renewed.model_dump_json())

    return follow


async def _recall(event: PatientCorrected, work: Work, check: Check, unit: Qualification, environment: str) -> None:
    """Open an item for a report that left, unless its documents are the corrected patient's all the same."""
    report, code = check.event.report, Finding.CHANGED_AFTER.value
    left_as = check.left_as or Identity(
        status=IdentityStatus.QUALIFIEE, traits=report.patient.traits, ins=report.patient.ins
    )
    corrected = again(check, check.planned_at, event.patient).model_copy(update={"round": check.round})
    await unit.checks.change(work.id, payload=corrected.model_dump_json())
    details = why_wrong(left_as, event.patient, environment=environment)
    if not details:
        return
    local = check_patient(event.patient, environment=environment)
    decision = decide((Finding.CHANGED_AFTER,), controlled=local.controlled)
    await unit.worklist.open(work.id, report, decision, details, unit.now)
    log.warning("identity.recalled", report_id=event.report_id, code=code)
