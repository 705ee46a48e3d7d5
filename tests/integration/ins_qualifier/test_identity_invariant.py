"""Whatever happens in whatever order: no matricule leaves without right, and no report is forgotten.

Laboratories by the hundred live through histories made by chance, each with its own patients: messages right and
wrong, corrections, merges, INSi away or changing its mind, verifications, an officer's decisions, stops of the service.
A model that shares nothing with the service says what may leave.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ins_qualifier.adapters import tables
from labohub.contracts.codec import derived_id
from labohub.contracts.events import IdentityQualified, IdentityUnresolved, PatientCorrected, ReportReceived
from labohub.contracts.values import Ins, Patient, Sender
from labohub.standards.ins.matricule import with_key
from labosim.identities import TestIdentity, generated_identity
from tests.support.ins import corrected, numbered, received
from tests.support.ins_world import Stage, renamed

WORLDS, LABORATORIES, ROUNDS = 8, 260, 6  # 2,080 histories
LINKABLE = {"ins.traits-mismatch", "ins.matricule-review", "ins.traits-changed"}


@dataclass
class Told:
    """What the source last said in one message, and whether a person rejected it."""

    event: ReportReceived
    local: str
    person: int  # whom the traits name
    is_exact: bool
    is_controlled: bool
    is_doubtful: bool
    is_rejected: bool = False


@dataclass
class Laboratory:
    """One history: its people, what it told, and what a person decided. All that the service may know, kept apart."""

    number: int
    people: list[TestIdentity]
    numbers: list[set[str]]
    messages: dict[str, Told] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)  # local patients who are one
    holders: dict[str, str] = field(default_factory=dict)  # matricule -> local patient
    linked: set[tuple[str, int]] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)
    denied: set[tuple[str, str]] = field(default_factory=set)  # local patient and matricule, as a person said
    in_doubt: set[str] = field(default_factory=set)  # matricules that a verification refuted
    left: dict[str, int] = field(default_factory=dict)  # message -> whom it left as
    to_recall: set[str] = field(default_factory=set)

    def root(self, local: str) -> str:
        while local in self.same:
            local = self.same[local]
        return local

    def forget(self, local: str) -> None:
        """The source or a person says that what was known of a local patient's matricule is void."""
        root = self.root(local)
        mine = {number for number, who in self.holders.items() if self.root(who) == root}
        self.holders = {number: who for number, who in self.holders.items() if number not in mine}
        self.in_doubt -= mine


class History:
    """One world: its laboratories, the stage, and chance."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.stage = Stage(folder, random.Random(seed + 1))
        base = 1000 + seed * LABORATORIES * 3
        self.laboratories = [self._laboratory(number, base + number * 3) for number in range(LABORATORIES)]
        self.qualified = self.unresolved = 0

    @staticmethod
    def _laboratory(number: int, first: int) -> Laboratory:
        people = [generated_identity(first + each) for each in range(3)]
        return Laboratory(number, people, [{one.matricule} for one in people])

    def _patient(self, lab: Laboratory, local: str, person: int) -> tuple[Patient, bool, bool, bool]:
        """Return a patient as a message names him: exactly, controlled, doubtful."""
        chance, one = self.chance, lab.people[person]
        reliability = chance.choices((("VALI",), (), ("PROV",), ("VALI", "DOUT"), ("PROV", "FICT")), (12, 2, 2, 1, 1))[
            0
        ]
        slip = chance.choices(("", "place", "name", "sex", "case"), (14, 2, 2, 1, 2))[0]
        changes = {
            "": {}, "place": {"birth_place": "01004"}, "name": {"birth_name": f"{one.birth_name}X"},
            "sex": {"sex": "U"}, "case": {"birth_name": one.birth_name.lower()},
        }[slip]  # fmt: skip
        traits = numbered(one).traits.model_copy(update=changes)
        ins = chance.choices(
            (Ins(matricule=one.matricule, oid=one.oid), None, self._other_ins(lab, person), _wrong(one)), (8, 5, 1, 1)
        )[0]
        patient = numbered(one, local=local, reliability=reliability).model_copy(update={"traits": traits, "ins": ins})
        doubtful = bool({"DOUT", "FICT"} & set(reliability))
        return patient, slip in ("", "case"), reliability == ("VALI",), doubtful

    @staticmethod
    def _other_ins(lab: Laboratory, person: int) -> Ins:
        other = lab.people[(person + 1) % 3]
        return Ins(matricule=other.matricule, oid=other.oid)

    async def step(self, lab: Laboratory) -> None:
        """Let one thing happen in a laboratory."""
        acts = (self._send, self._correct, self._merge, self.change_insi)
        act = self.chance.choices(acts, (6, 3, 1, 1))[0]
        await act(lab)

    async def _send(self, lab: Laboratory) -> None:
        person = self.chance.randrange(3)
        # most of the time each person has a number of his own; now and then one is written on another's
        local = f"L{lab.number}-P{person if self.chance.random() < 0.85 else self.chance.randrange(4)}"
        patient, exact, controlled, doubtful = self._patient(lab, local, person)
        report = f"L{lab.number}-R{self.chance.randrange(6)}"
        number = len(lab.messages)
        event = received(patient, report=report, number=number)
        about = event.report.model_copy(
            update={"received_at": self.stage.clock(), "sender": Sender(application=f"SGL{lab.number}", facility="A")}
        )
        event = event.model_copy(update={"report": about})
        lab.messages[event.message_id] = Told(event, local, person, exact, controlled, doubtful)
        async with self.stage.units() as unit:
            await self.stage.follower.plan_check(event, unit)

    async def _correct(self, lab: Laboratory) -> None:
        if lab.messages:
            told = self.chance.choice(list(lab.messages.values()))
            await self._tell(lab, told, told.local, self.chance.randrange(3))

    async def _merge(self, lab: Laboratory) -> None:
        if lab.messages:
            told = self.chance.choice(list(lab.messages.values()))
            await self._tell(lab, told, f"L{lab.number}-P{self.chance.randrange(4)}", told.person)

    async def _tell(self, lab: Laboratory, told: Told, local: str, person: int) -> None:
        patient, exact, controlled, doubtful = self._patient(lab, local, person)
        message = told.event
        cause = f"adt-{lab.number}-{self.chance.random()}"
        fact: PatientCorrected = corrected(patient, report=message.report_id, cause=cause).model_copy(
            update={"message_id": message.message_id, "event_id": derived_id("fact", cause)}
        )
        async with self.stage.units() as unit:
            await self.stage.follower.correct(fact, unit)
        was_local, was = told.local, told.person
        told.local, told.person, told.is_exact = local, person, exact
        told.is_controlled, told.is_doubtful = controlled, doubtful
        if local == was_local:
            lab.forget(local)
            lab.denied = {(who, number) for who, number in lab.denied if who != local}
        elif lab.root(local) != lab.root(was_local) and was == person:
            lab.same[lab.root(was_local)] = lab.root(local)
        if message.message_id in lab.left and lab.left[message.message_id] != person:
            lab.to_recall.add(message.message_id)

    async def change_insi(self, lab: Laboratory) -> None:
        """Let INSi know one of a laboratory's people otherwise."""
        person = self.chance.randrange(3)
        one, register = lab.people[person], self.stage.insi.register
        if self.chance.random() < 0.5:
            renamed(register, one)
            return
        order = f"{(int(one.matricule[10:13]) + 500) % 1000:03d}"
        new = with_key(one.matricule[:10] + order)
        register.add(replace(one, matricule=new, former=(one.matricule,) if self.chance.random() < 0.7 else ()))
        lab.numbers[person].add(new)

    async def decide(self) -> None:
        """Let the officers decide about some of what waits."""
        for item in await self.stage.items():
            if self.chance.random() < 0.4:
                lab = self.laboratories[int(item["report_id"][1:].split("-")[0])]
                await self._officer(lab, item)

    async def _officer(self, lab: Laboratory, item: dict[str, str]) -> None:
        told = lab.messages[item["message_id"]]
        decision = self.chance.choice(("retry", "retry", "accept", "accept", "reject", "reopen", "withdraw"))
        if decision == "withdraw":
            if await self.stage.withdraw(item["identity"]):
                local = self._local(lab, item["identity"])
                lab.denied |= {(local, number) for number, who in lab.holders.items() if who == local}
                lab.forget(local)
            return
        in_the_way = await self.stage.colliding(item["identity"])
        if not await self.stage.act(item["id"], decision):
            return
        if decision in ("reject", "reopen"):
            told.is_rejected = decision == "reject"
        if decision != "accept":
            return
        if item["code"] in LINKABLE:
            lab.linked.add((lab.root(told.local), told.person))
        if item["code"] in ("ins.not-validated", "ins.contradictory"):
            lab.documents.add(told.local)
        if item["code"] in ("ins.collision", "ins.refuted"):
            local = self._local(lab, item["identity"])
            lab.denied = {(who, number) for who, number in lab.denied if who != local}
            lab.in_doubt -= {number for number, who in lab.holders.items() if lab.root(who) == lab.root(local)}
            others = {self._local(lab, each) for each in in_the_way} - {local}
            if not others:
                lab.forget(local)
            for other in others:
                if lab.root(other) != lab.root(local):
                    lab.same[lab.root(local)] = lab.root(other)

    def _local(self, lab: Laboratory, identity: str) -> str:
        """Return the local identifier that the service's key stands for."""
        for each in range(4):
            local = f"L{lab.number}-P{each}"
            patient = numbered(lab.people[0], local=local)
            sender = Sender(application=f"SGL{lab.number}", facility="A")
            if self.stage.book.referential.patient(patient, sender).id == identity:
                return local
        raise AssertionError("an identity of nobody")

    async def look(self) -> None:
        """Judge all that was published since the last look."""
        for event, value in await self.stage.told():
            lab = self.laboratories[int(event.report_id[1:].split("-")[0])]
            if isinstance(event, IdentityQualified):
                self.qualified += 1
                self._judge(lab, event)
                continue
            self.unresolved += isinstance(event, IdentityUnresolved)
            for number in set.union(*lab.numbers):
                assert number[:13].encode() not in value, "a matricule in an event that is not of a qualified identity"

    def note_doubts(self) -> None:
        """Let each laboratory know what a verification refuted, of what it holds."""
        refuted, self.stage.insi.refuted = self.stage.insi.refuted, set()
        for lab in self.laboratories:
            lab.in_doubt |= refuted & set(lab.holders)

    def _judge(self, lab: Laboratory, event: IdentityQualified) -> None:
        told, identity = lab.messages[event.message_id], event.identity
        assert identity.status.value == "QUALIFIEE"
        assert identity.ins is not None
        number = identity.ins.matricule
        assert number in lab.numbers[told.person], "a matricule of another person"
        assert told.is_exact or self._is_linked(lab, told), "traits that nobody compared"
        assert told.is_controlled or told.local in lab.documents, "nobody controlled a document"
        assert not told.is_doubtful, "a doubtful identity"
        assert not told.is_rejected, "a report that a person rejected"
        assert (told.local, number) not in lab.denied, "a matricule that a person denied this patient"
        assert number not in lab.in_doubt, "a matricule that a verification refuted"
        root = lab.root(told.local)
        holder = lab.root(lab.holders.setdefault(number, root))
        assert holder == root, "one matricule for two local patients"
        lab.left[event.message_id] = told.person

    @staticmethod
    def _is_linked(lab: Laboratory, told: Told) -> bool:
        root = lab.root(told.local)
        return any(lab.root(local) == root and person == told.person for local, person in lab.linked)

    async def end(self) -> None:
        """INSi answers again, the officers rest: every report has left or waits where a person sees it."""
        self.stage.insi.fault_rate = 0.0
        for _ in range(6):
            self.stage.clock.advance(5 * 3600)
            await self.stage.work()
        await self.look()
        checks, recalls = tables.checks, tables.recalls
        async with self.stage.database.reading() as connection:
            states = {
                row.id: row
                for row in (await connection.execute(select(checks.c.id, checks.c.state, checks.c.is_open))).all()
            }
            recalled = set((await connection.execute(select(recalls.c.message_id))).scalars())
        items = {item["id"]: item["state"] for item in await self.stage.items()}
        for lab in self.laboratories:
            for message, told in lab.messages.items():
                item = derived_id("identity-check", message)
                check = states[item]
                assert not check.is_open, "a report that waits for ever"
                if check.state == "qualified":
                    assert message in lab.left
                else:
                    assert items[item] in ("open", "rejected", "superseded"), "a report that nobody sees"
                    assert told.is_rejected == (items[item] == "rejected")
            assert lab.to_recall <= recalled, "a report that left for another person and is not recalled"


def _wrong(person: TestIdentity) -> Ins:
    body = person.matricule[:13]
    return Ins(matricule=f"{body}{int(person.matricule[13:]) % 97 + 1:02d}", oid=person.oid)


@pytest.mark.parametrize("seed", range(WORLDS))
async def test_no_matricule_leaves_without_right_and_no_report_is_forgotten(tmp_path: Path, seed: int) -> None:
    world = History(tmp_path, seed)
    await world.stage.start()
    for number in range(ROUNDS):
        world.stage.insi.fault_rate = world.chance.choice((0.0, 0.1, 0.5))
        for lab in world.laboratories:
            await world.step(lab)
        if world.chance.random() < 0.5:
            await world.stage.die_at_work()
        if world.chance.random() < 0.4:
            await world.stage.stop()
            await world.stage.start()
        if number == ROUNDS // 2:
            for lab in world.laboratories[::3]:
                await world.change_insi(lab)
            await world.stage.verify_all()
        await world.stage.work()
        await world.look()
        world.note_doubts()
        await world.decide()
        world.stage.clock.advance(world.chance.choice((60, 600, timedelta(hours=9).total_seconds())))
        await world.stage.work()
        await world.look()
        world.note_doubts()
    await world.end()
    await world.stage.stop()

    assert world.qualified > LABORATORIES
    assert world.unresolved > LABORATORIES
