"""Events to our state. Transactional; never the network."""

from ins_qualifier.core.check import Check, again, check_id, with_patient
from ins_qualifier.core.recall import left_as, why_wrong
from ins_qualifier.core.subject import Referential
from ins_qualifier.ports import Departure, Identities, Qualification
from labohub.contracts.events import MailAccepted, MailUncertain, PatientCorrected, ReportReceived, SubmissionAccepted
from labohub.contracts.values import RecipientKind
from labohub.runtime.logging import get_logger
from labohub.store.work import NewWork, Work

log = get_logger(__name__)

QUALIFIED, REJECTED = "qualified", "rejected"
CORRECTED = "patient-corrected"  # in a history; its code is the message that said so
SOURCE = "ingest-hl7"
MAIL, DMP = "mail", "dmp"


class Follower:
    """Plans the checks of reports, and lets them follow what is told later."""

    def __init__(self, referential: Referential, identities: Identities, environment: str) -> None:
        self._referential, self._identities, self._environment = referential, identities, environment

    async def plan_check(self, event: ReportReceived, unit: Qualification) -> None:
        """Plan the identity check of a report. The messages of one report are checked in their order."""
        check, subject = Check(event=event, planned_at=unit.now), self._referential.subject(event.report)
        extra = {"identity": subject.id}
        row = NewWork(id=check_id(event), lane=event.report_id, payload=check.model_dump_json(), extra=extra)
        await unit.checks.add(row)

    async def correct(self, event: PatientCorrected, unit: Qualification) -> None:
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
        identity = await self._identities.follow(unit, check, event.patient, event.cause)
        renewed = again(check, unit.now, event.patient)
        if work.state == QUALIFIED:
            await self._recall(event, work, check, identity, unit)
        elif await unit.worklist.state_of(item) == REJECTED:  # a person decided that it does not leave
            await unit.checks.change(item, payload=renewed.model_dump_json(), identity=identity)
        elif work.is_open or not (later.qualified or later.under_way):
            await unit.start_again(item, renewed, identity)
            await unit.worklist.check_again(item, unit.now)
            log.info("identity.checked-again", report_id=event.report_id)
        else:  # a later message of the report decides; this one is ready should a person ask
            await unit.checks.change(item, payload=renewed.model_dump_json(), identity=identity)

    async def _recall(
        self, event: PatientCorrected, work: Work, check: Check, identity: str, unit: Qualification
    ) -> None:
        """Recall a report that left, unless its documents are the corrected patient's all the same."""
        payload = with_patient(check, event.patient).model_dump_json()
        await unit.checks.change(work.id, payload=payload, identity=identity)
        if details := why_wrong(left_as(check), event.patient, environment=self._environment):
            await self._identities.recall(unit, work.id, check, identity=identity, cause=event.cause, details=details)


async def keep_mail(event: MailAccepted | MailUncertain, unit: Qualification) -> None:
    """Keep who got a document by mail, should it be recalled."""
    recipient = event.recipient
    await unit.departed(
        Departure(
            message_id=event.message_id,
            kind=MAIL,
            target=event.mail_id,
            report_id=event.report_id,
            document_id=event.document_id,
            recipient_kind=recipient.kind.value,
            recipient="" if recipient.kind is RecipientKind.PATIENT else recipient.address,
        )
    )


async def keep_submission(event: SubmissionAccepted, unit: Qualification) -> None:
    """Keep that the DMP has a document, should it be recalled."""
    await unit.departed(
        Departure(
            message_id=event.message_id,
            kind=DMP,
            target=event.submission_id,
            report_id=event.report_id,
            document_id=event.document_id,
            operation=event.operation,
        )
    )
