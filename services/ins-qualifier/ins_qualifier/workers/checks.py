"""Our state to INSi and back: leases checks, asks, decides, settles."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from ins_qualifier.core.check import Asked, Check, announcement
from ins_qualifier.core.decision import Finding, asks_insi
from ins_qualifier.core.gate import Gate
from ins_qualifier.core.local import Detail, check_patient
from ins_qualifier.core.matching import judge, qualified, taken_over
from ins_qualifier.core.plans import Plan
from ins_qualifier.ports import (
    Examined,
    Identities,
    Insi,
    InsiMisconfigured,
    InsiUnavailable,
    Known,
    Qualification,
    Reply,
)
from ins_qualifier.settings import InsQualifierSettings
from ins_qualifier.workers.asking import BUG, Asking, Examination
from labohub.errors import HubError, Misconfigured, Refused
from labohub.runtime.clock import Clock, system_clock
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.standards.ins.insi_answer import FOUND, Answer, InsiFault, read_answer
from labohub.standards.ins.search_plan import AMBIGUOUS, NOT_FOUND
from labohub.store.blobs import Blobs
from labohub.store.unit import Units
from labohub.store.work import Work

log = get_logger(__name__)

WAITING = "waiting"  # for INSi
QUALIFIED = "qualified"
UNRESOLVED = "unresolved"
TOGETHER_SECONDS = 0.02  # answers within this time share a transaction
ANSWERED = (FOUND, NOT_FOUND, AMBIGUOUS)


class IdentityChecks:
    """The worker: several checks at once, one for each report."""

    def __init__(
        self,
        *,
        insi: Insi,
        identities: Identities,
        blobs: Blobs,
        settings: InsQualifierSettings,
        environment: str,
        clock: Clock = system_clock,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._asking = Asking(insi, blobs, software=settings.software_version, clock=clock, new_id=new_id)
        self._identities, self._blobs = identities, blobs
        self._settings, self._environment = settings, environment
        self.gate = Gate(settings.failures_to_pause, settings.pause_seconds, settings.misconfigured_pause_seconds)

    async def run(self, units: Units[Any], now: datetime) -> bool:
        """Check the next due identities. Return False when none is due, or INSi may not be called now."""
        admission = self.gate.admit(self._settings.checks_at_once(), now)
        if not admission.limit:
            return False
        try:
            async with units() as unit:
                works = await unit.checks.lease_due(admission.limit, self._settings.lease_seconds)
                examinations = await self._opened(unit, works)
            await self._work_off(units, {asyncio.create_task(self._examine(each, now)) for each in examinations})
        finally:
            self.gate.leave(admission)
        return bool(works)

    async def _opened(self, unit: Qualification, works: list[Work]) -> list[Examination]:
        """Return the examinations of leased checks, with what the store knows; one that is a bug waits alone."""
        examinations = [Examination(work) for work in works]
        for examination in examinations:
            try:
                check = Check.model_validate_json(examination.work.payload)
                local = check_patient(check.event.report.patient, environment=self._environment)
                examination.check, examination.known = check, Known(local)
            except Exception as error:
                examination.postponed_by = BUG
                log.bug("identity.check-failed", error)
        asked = [(each.check, each.known) for each in examinations if each.check and each.known]
        known = iter(await self._identities.known(unit, asked) if asked else ())
        for examination in examinations:
            if examination.known is not None:
                examination.known = next(known)
        return examinations

    async def _work_off(self, units: Units[Any], tasks: set[asyncio.Task[Examination]]) -> None:
        """Settle examinations as they end, those that end together in one unit: a slow one holds back only itself."""
        try:
            while tasks:
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if tasks:
                    more, tasks = await asyncio.wait(tasks, timeout=TOGETHER_SECONDS)
                    done |= more
                await self._settle_all(units, [task.result() for task in done])
        finally:
            for task in tasks:
                task.cancel()

    async def _settle_all(self, units: Units[Any], examinations: list[Examination]) -> None:
        opened = any(examination.asked_insi for examination in examinations) and self.gate.succeeded()
        try:
            await self._asking.keep([exchange for examination in examinations for exchange in examination.calls])
        except HubError as error:  # no answer is used before it is kept: asked again later
            for examination in examinations:
                examination.postponed_by, examination.findings, examination.check = error.code, None, None
        async with units() as unit:
            ours = await unit.still_leased([examination.work for examination in examinations])
            for examination in examinations:
                if examination.work.id in ours:  # else our lease was over: another worker decides
                    await self._settle(unit, examination)
            await unit.calls.add([exchange.call for examination in examinations for exchange in examination.calls])
            if opened:
                await unit.release_waiting()
        if opened:
            log.info("insi.back", count=len(examinations))

    async def _examine(self, examination: Examination, now: datetime) -> Examination:
        with span("identity.check", examination.work.traceparent):
            try:
                if examination.check is not None and examination.known is not None:
                    await self._find(examination, examination.check, examination.known)
            except (InsiUnavailable, InsiMisconfigured) as error:
                examination.postponed_by = error.code
                self.gate.failed(error.code, now, misconfigured=isinstance(error, Misconfigured))
            except HubError as error:
                examination.postponed_by = error.code
            except Exception as error:
                examination.postponed_by = BUG
                log.bug("identity.check-failed", error)
        return examination

    async def _find(self, examination: Examination, check: Check, known: Known) -> None:
        """Ask INSi as far as the plan goes, and write what is found into the examination."""
        patient, local = check.event.report.patient, known.local
        findings, details = local.findings, local.details
        if known.collides:
            findings = (*findings, Finding.COLLISION)
        if known.is_referential and not known.collides and (identity := taken_over(patient, local)) is not None:
            examination.identity, examination.is_taken_over = identity, True
        elif asks_insi(findings):
            reply = await self._remembered(examination, check, known) or await self._asking.search(
                examination, check, local
            )
            outcome = reply.outcome if reply else None
            if isinstance(outcome, Answer) and outcome.individual is not None:
                more, why = judge(patient, local, outcome.individual, environment=self._environment)
                examination.identity = qualified(patient, outcome.individual)
                examination.former = tuple(number.matricule for number in outcome.individual.history)
            else:
                more, why = self._without_individual(examination, outcome, reply)
            findings, details = (*findings, *more), (*details, *why)
        examination.findings, examination.details = findings, details

    async def _remembered(self, examination: Examination, check: Check, known: Known) -> Reply | None:
        """Return the reply that ended the same plan a short time ago, if one did."""
        if known.plan is None or check.asked:
            return None
        try:
            raw = await self._blobs.read(known.plan.answer)
            reply = Reply(read_answer(raw), raw)
        except Refused:  # erased meanwhile
            return None
        asked = tuple(Asked(given_name="", code=code) for code in known.plan.codes)
        examination.check = check.model_copy(update={"asked": asked})
        examination.remembered = known.plan
        return reply

    @staticmethod
    def _without_individual(
        examination: Examination, outcome: Answer | InsiFault | None, reply: Reply | None
    ) -> tuple[tuple[Finding, ...], tuple[Detail, ...]]:
        asked = examination.check.asked if examination.check else ()
        if any(one.code == AMBIGUOUS for one in asked):
            return (Finding.AMBIGUOUS,), (Detail("insi", AMBIGUOUS),)
        if isinstance(outcome, InsiFault):
            return (Finding.REFUSED,), (Detail("insi", outcome.code or outcome.subcode),)
        if reply is not None and outcome is None:
            return (Finding.ANSWER_UNUSABLE,), (Detail("insi", "UNUSABLE"),)
        return (Finding.NOT_FOUND,), (Detail("insi", "01"),)

    async def _settle(self, unit: Qualification, examination: Examination) -> None:
        check, work, known = examination.check, examination.work, examination.known
        if check is not None and examination.postponed_by and self._waited_too_long(check, unit.now):
            examination.findings, examination.identity = (Finding.UNAVAILABLE,), None
            examination.details = (Detail("insi", examination.postponed_by),)
        if check is None or known is None or examination.findings is None:
            await self._postpone(unit, examination)
            return
        decision, more = await self._identities.settle(unit, self._examined(examination, check, known, unit.now))
        state = QUALIFIED if decision.is_qualified else UNRESOLVED
        settled = check.model_copy(update={"left_as": examination.identity if decision.is_qualified else None})
        payload = settled.model_dump_json() if check.asked or examination.is_taken_over else None
        await unit.checks.settle(work, state, error_code=decision.code, payload=payload)
        if decision.is_qualified:
            await unit.worklist.close(work.id, QUALIFIED, unit.now)
        else:
            reasons = (*examination.details, *more)
            await unit.worklist.open(work.id, check.event.report, decision, reasons, unit.now)
        await unit.publish(announcement(check, decision, examination.identity, unit.now))
        log.info(
            f"identity.{state}", report_id=check.event.report_id, status=decision.status, code=decision.code or "ok"
        )

    @staticmethod
    def _examined(examination: Examination, check: Check, known: Known, now: datetime) -> Examined:
        """Return what the store is told; the plan, when INSi answered it to its end just now."""
        last = examination.calls[-1].call if examination.calls else None
        plan, evidence = None, examination.remembered.call if examination.remembered else ""
        if last is not None:
            evidence = last.message_id
            if last.answer is not None and last.outcome in ANSWERED:
                codes = tuple(one.code for one in check.asked)
                plan = Plan(known.plan_id, now, codes, last.message_id, last.answer)
        return Examined(
            check_id=examination.work.id, check=check, local=known.local, findings=examination.findings or (),
            identity=examination.identity, former=examination.former, taken_over=examination.is_taken_over,
            evidence=evidence, plan=plan,
        )  # fmt: skip

    async def _postpone(self, unit: Qualification, examination: Examination) -> None:
        """Let a check wait, longer after each attempt; while the gate is closed, not longer than the outage may last.

        A check that fails alone must not be the probe each time: others become due before it.
        """
        work, settings = examination.work, self._settings
        wait = backoff_seconds(
            work.attempts,
            first=settings.retry_first_seconds,
            cap=settings.retry_cap_seconds,
            fraction=random.random(),
        )
        due_at = unit.now + timedelta(seconds=wait)
        if self.gate.closed_until is not None:
            soon = unit.now + timedelta(seconds=min(wait, settings.longest_pause_seconds))
            due_at = max(self.gate.closed_until, soon)
        await unit.checks.settle(
            work,
            WAITING,
            is_open=True,
            due_at=due_at,
            error_code=examination.postponed_by,
            payload=examination.check.model_dump_json() if examination.check and examination.check.asked else None,
        )
        log.warning("identity.waits", code=examination.postponed_by, attempt=work.attempts)

    def _waited_too_long(self, check: Check, now: datetime) -> bool:
        return now - check.planned_at > timedelta(seconds=self._settings.give_up_after_seconds)
