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

    async def release(self, unit: InsUnit, identity: str, operator: str, reason: str) -> None:
        """Let a blocked identity go on: the colliding records are one person, or its second matricule is the right one.

        What was refuted stands, a person says: its reports go on.
        """
        rows = self._book.rows(unit)
        record = (await rows.find([identity]))[identity]
        merged_into = record.merged_into
        await rows.forget_denials(identity)
        if record.blocked == Finding.COLLISION:
            others = sorted(await rows.colliding_with(identity) - {identity})
            if others:
                merged_into = await self._root(rows, others[0])
                await rows.hand_over(identity, merged_into)
                await rows.redirect(identity, merged_into)
            else:
                await rows.release(record.merged_into or identity)
        freed = await rows.close_collisions(identity, unit.now)
        for each in (await rows.find(freed | {identity})).values():
            into = merged_into if each.id == identity and merged_into != identity else each.merged_into
            after, change = moved(each, Cause.RELEASED, actor=operator, reason=reason, blocked="", merged_into=into)
            await rows.save(after, [change], unit.now)
        await unit.resume(freed | {identity})

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
        for each in (await rows.find(freed - {identity})).values():
            released, line = moved(each, Cause.RELEASED, actor=operator, reason=reason, blocked="")
            await rows.save(released, [line], unit.now)
        await unit.resume(freed)

    @staticmethod
    async def _root(rows: IdentityRows, identity: str) -> str:
        record: Record | None = (await rows.find([identity])).get(identity)
        return (record.merged_into if record else "") or identity
