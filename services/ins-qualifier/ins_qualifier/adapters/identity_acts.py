"""What a person does to an identity of the store."""

from dataclasses import replace

from ins_qualifier.adapters.identities import IdentityBook
from ins_qualifier.adapters.identity_rows import IdentityRows
from ins_qualifier.adapters.recalls import recall_left
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.core.decision import Finding
from ins_qualifier.core.recall import RecallCode
from ins_qualifier.core.record import Cause, Record, moved


class IdentityActs:
    """Records documents, lets identities go on, takes matricules away."""

    def __init__(self, book: IdentityBook) -> None:
        self._book = book

    async def record_document(self, unit: InsUnit, identity: str, kind: str, operator: str, reason: str) -> None:
        """Note that a person controlled a document of high confidence: axis C, for the traits that are there."""
        rows = self._book.rows(unit)
        record = (await rows.find([identity]))[identity]
        after, change = moved(
            record, Cause.DOCUMENT, actor=operator, reason=reason, source=kind,
            evidence=kind, evidence_at=unit.now,
        )  # fmt: skip
        await rows.save(after, [change], unit.now)

    async def accept_collision(self, unit: InsUnit, identity: str, operator: str, reason: str) -> None:
        """The colliding records are one person, or the second matricule of one is the right one: they go on."""
        rows = self._book.rows(unit)
        record = (await rows.find([identity]))[identity]
        await rows.forget_denials(identity)
        others = sorted(await rows.colliding_with(identity) - {identity})
        merged_into = record.merged_into
        if others and (root := await self._root(rows, others[0])) != identity:
            merged_into = root
            await rows.hand_over(identity, root)
            await rows.redirect(identity, root)
        elif not others:
            await rows.release(record.merged_into or identity)
        if merged_into != record.merged_into:
            await rows.save(replace(record, merged_into=merged_into), (), unit.now)
        freed = await rows.close_collisions(identity, unit.now)
        kin = await rows.kin(merged_into or identity)
        await self._unblock(unit, freed | kin | {identity}, Finding.COLLISION, operator, reason)

    async def accept_refuted(self, unit: InsUnit, identity: str, operator: str, reason: str) -> None:
        """What was refuted stands, a person says: its reports go on."""
        rows = self._book.rows(unit)
        kin = await rows.kin(await self._root(rows, identity))
        await self._unblock(unit, kin, Finding.REFUTED, operator, reason)

    async def _unblock(self, unit: InsUnit, ids: set[str], code: Finding, operator: str, reason: str) -> None:
        """Let identities go on that are blocked by this and by nothing else."""
        rows = self._book.rows(unit)
        for each in (await rows.find(ids)).values():
            if each.blocked == code:
                still = Finding.COLLISION.value if await rows.colliding_with(each.id) else ""
                after, change = moved(each, Cause.RELEASED, actor=operator, reason=reason, blocked=still)
                await rows.save(after, [change], unit.now)
        await unit.resume(ids)

    async def withdraw(self, unit: InsUnit, identity: str, operator: str, reason: str, cause: str) -> None:
        """Take the matricule from an identity: what left with it is recalled, who collided with it goes on."""
        rows = self._book.rows(unit)
        record = (await rows.find([identity]))[identity]
        numbers = await rows.numbers_of(identity)
        if record.ins is not None:  # held by the record it was merged into
            numbers |= {self._book.referential.keys.number(record.ins.matricule)}
        await rows.deny(identity, numbers)
        await rows.release(identity)
        freed = await rows.close_collisions(identity, unit.now)
        after, change = moved(record, Cause.WITHDRAWN, actor=operator, reason=reason, code=Cause.WITHDRAWN.value)
        await rows.save(replace(after, blocked=""), [change], unit.now)
        await recall_left(unit, identity, RecallCode.WITHDRAWN, cause)
        await self._unblock(unit, freed - {identity}, Finding.COLLISION, operator, reason)
        await unit.resume({identity})

    @staticmethod
    async def _root(rows: IdentityRows, identity: str) -> str:
        record: Record | None = (await rows.find([identity])).get(identity)
        return (record.merged_into if record else "") or identity
