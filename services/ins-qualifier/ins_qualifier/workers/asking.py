"""Asking INSi about one check: the search plan, each call in its turn with its trace, what is kept of both."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson

from ins_qualifier.core.check import Asked, Check
from ins_qualifier.core.decision import Finding
from ins_qualifier.core.local import Detail, LocalCheck
from ins_qualifier.core.plans import Plan
from ins_qualifier.ports import (
    AUTOMATIC,
    PERSON,
    Call,
    Insi,
    InsiMisconfigured,
    InsiUnavailable,
    Known,
    Reply,
)
from labohub.contracts.values import Identity
from labohub.errors import HubError
from labohub.runtime.clock import Clock
from labohub.standards.ins.insi_answer import Answer, FaultClass, InsiFault
from labohub.standards.ins.insi_request import SearchQuery
from labohub.standards.ins.search_plan import AMBIGUOUS, NOT_FOUND, Step, next_step
from labohub.store.blobs import Blobs
from labohub.store.work import Work

OPERATION = "search-by-traits"
BUG = "bug"
ANSWER_TYPE = "application/soap+xml"
QUESTION_TYPE = "application/json"


@dataclass(slots=True)
class Exchange:
    """A call's trace, and what it says once its documents are kept."""

    call: Call
    sent: bytes
    answer: bytes = b""


@dataclass(slots=True)
class Examination:
    """A check under way: where it stands, and what it ends with."""

    work: Work
    check: Check | None = None
    known: Known | None = None
    calls: list[Exchange] = field(default_factory=list)
    findings: tuple[Finding, ...] | None = None  # None: it did not come to an end
    details: tuple[Detail, ...] = ()
    identity: Identity | None = None
    former: tuple[str, ...] = ()  # matricules that INSi replaced
    is_taken_over: bool = False
    remembered: Plan | None = None  # the answers that it took instead of asking
    postponed_by: str = ""  # the code of what made it wait

    @property
    def asked_insi(self) -> bool:
        """Return whether INSi gave an answer that ended it."""
        return bool(self.calls) and not self.postponed_by


class Asking:
    """INSi, asked as far as the plan goes."""

    def __init__(self, insi: Insi, blobs: Blobs, *, software: str, clock: Clock, new_id: Callable[[], str]) -> None:
        """Prepare. `software` is the version that the traces name."""
        self._insi, self._blobs, self._software = insi, blobs, software
        self._clock, self._new_id = clock, new_id

    async def search(self, examination: Examination, check: Check, local: LocalCheck) -> Reply | None:
        """Return the reply that ends the search plan."""
        reply: Reply | None = None
        traits = local.traits
        settled = tuple(one for one in check.asked if one.code in (NOT_FOUND, AMBIGUOUS))
        # What else was answered came to nothing: it is asked again.
        check = examination.check = check.model_copy(update={"asked": settled})
        while (step := next_step(local.given_names, traits.birth_place, check.answered)) is not None:
            query = SearchQuery(traits.birth_name, step.given_name, traits.sex, traits.birth_date, step.birth_place)
            reply = await self._call(examination, step, query)
            _stop_on(reply)
            asked = Asked(given_name=step.given_name, birth_place=step.birth_place, code=reply.code)
            check = check.model_copy(update={"asked": (*check.asked, asked)})
            examination.check = check
            if not isinstance(reply.outcome, Answer) or reply.outcome.individual is not None:
                break
        return reply

    async def _call(self, examination: Examination, step: Step, query: SearchQuery) -> Reply:
        """Return INSi's reply; the call's trace is kept whatever comes of it."""
        check = examination.check
        await self._insi.turn()
        trace = Call(
            message_id=self._new_id(),
            check_id=examination.work.id,
            report_id=examination.work.lane,
            operation=OPERATION,
            question=len(check.asked if check else ()) + 1,
            with_birth_place=bool(step.birth_place),
            called_at=self._clock(),
            trigger=PERSON if check and check.is_asked_for else AUTOMATIC,
            outcome=BUG,  # until it is over
            certificate=self._insi.certificate,
            software=self._software,
        )
        exchange = Exchange(trace, orjson.dumps(query))
        examination.calls.append(exchange)
        started = time.perf_counter()
        try:
            reply = await self._insi.search(query, trace.message_id)
        except HubError as error:
            exchange.call = replace(trace, elapsed_ms=_milliseconds(started), outcome=error.code)
            raise
        elapsed_ms = _milliseconds(started)
        exchange.call = replace(trace, elapsed_ms=elapsed_ms, outcome=reply.code, conformance=reply.conformance)
        exchange.answer = reply.raw
        return reply

    async def keep(self, exchanges: list[Exchange]) -> None:
        """Keep what was asked and answered as encrypted documents, written together, and name them in the traces."""
        answered = [exchange for exchange in exchanges if exchange.answer]
        documents = [(exchange.sent, QUESTION_TYPE) for exchange in exchanges]
        documents += [(exchange.answer, ANSWER_TYPE) for exchange in answered]
        references = await self._blobs.put_many(documents) if documents else []
        for exchange, reference in zip(exchanges, references, strict=False):
            exchange.call = replace(exchange.call, sent=reference)
        for exchange, reference in zip(answered, references[len(exchanges) :], strict=True):
            exchange.call = replace(exchange.call, answer=reference)


def _stop_on(reply: Reply) -> None:
    """Raise what a fault means, unless the traits are at fault."""
    if not isinstance(reply.outcome, InsiFault) or reply.outcome.fault_class is FaultClass.INPUT:
        return
    if reply.outcome.fault_class is FaultClass.CONFIGURATION:
        raise InsiMisconfigured("INSi refuses this installation")
    raise InsiUnavailable("INSi answers with a technical fault")


def _milliseconds(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
