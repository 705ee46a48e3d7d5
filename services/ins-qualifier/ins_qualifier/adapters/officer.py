"""What the identity officer decides. Each act is written down with who did it and why."""

from collections.abc import Awaitable, Callable

from fastapi import HTTPException
from sqlalchemy import select

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.desk import Desk
from ins_qualifier.adapters.identities import LINKABLE, IdentityBook
from ins_qualifier.adapters.identity_acts import IdentityActs
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.core.check import Acceptance, Check, again
from ins_qualifier.core.decision import Finding
from labohub.contracts.codec import derived_id
from labohub.errors import Refused
from labohub.store.database import Database

DECISIONS = RETRY, ACCEPT, REJECT, REOPEN = "retry", "accept", "reject", "reopen"
UNDOCUMENTED = frozenset({Finding.NOT_VALIDATED, Finding.CONTRADICTORY})
# ZFD-7: identity card, passport, residence permit, European card; for a minor, birth certificate
# or family booklet beside a parent's document. A driving licence and a Vitale card prove nothing.
EVIDENCE = ("CN", "PA", "CS", "CE", "AN", "LE")


class DecisionUnknown(Refused):
    """The decision is none of those that this item allows: corrections come from the laboratory's system."""

    code = "worklist.decision-unknown"


class ReasonRequired(Refused):
    """An act that a person answers for names the person and the reason."""

    code = "worklist.reason-required"


class EvidenceRequired(Refused):
    """The kind of controlled document is missing, or is none that proves an identity."""

    code = "worklist.evidence-required"


class NoProposal(Refused):
    """INSi proposed nobody for this item: there is nothing to accept."""

    code = "worklist.no-proposal"


class ItemClosed(Refused):
    """The item is not in a state that allows this: it is being checked, or was decided."""

    code = "worklist.item-closed"


class ItemSuperseded(Refused):
    """A later message of the same report went out: sending this one would undo it."""

    code = "worklist.superseded"


class ItemBusy(Refused):
    """A later message of the same report is being checked: decide again in a moment."""

    code = "worklist.item-busy"


def signed(operator: str, reason: str) -> None:
    """Return when an act names a person and a reason. Raises: ReasonRequired."""
    if not operator.strip() or not reason.strip():
        raise ReasonRequired("the operator and the reason are required")


class Officer:
    """Decides about items of the worklist and identities of the store."""

    def __init__(self, database: Database, book: IdentityBook, desk: Desk) -> None:
        self._units, self._book, self._desk = database.units(InsUnit), book, desk
        self._acts = IdentityActs(book)

    async def resolve(self, item: str, resolution: views.Resolution) -> views.Resolved:
        """Carry a decision out.

        Raises: DecisionUnknown, ReasonRequired, EvidenceRequired, NoProposal, ItemClosed, ItemBusy, ItemSuperseded.
        """
        acts: dict[str, Callable[[str, views.Resolution], Awaitable[str]]] = {
            RETRY: self._retry, ACCEPT: self._accept, REJECT: self._reject, REOPEN: self._reopen,
        }  # fmt: skip
        if resolution.decision not in acts:
            raise DecisionUnknown(f"the decision is not one of: {', '.join(DECISIONS)}")
        if resolution.decision != RETRY:
            signed(resolution.operator, resolution.reason)
        state = await acts[resolution.decision](item, resolution)
        if state == tables.SUPERSEDED:
            raise ItemSuperseded("a later message of this report was qualified")
        return views.Resolved(id=item, state=state)

    async def withdraw(self, identity: str, act: views.PersonAct) -> views.Resolved:
        """Take the matricule from an identity. Raises: ReasonRequired, ItemClosed when it has none."""
        signed(act.operator, act.reason)
        async with self._units() as unit:
            record = (await self._book.rows(unit).find([identity])).get(identity)
            if record is None:
                raise HTTPException(404)
            if record.ins is None and not record.blocked:
                raise ItemClosed("this identity has no matricule")
            cause = derived_id("act", identity, str(record.version))
            await self._acts.withdraw(unit, identity, act.operator, act.reason, cause)
        return views.Resolved(id=identity, state="withdrawn")

    async def _retry(self, item: str, resolution: views.Resolution) -> str:
        async with self._units() as unit:
            _, check = await self._held(unit, item, (tables.OPEN,))
            return await self._restart(unit, item, again(check, unit.now, is_asked_for=True), resolution)

    async def _accept(self, item: str, resolution: views.Resolution) -> str:
        code, proposed = await self._proposed(item)
        if code in LINKABLE and not proposed:
            raise NoProposal("INSi proposed nobody")
        if code in UNDOCUMENTED and resolution.evidence not in EVIDENCE:
            raise EvidenceRequired(f"the evidence is not one of: {', '.join(EVIDENCE)}")
        async with self._units() as unit:
            now_code, check = await self._held(unit, item, (tables.OPEN,))
            if now_code != code:
                raise ItemClosed("the item has changed")
            subject = self._book.referential.subject(check.event.report)
            who, why = resolution.operator, resolution.reason
            if code in LINKABLE:
                accepted = Acceptance(operator=who, reason=why, number=proposed)
                return await self._restart(unit, item, again(check, unit.now, accepted=accepted), resolution)
            if code in UNDOCUMENTED:
                state = await self._restart(unit, item, again(check, unit.now), resolution)
                if state != tables.SUPERSEDED:
                    await self._acts.record_document(unit, subject.id, resolution.evidence, who, why)
                return state
            if code in (Finding.COLLISION, Finding.REFUTED):
                await unit.worklist.note(item, ACCEPT, "", who, unit.now, reason=why)
                act = self._acts.accept_collision if code == Finding.COLLISION else self._acts.accept_refuted
                await act(unit, subject.id, who, why)  # resumes what waited for it, this item too
                return await unit.worklist.state_of(item)
            raise DecisionUnknown("this item cannot be accepted: the source must correct it")

    async def _reject(self, item: str, resolution: views.Resolution) -> str:
        return await self._turn(item, resolution, (tables.OPEN,), tables.REJECTED)

    async def _reopen(self, item: str, resolution: views.Resolution) -> str:
        return await self._turn(item, resolution, (tables.REJECTED,), tables.OPEN)

    async def _turn(self, item: str, resolution: views.Resolution, states: tuple[str, ...], state: str) -> str:
        async with self._units() as unit:
            await self._held(unit, item, states)
            await unit.worklist.set_state(item, state, unit.now)
            await unit.worklist.note(
                item, resolution.decision, "", resolution.operator, unit.now, reason=resolution.reason
            )
        return state

    async def _proposed(self, item: str) -> tuple[str, str]:
        """Return the item's code, and the key of the matricule that INSi proposes for it."""
        async with self._units() as unit:
            code, check = await self._held(unit, item, (tables.OPEN,))
        individual = await self._desk.proposal(item, check.model_dump_json()) if code in LINKABLE else None
        return code, self._book.referential.keys.number(individual.active.matricule) if individual else ""

    async def _held(self, unit: InsUnit, item: str, states: tuple[str, ...]) -> tuple[str, Check]:
        """Return the code and the check of an item that is in one of these states."""
        await unit.hold_report(item)
        table = tables.worklist
        query = select(table.c.state, table.c.code).where(table.c.id == item)
        row = (await unit.connection.execute(query)).first()
        work = await unit.checks.find(item)
        if row is None or work is None:
            raise HTTPException(404)
        if row.state not in states:
            raise ItemClosed("the item is not open")
        return row.code, Check.model_validate_json(work.payload)

    async def _restart(self, unit: InsUnit, item: str, check: Check, resolution: views.Resolution) -> str:
        later = await unit.hold_report(item)
        if later.under_way:
            raise ItemBusy("a later message of this report is being checked")
        state = tables.SUPERSEDED if later.qualified else tables.CHECKING
        act = state if later.qualified else resolution.decision
        await unit.worklist.set_state(item, state, unit.now)
        await unit.worklist.note(
            item, act, resolution.evidence, resolution.operator, unit.now, reason=resolution.reason
        )
        if not later.qualified:
            await unit.start_again(item, check)
        return state
