"""The identity stage in one process with many laboratories at once, and a model that says what may leave."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from fastapi import HTTPException
from sqlalchemy import select

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.desk import Desk
from ins_qualifier.adapters.officer import Officer
from ins_qualifier.adapters.reverifications import Reverifications, Verifying
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.handlers import Follower
from ins_qualifier.ports import InsiMisconfigured, InsiUnavailable, Reply, Verdict
from ins_qualifier.settings import InsQualifierSettings
from ins_qualifier.workers import IdentityChecks
from labohub.contracts.codec import from_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import Event
from labohub.contracts.values import BlobRef, Identity
from labohub.errors import Refused
from labohub.standards.ins.insi_answer import read_answer
from labohub.standards.ins.insi_card import CardQuery
from labohub.standards.ins.insi_request import SearchQuery
from labohub.store.blobs.cipher import reference
from labohub.store.database import Database
from labosim.identities import PUBLIC
from labosim.insi import answers
from labosim.insi.questions import Question
from labosim.insi.register import Register
from tests.support.ins import book_of
from tests.support.store import FixedClock, sqlite_url


@dataclass
class MemoryBlobs:
    """Documents in memory: what they are kept on is not looked at here."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, data: bytes, media_type: str) -> BlobRef:
        ref = reference(str(len(self.kept)), data, media_type)
        self.kept[ref.id] = data
        return ref

    async def put_many(self, documents: Sequence[tuple[bytes, str]]) -> list[BlobRef]:
        return [await self.put(data, media_type) for data, media_type in documents]

    async def read(self, ref: BlobRef) -> bytes:
        return self.kept[ref.id]

    async def erase(self, ref: BlobRef) -> None:
        del self.kept[ref.id]

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None


class Bench:
    """INSi's register behind the ports of the client and of the verification, with faults by chance."""

    certificate, is_certified = "", False

    def __init__(self, chance: random.Random) -> None:
        self.register, self._chance = Register(PUBLIC), chance
        self.fault_rate = 0.0
        self.refuted: set[str] = set()
        self.asked = 0

    async def turn(self, *, bulk: bool = False) -> None:
        return None

    async def search(self, query: SearchQuery, message_id: str) -> Reply:
        self.asked += 1
        flaw = ""
        if self._chance.random() < self.fault_rate:
            kind = self._chance.choice(("away", "away", "away", "wrong-key", "garbage", "configuration"))
            if kind == "away":
                raise InsiUnavailable("away")
            if kind == "configuration":
                raise InsiMisconfigured("not known")
            if kind == "garbage":
                return Reply(None, b"<html/>")
            flaw = "wrong-key"
        _, raw = answers.result(
            self.register.find(
                Question(query.birth_name, query.given_name, query.sex, query.birth_date, query.birth_place)
            ),
            flaw=flaw,
        )
        return Reply(read_answer(raw), raw)

    async def search_by_card(self, query: CardQuery, message_id: str, assertions: Sequence[bytes] = ()) -> Reply:
        raise InsiUnavailable("no card here")

    async def verify_one(self, identity: Identity) -> Verdict:
        assert identity.ins is not None
        traits = identity.traits
        born = f"{traits.birth_date[:4]}-{traits.birth_date[4:6]}-{traits.birth_date[6:]}"
        question = Question(traits.birth_name, traits.given_names, traits.sex, born, traits.birth_place)
        found = {one.matricule for one in self.register.find(question)}
        if identity.ins.matricule in found:
            return Verdict.CONFIRMED
        self.refuted.add(identity.ins.matricule)
        return Verdict.REFUTED

    async def deposit(self, identities: Any) -> str:
        raise InsiUnavailable("no lists here")

    async def collect(self, ticket: str) -> None:
        raise InsiUnavailable("no lists here")


class Stage:
    """The service's parts on one SQLite file; it can be stopped anywhere and started again."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.clock, self.blobs, self.insi = folder, FixedClock(), MemoryBlobs(), Bench(chance)
        self.book = book_of()
        self.follower = Follower(self.book.referential, self.book, "test")
        self.settings = InsQualifierSettings(give_up_after_seconds=3600 * 24 * 30, failures_to_pause=25)
        self._read = 0

    async def start(self) -> None:
        """Open the database and make the workers anew."""
        self.database = Database(sqlite_url(self.folder), "ins_qualifier", tables.metadata, self.clock)
        await self.database.open()
        self.units = self.database.units(InsUnit)
        self.checks = IdentityChecks(
            insi=self.insi,
            identities=self.book,
            blobs=self.blobs,
            settings=self.settings,
            environment="test",
            clock=self.clock,
        )
        self.verifying = Verifying(self.book, self.insi, self.checks.gate)
        desk = Desk(self.database, self.blobs, self.book, self.clock)
        self.officer = Officer(self.database, self.book, desk)
        self.jobs = Reverifications(self.database, is_available=True)

    async def stop(self) -> None:
        """Close the database; leases that are held stay held."""
        await self.database.close()

    async def work(self) -> None:
        """Let the workers go on until nothing is due."""
        while await self.checks.run(self.units, self.clock()):
            pass
        while await self.verifying.run(self.units, self.clock()):
            pass

    async def die_at_work(self) -> None:
        """Lease work as a worker does that is killed then."""
        async with self.units() as unit:
            await unit.checks.lease_due(5, self.settings.lease_seconds)

    async def verify_all(self) -> None:
        """Order the verification of all that is qualified."""
        await self.jobs.start(views.ReverificationOrder(operator="x", reason="periodic", per_second=50))

    async def told(self) -> list[tuple[Event, bytes]]:
        """Return what was published since the last look, with its bytes."""
        table = self.database.tables.outbox
        async with self.database.reading() as connection:
            rows = (
                await connection.execute(select(table).where(table.c.id > self._read).order_by(table.c.id))
            ).mappings()
            found = [(row["id"], Record(row["key"], row["value"], orjson.loads(row["headers"]))) for row in rows]
        if found:
            self._read = found[-1][0]
        return [(from_record(record), record.value) for _, record in found]

    async def items(self) -> list[Any]:
        """Return the worklist's rows with the local patient each is about."""
        table, checks = tables.worklist, tables.checks
        query = select(table, checks.c.identity).join(checks, checks.c.id == table.c.id)
        async with self.database.reading() as connection:
            return list((await connection.execute(query)).mappings().all())

    async def colliding(self, identity: str) -> set[str]:
        """Return who stands in a local patient's way."""
        async with self.database.reading() as connection:
            return await self.book.rows_of(connection).colliding_with(identity)

    async def act(self, item: str, decision: str) -> bool:
        """Return whether the officer could decide so."""
        resolution = views.Resolution(decision=decision, operator="officer", reason="seen", evidence="CN")
        try:
            await self.officer.resolve(item, resolution)
        except Refused:
            return False
        return True

    async def withdraw(self, identity: str) -> bool:
        """Return whether the officer could take the matricule from an identity."""
        try:
            await self.officer.withdraw(identity, views.PersonAct(operator="officer", reason="seen"))
        except (Refused, HTTPException):  # nothing to take, or nobody checked this patient yet
            return False
        return True


def renamed(register: Register, person: Any) -> None:
    """Let INSi know a person by another name."""
    register.add(replace(person, birth_name=f"{person.birth_name}-MARTIN"))
