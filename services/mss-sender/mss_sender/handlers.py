"""A built document becomes planned mails. Inside the inbox transaction: no network."""

from collections.abc import Awaitable, Callable

from labohub.contracts.events import DocumentBuilt
from labohub.runtime.logging import get_logger
from mss_sender.core.effects import bounced
from mss_sender.core.laboratory import Laboratory
from mss_sender.core.planning import Unsendable, plan
from mss_sender.ports import SendingUnit

log = get_logger(__name__)


def planner(laboratory: Laboratory) -> Callable[[DocumentBuilt, SendingUnit], Awaitable[None]]:
    """Return the handler that plans one mail per recipient, and says at once which cannot be."""

    async def plan_mails(event: DocumentBuilt, unit: SendingUnit) -> None:
        for decision in plan(event, laboratory, unit.now):
            if isinstance(decision, Unsendable):
                await unit.publish(bounced(decision, unit.now, decision.smtp_code, code=decision.code).event)
                log.warning("mail.unsendable", report_id=event.report_id, mail_id=decision.mail_id, code=decision.code)
            elif await unit.mails.add(decision):
                log.info("mail.planned", report_id=event.report_id, mail_id=decision.mail_id)
            else:
                log.info("mail.already-sent", report_id=event.report_id, mail_id=decision.mail_id)

    return plan_mails
