"""Questions to the DMP, each with the verdict of its answer."""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from dmp_feeder.core.errors import NothingToDelete
from dmp_feeder.core.lot import Call, Dossier, Installation, Lot, Stamp, delete_call, find_call, provide_call
from dmp_feeder.core.verdicts import Kind, Verdict, judge, judge_fault
from dmp_feeder.ports import Dmp, Reply
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger

log = get_logger(__name__)

DONE: Final = Verdict(Kind.DONE)


@dataclass(frozen=True, slots=True)
class Found:
    """What TD3.1b says of a document: its entryUUID, empty when the DMP does not hold it."""

    entry_uuid: str
    verdict: Verdict = DONE  # of the question itself


@dataclass(frozen=True, slots=True)
class Registry:
    """The DMP, asked with a fresh VIHF and MessageID each time."""

    installation: Installation
    dmp: Dmp
    clock: Clock

    async def provide(self, dossier: Dossier, lot: Lot) -> Call:
        """Return the request that carries a lot (ITI-41), ready to be kept and sent."""
        return await asyncio.to_thread(provide_call, dossier, lot, self.installation, self._stamp("repository"))

    async def send(self, call: Call) -> Verdict:
        """Return the verdict of a request's answer. Raises: DmpUnreachable, DmpRejectsUs."""
        return _verdict(await self.dmp.send(call))

    async def find(self, dossier: Dossier, document_id: str) -> Found:
        """Return where the DMP holds a document (TD3.1b). Raises: DmpUnreachable, DmpRejectsUs."""
        call = await asyncio.to_thread(find_call, dossier, document_id, self.installation, self._stamp("registry"))
        reply = await self.dmp.send(call)
        verdict = _verdict(reply)
        if verdict.kind is not Kind.DONE or reply.answer is None:
            return Found("", verdict)
        uuids = reply.answer.references
        if len(uuids) > 1:
            log.warning("dmp.several-entries", report_id=dossier.filing.report_id, count=len(uuids))
        return Found(uuids[-1] if uuids else "")

    async def delete(self, dossier: Dossier, document_id: str, entry_uuid: str) -> Verdict:
        """Return the verdict of a deletion (TD3.3c). Raises: DmpUnreachable, DmpRejectsUs."""
        stamp = self._stamp("registry")
        call = await asyncio.to_thread(delete_call, dossier, document_id, entry_uuid, self.installation, stamp)
        return await self.send(call)

    def _stamp(self, endpoint: str) -> Stamp:
        return Stamp(self.dmp.address(endpoint), uuid4(), self.clock())

    async def confirm(self, dossier: Dossier, duplicate: Verdict) -> Verdict:
        """Return whether a duplicate is our own earlier attempt: done, when the DMP holds all the documents."""
        for each in dossier.filing.documents:
            found = await self.find(dossier, each.document_id)
            if found.verdict.kind is not Kind.DONE:
                return found.verdict
            if not found.entry_uuid:
                return id_taken(duplicate)
        return DONE


def id_taken(duplicate: Verdict) -> Verdict:
    """Return the verdict when another document, not ours, has the identifier."""
    return Verdict(Kind.FINAL, duplicate.dmp_code, duplicate.label, duplicate.code)


def nothing_to_delete() -> Verdict:
    """Return the verdict when the DMP does not hold the document to delete."""
    return Verdict(Kind.FINAL, code=NothingToDelete.code)


def _verdict(reply: Reply) -> Verdict:
    if reply.fault is not None:
        return judge_fault(reply.fault)
    return judge(reply.answer) if reply.answer is not None else Verdict(Kind.FEW, code="dmp.fault")
