"""Messages as files. A file moves once its content is durable and its answer written: a crash repeats, never loses.

drop/            senders write here: `name.tmp`, then rename to `name.hl7` or `name.er7`
drop/<folder>/   the same, for the one sender whose entry says `drop_folder = "<folder>"`
  acks/          `name.hl7.ack`, the answers, one after another
  done/          what was accepted        refused/    what was not, whole or in part
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.drop_files import DropFiles, Found, Stamp, lock
from ingest_hl7.adapters.intake import Taken
from ingest_hl7.core.peer import NO_PEER, Peer
from ingest_hl7.core.registry import Registry
from ingest_hl7.settings import IngestSettings
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger
from labohub.standards.hl7.acknowledgement import AnswerStyle, acknowledge
from labohub.standards.hl7.findings import Finding
from labohub.standards.mllp import START, FrameReader, FrameTooLarge, write_frame

log = get_logger(__name__)

TRANSPORT = "file"
Take = Callable[[bytes, str, Peer], Awaitable[Taken]]


@dataclass(frozen=True, slots=True)
class _Content:
    """The messages of a file, or why there are none to take."""

    frames: tuple[bytes, ...] = ()
    is_framed: bool = False
    is_unended: bool = False  # its last line may be cut
    fault: Finding | None = None


class DropFolder:
    """Takes files in order, folder by folder. One process per folder: the others wait for its lock."""

    name = "drop-folder"

    def __init__(self, root: Path, take: Take, registry: Registry, settings: IngestSettings, clock: Clock) -> None:
        self._root = root
        self._take = take
        self._registry = registry
        self._settings = settings
        self._clock = clock
        self._seen: dict[Path, tuple[Stamp, float]] = {}  # since when a file is as it is
        self._unusable: set[Path] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the folder is looked at."""
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
        self._task = asyncio.create_task(self._follow(), name=self.name)

    async def stop(self) -> None:
        """Look no more. A file under way stays where it is, and is taken again: its messages are known by then."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        with lock(self._root) as held:
            while True:
                if held():
                    await self.look()
                await asyncio.sleep(self._settings.drop_poll_seconds)

    async def look(self) -> int:
        """Take what is ready, once. Return how many files were taken."""
        taken = 0
        places = {self._root: NO_PEER}
        for sender in self._registry.senders:
            if sender.drop_folder:
                places[self._root / sender.drop_folder] = Peer(entry=sender.label)
        for folder, peer in places.items():
            try:
                taken += await self._look_at(folder, peer)
                self._unusable.discard(folder)
            except OSError:
                if folder not in self._unusable:
                    log.error("drop.folder-unusable", folder=folder.name)
                self._unusable.add(folder)
        metrics.DROP_UNUSABLE.set(len(self._unusable))
        return taken

    async def _look_at(self, folder: Path, peer: Peer) -> int:
        """Take the ready files of a folder, oldest first; the first that is not ready holds back the rest."""
        taken = 0
        with await asyncio.to_thread(DropFiles, folder) as files:
            found = await asyncio.to_thread(files.waiting)
            self._seen = {
                path: seen for path, seen in self._seen.items() if path.parent != folder or path.name in found
            }
            quiet = {
                name: self._is_quiet(folder / name, stamp, self._settings.drop_quiet_seconds)
                for name, stamp in found.items()
            }
            for name, stamp in sorted(found.items(), key=lambda each: (each[1].modified_ns, each[0])):
                if not quiet[name]:
                    break
                if not await self._take_file(files, name, stamp, peer):
                    break
                taken += 1
        return taken

    def _is_quiet(self, path: Path, stamp: Stamp, seconds: float) -> bool:
        """Return True when nobody has written to a file for so long, by our own clock."""
        now = asyncio.get_running_loop().time()
        known, since = self._seen.get(path, (None, now))
        if known != stamp:
            self._seen[path] = (stamp, now)
            return seconds <= 0
        return now - since >= seconds

    async def _take_file(self, files: DropFiles, name: str, stamp: Stamp, peer: Peer) -> bool:
        """Take one file; return False when it must stay and be tried again."""
        found = await asyncio.to_thread(files.read, name, self._settings.drop_max_bytes)
        if found is None or found.stamp != stamp:
            return False
        content = await asyncio.to_thread(self._content, found)
        is_whole = content.fault is None
        if (not is_whole or content.is_unended) and not self._is_quiet(
            files.folder / name, stamp, self._settings.drop_stalled_seconds
        ):
            return False  # perhaps its writer is only slow
        answers: list[bytes] = [self._refusal(content.fault)] if content.fault else []
        codes: list[str] = []
        for frame in content.frames if is_whole else ():
            taken = await self._take(frame, TRANSPORT, peer)
            if not taken.is_durable:
                return False
            answers += taken.answers
            codes += taken.codes
        is_good = is_whole and all(code in ("AA", "") for code in codes)
        ack = b"".join(map(write_frame, answers) if content.is_framed else answers)
        moved = await asyncio.to_thread(files.finish, found, ack, "done" if is_good else "refused")
        if moved:
            metrics.DROPPED_FILES.labels("done" if is_good else "refused").inc()
            log.info("drop.taken", count=len(codes), outcome="done" if is_good else "refused", bytes=stamp.size)
        return moved

    def _content(self, found: Found) -> _Content:
        data = found.data
        if data is None:
            return _Content(fault=_fault("drop.too-large", "Fichier plus grand que la limite."))
        body = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\0 ")
        if not body:
            return _Content(fault=_fault("drop.empty", "Fichier vide."))
        if body[0] == START:
            reader = FrameReader(self._settings.max_frame_bytes, end_without_cr=True)
            try:
                frames = reader.feed(body)
            except FrameTooLarge:
                return _Content(fault=_fault("drop.too-large", "Message plus grand que la limite."))
            if reader.inside or not frames:
                return _Content(fault=_fault("drop.incomplete", "Le dernier bloc n'est pas terminé."))
            return _Content(tuple(frames), is_framed=True)
        if body[:3] in (b"FHS", b"BHS") and not _ends_with(body, b"FTS" if body[:3] == b"FHS" else b"BTS"):
            return _Content(fault=_fault("drop.incomplete", "Le lot n'a pas son segment de fin."))
        is_unended = body[-1:] not in b"\r\n"
        if is_unended and self._settings.drop_end_required:
            return _Content(fault=_fault("drop.incomplete", "La dernière ligne n'est pas terminée."))
        return _Content((data,), is_unended=is_unended)

    def _refusal(self, fault: Finding) -> bytes:
        now = self._clock()
        return acknowledge(None, "AE", (fault,), at=now, control_id=f"{now:%Y%m%d%H%M%S%f}", style=AnswerStyle.HL7).er7


def _fault(code: str, text: str) -> Finding:
    return Finding("102", "MSH^1", code, text)


def _ends_with(body: bytes, name: bytes) -> bool:
    lines = [line for line in body.replace(b"\n", b"\r").split(b"\r") if line.strip()]
    return lines[-1][:3] == name and body[-1:] in b"\r\n"
