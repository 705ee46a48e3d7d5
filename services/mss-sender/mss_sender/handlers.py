"""A built document becomes planned mails. Inside the inbox transaction: no network."""

from collections.abc import Awaitable, Callable

from labohub.contracts.events import DocumentBuilt
from labohub.runtime.logging import get_logger
from mss_sender.core.effects import bounced
from mss_sender.core.laboratory import Laboratories
from mss_sender.core.planning import DocumentIdReused, DocumentSuperseded, Unsendable, plan
from mss_sender.core.values import PlannedMail
from mss_sender.ports import SendingUnit

log = get_logger(__name__)


def planner(laboratories: Laboratories) -> Callable[[DocumentBuilt, SendingUnit], Awaitable[None]]:
    """Return the handler that plans one mail per recipient, and says at once which cannot be."""

    async def plan_mails(event: DocumentBuilt, unit: SendingUnit) -> None:
        for decision in plan(event, laboratories.of(event.report.sender), unit.now):
            if isinstance(decision, Unsendable):
                await unit.publish(bounced(decision, unit.now, decision.smtp_code, code=decision.code).event)
                log.warning("mail.unsendable", report_id=event.report_id, mail_id=decision.mail_id, code=decision.code)
            else:
                await _add(decision, unit)

    return plan_mails


async def _add(mail: PlannedMail, unit: SendingUnit) -> None:
    try:
        planned = await unit.mails.add(mail)
    except (DocumentIdReused, DocumentSuperseded) as error:
        await unit.publish(bounced(mail, unit.now, "554", code=error.code).event)
        log.warning("mail.unsendable", report_id=mail.source.report_id, mail_id=mail.mail_id, code=error.code)
        return
    log.info("mail.planned" if planned else "mail.already-sent", report_id=mail.source.report_id, mail_id=mail.mail_id)
