"""What the hub knows of its patients' identities, and what a check, a correction or a person changes in it."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from ins_qualifier.adapters.identity_rows import IdentityRows
from ins_qualifier.adapters.recalls import recall, recall_left
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.core.check import Check
from ins_qualifier.core.decision import Decision, Finding, decide
from ins_qualifier.core.domains import Trust
from ins_qualifier.core.local import NO_CALL_ATTRIBUTES, Detail, LocalCheck, check_patient
from ins_qualifier.core.plans import Plan
from ins_qualifier.core.recall import RecallCode
from ins_qualifier.core.record import AXES, Cause, Change, Record, Seen, lowest, moved, observe
from ins_qualifier.core.subject import Referential, Subject
from ins_qualifier.ports import Examined, Known
from labohub.contracts.values import Patient
from labohub.store.blobs.cipher import Cipher

# A person who links INSi's identity with this patient has looked at these, and only at these.
LINKABLE = frozenset({Finding.TRAITS_MISMATCH, Finding.MATRICULE_REVIEW, Finding.TRAITS_CHANGED})
_FALLS = (Cause.ATTRIBUTE, Cause.TRAITS_CHANGED)


class IdentityBook:
    """The identity store: one record per local patient of a domain."""

    def __init__(self, referential: Referential, cipher: Cipher, environment: str, plan_valid_hours: float) -> None:
        self.referential, self._cipher = referential, cipher
        self._environment, self._hours = environment, plan_valid_hours

    def rows(self, unit: InsUnit) -> IdentityRows:
        """Return the store's rows in a unit."""
        return self.rows_of(unit.connection)

    def rows_of(self, connection: AsyncConnection) -> IdentityRows:
        """Return the store's rows as one connection sees them."""
        return IdentityRows(connection, self._cipher)

    async def plan_of(self, connection: AsyncConnection, check: Check) -> Plan | None:
        """Return what INSi last answered to the whole plan of a check's traits in its domain."""
        local = check_patient(check.event.report.patient, environment=self._environment)
        plan_id = self._plan_id(self.referential.subject(check.event.report), local)
        return (await self.rows_of(connection).plans([plan_id])).get(plan_id)

    def _plan_id(self, subject: Subject, local: LocalCheck) -> str:
        return self.referential.keys.of("plan", subject.domain.name, self.referential.keys.traits(local))

    async def known(self, unit: InsUnit, checks: Sequence[tuple[Check, Known]]) -> list[Known]:
        """Return what is known before INSi is asked: another owner of the received matricule, a plan that stands."""
        rows = self.rows(unit)
        subjects = [self.referential.subject(check.event.report) for check, _ in checks]
        plan_ids = [self._plan_id(subject, known.local) for subject, (_, known) in zip(subjects, checks, strict=True)]
        plans = await rows.plans(plan_ids)
        claims = [
            self._claim(check.event.report.patient, subject)
            for subject, (check, _) in zip(subjects, checks, strict=True)
        ]
        owners = await rows.owners([claim for claim in claims if claim is not None])
        merged = await rows.merged([subject.id for subject in subjects]) if owners else {}
        found = []
        for subject, plan_id, claim, (check, known) in zip(subjects, plan_ids, claims, checks, strict=True):
            plan = plans.get(plan_id)
            stands = plan is not None and plan.is_valid(unit.now, self._hours) and not check.is_asked_for
            owner = owners.get(claim) if claim else None
            found.append(
                replace(
                    known,
                    plan_id=plan_id,
                    plan=plan if stands else None,
                    collides=owner not in (None, subject.id, merged.get(subject.id)),
                    is_referential=subject.domain.trust is Trust.REFERENTIAL,
                )
            )
        return found

    async def settle(self, unit: InsUnit, seen: Examined) -> tuple[Decision, tuple[Detail, ...]]:
        """Return the decision on a check with all that the store knows, and its reasons; the identity follows it."""
        rows, keys, check = self.rows(unit), self.referential.keys, seen.check
        report = check.event.report
        subject = self.referential.subject(report)
        record = await rows.hold(_unknown(subject, report.patient))
        before, key = record, keys.traits(seen.local)
        number = keys.number(seen.identity.ins.matricule) if seen.identity and seen.identity.ins else ""
        findings, linked_by = self._weighed(seen, record, key, number)
        if record.merged_into:  # what stops the record that it is part of stops it too
            survivors = await rows.find([record.merged_into])
            findings += [Finding(each.blocked) for each in survivors.values() if each.blocked]
        is_covered = record.covers(report.patient, check.named_at)
        controlled = is_covered or (seen.local.controlled and subject.domain.trust is not Trust.FOREIGN)
        if is_covered:  # a document answers a matricule that came with PROV
            findings = [finding for finding in findings if finding is not Finding.CONTRADICTORY]
        decision = decide(findings, controlled=controlled)
        if subject.scope:
            other = ""
            if (
                record.version
                and (number or report.patient.ins)
                and await self._is_denied(rows, record, report.patient, number)
            ):
                findings = [*findings, Finding.COLLISION]
                decision = decide(findings, controlled=controlled)
            elif Finding.COLLISION in seen.findings:
                other = await self._other_owner(rows, report.patient, subject, record)
            elif number and AXES[decision.status].recovered:
                other = await self._claimed_by(rows, subject, record, number, seen.former)
            if other:
                record = await self._collide(unit, record, other, check, subject)
                findings = [*findings, Finding.COLLISION]
                decision = decide(findings, controlled=controlled)
        after, changes = observe(
            record,
            Seen(
                check_id=seen.check_id, told_at=check.named_at, patient=report.patient, local=seen.local,
                traits_key=key, decision=decision, findings=findings, identity=seen.identity, replaced=seen.replaced,
                taken_over=seen.taken_over, linked_by=linked_by, evidence=seen.evidence,
            ),
            unit.now,
        )  # fmt: skip
        if after != before:
            await rows.save(after, changes, unit.now)
        if any(change.cause in _FALLS for change in changes):
            await recall_left(
                unit, subject.id, RecallCode.CHANGED_AFTER, str(report.message_id),
                patient=report.patient, environment=self._environment,
            )  # fmt: skip
        if seen.plan is not None:
            await rows.keep_plan(seen.plan)
        return decision, _reasons(set(findings) - set(seen.findings))

    def _claim(self, patient: Patient, subject: Subject) -> tuple[str, str] | None:
        if patient.ins is None or not subject.scope:
            return None
        return subject.scope, self.referential.keys.number(patient.ins.matricule)

    def _weighed(self, seen: Examined, record: Record, key: str, number: str) -> tuple[list[Finding], str]:
        """Return the findings with those of the store, without those that a person looked at; and that person."""
        check, findings, linked_by = seen.check, set(seen.findings), ""
        if record.blocked:
            findings.add(Finding(record.blocked))
        is_older = record.told_at is not None and check.named_at < record.told_at
        if is_older and record.is_told_otherwise(seen.local, key):
            findings.add(Finding.TRAITS_CHANGED)
        if is_older and set(record.attributes) & NO_CALL_ATTRIBUTES:
            findings.add(Finding.ATTRIBUTE)
        if check.accepted is not None and number and check.accepted.number == number:
            findings -= LINKABLE
            linked_by = check.accepted.operator
        elif (
            number
            and key == record.linked
            and record.ins
            and self.referential.keys.number(record.ins.matricule) == number
        ):
            findings -= {Finding.TRAITS_MISMATCH}
        return sorted(findings), linked_by

    async def _is_denied(self, rows: IdentityRows, record: Record, patient: Patient, number: str) -> bool:
        """Return whether a person said that the matricule, found or received, is not this local patient's."""
        received = self.referential.keys.number(patient.ins.matricule) if patient.ins else ""
        return bool({number, received} & await rows.denied(record.id))

    async def _other_owner(self, rows: IdentityRows, patient: Patient, subject: Subject, record: Record) -> str:
        claim = self._claim(patient, subject)
        owner = (await rows.owners([claim])).get(claim, "") if claim else ""
        return owner if owner not in (subject.id, record.merged_into) else ""

    async def _claimed_by(
        self, rows: IdentityRows, subject: Subject, record: Record, number: str, former: Sequence[str]
    ) -> str:
        """Return who stands in the way of a local patient's matricule: another, or himself with a second one."""
        root, keys = record.merged_into or record.id, self.referential.keys
        if record.ins is not None and keys.number(record.ins.matricule) == number and not record.merged_into:
            return ""
        owned = await rows.numbers_of(root) if record.version else set()  # a new patient has none
        replaced = owned & {keys.number(each) for each in former}
        if owned - replaced - {number}:
            return root
        if replaced:
            await rows.release(root, replaced)
        owner = await rows.claim(subject.scope, number, root)
        return "" if owner == root else owner

    async def _collide(self, unit: InsUnit, record: Record, other: str, check: Check, subject: Subject) -> Record:
        """Block both, recall what left of them, and return this one."""
        rows, cause = self.rows(unit), str(check.event.message_id)
        mine = record.merged_into or record.id
        await rows.open_collision(other, mine, unit.now)
        if other not in (record.id, record.merged_into):
            theirs = (await rows.find([other])).get(other)
            if theirs is not None and not theirs.blocked:
                blocked, change = moved(theirs, Cause.COLLISION, check_id=check.event.message_id)
                await rows.save(blocked, [change], unit.now)
            await recall_left(unit, other, RecallCode.COLLISION, cause)
        await recall_left(unit, subject.id, RecallCode.COLLISION, cause)
        if record.blocked:
            return record
        blocked, change = moved(record, Cause.COLLISION, check_id=check.event.message_id)
        await rows.save(blocked, [change], unit.now)
        return blocked

    async def follow(self, unit: InsUnit, check: Check, patient: Patient, cause: str) -> str:
        """Let the store follow a patient whom the source corrected. Return the local patient that he is now."""
        rows, report = self.rows(unit), check.event.report
        was, now = self.referential.subject(report), self.referential.patient(patient, report.sender)
        record = await rows.hold(_unknown(was, report.patient))
        if not record.version or (was.id != now.id and was.scope != now.scope):
            return now.id
        local = check_patient(patient, environment=self._environment)
        same_person = not record.is_told_otherwise(local, self.referential.keys.traits(local))
        if was.id == now.id:
            await self._corrected(unit, rows, record, local, cause, same_person=same_person)
        elif record.is_recovered and same_person:
            await self._merge(unit, rows, record, _unknown(now, patient), cause)
        return now.id

    async def recall(
        self, unit: InsUnit, check_id: str, check: Check, *, identity: str, cause: str, details: Sequence[Detail]
    ) -> None:
        """Put a report that left, and whose patient the source corrected, on the recall list."""
        code = RecallCode.CHANGED_AFTER
        await recall(unit, check_id, check, identity=identity, code=code, cause=cause, details=details)

    async def _corrected(
        self, unit: InsUnit, rows: IdentityRows, record: Record, local: LocalCheck, cause: str, *, same_person: bool
    ) -> None:
        changes: list[Change] = []
        if Finding.ATTRIBUTE in local.findings:
            record, change = moved(record, Cause.ATTRIBUTE, code=Finding.ATTRIBUTE.value, check_id=cause)
            changes.append(change)
        elif not same_person:
            record, change = moved(record, Cause.CORRECTED, controlled=local.controlled, check_id=cause)
            changes.append(change)
            await rows.release(record.id)
            await rows.forget_denials(record.id)
            freed = await rows.close_collisions(record.id, unit.now)
            record = replace(record, blocked="" if record.id in freed else record.blocked)
            await self._free(unit, rows, freed - {record.id})
        attributes = tuple(detail.reason for detail in local.details if detail.subject == "reliability")
        record = replace(record, told_at=unit.now, attributes=attributes)
        await rows.save(record, changes, unit.now)

    async def _merge(self, unit: InsUnit, rows: IdentityRows, gone: Record, survivor: Record, cause: str) -> None:
        """Two records are one person, says the source: the lowest status of both, unless they agree."""
        if gone.merged_into == survivor.id:
            return
        known = await rows.hold(survivor)
        agree = known.ins == gone.ins and known.traits == gone.traits
        if not known.version:
            kept = replace(known, traits=gone.traits, ins=gone.ins, status=gone.status, told_at=gone.told_at)
            agree = True
        else:
            kept = known
        status = kept.status if agree else lowest(kept.status, gone.status)
        ins = kept.ins if AXES[status].recovered else None
        kept, line = moved(kept, Cause.MERGED, check_id=cause, status=status, ins=ins, merged_into="")
        if not (await rows.numbers_of(survivor.id)):
            await rows.hand_over(gone.id, survivor.id)
        await rows.redirect(gone.id, survivor.id)
        freed = await rows.close_collisions(gone.id, unit.now)
        if Finding.REFUTED in (kept.blocked, gone.blocked):
            kept = replace(kept, blocked=Finding.REFUTED.value)  # a merge does not answer the doubt
        elif kept.id in freed:
            kept = replace(kept, blocked="")
        last, end = moved(gone, Cause.MERGED, check_id=cause, status=gone.status, merged_into=survivor.id, blocked="")
        await rows.save(kept, [line], unit.now)
        await rows.save(last, [end], unit.now)
        await self._free(unit, rows, freed - {gone.id, kept.id})
        await unit.resume({gone.id, kept.id})

    async def _free(self, unit: InsUnit, rows: IdentityRows, ids: Collection[str]) -> None:
        """Let local patients go on that stand in nobody's way any more."""
        for identity, record in (await rows.find(ids)).items():
            if record.blocked == Finding.COLLISION:
                after, change = moved(record, Cause.RELEASED, blocked="")
                await rows.save(after, [change], unit.now)
                await unit.resume({identity})


def _unknown(subject: Subject, patient: Patient) -> Record:
    return Record(id=subject.id, domain=subject.domain.name, scope=subject.scope, traits=patient.traits)


def _reasons(findings: Collection[Finding]) -> tuple[Detail, ...]:
    """Return what the store alone found."""
    return tuple(Detail("identity", finding.name) for finding in sorted(findings))
