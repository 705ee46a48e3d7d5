"""The files of one drop folder: never through a link, never half moved. Everything here blocks: call it in a thread."""

import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SUFFIXES = (".hl7", ".er7")
OUTCOMES = ("acks", "done", "refused")
LOCK = ".labohub.lock"
MAX_NAME_BYTES = 255  # of a file on Linux
_ADDED_BYTES = len("..ack.tmp") + 13  # what we add to a name, at most: a mark of its content, an ending
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another."""

    inode: int
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Found:
    """A file as read. `data` is None when it is larger than the limit."""

    name: str
    stamp: Stamp
    data: bytes | None


class DropFiles:
    """One folder, held open: a folder renamed or replaced by a link meanwhile cannot send us elsewhere."""

    def __init__(self, folder: Path) -> None:
        """Raises: OSError, also for a link."""
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._fds: dict[str, int] = {"": os.open(folder, _DIRECTORY)}
        try:
            for name in OUTCOMES:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=self._fds[""])
                self._fds[name] = os.open(name, _DIRECTORY, dir_fd=self._fds[""])
        except OSError:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()

    def waiting(self) -> dict[str, Stamp]:
        """Return the regular files that hold messages, by name."""
        found = {}
        for name in os.listdir(self._fds[""]):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                with suppress(FileNotFoundError):
                    status = os.stat(name, dir_fd=self._fds[""], follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found[name] = _stamp(status)
        return found

    def read(self, name: str, limit: int) -> Found | None:
        """Return a file; None when it is no longer there, or no longer a plain file. Raises: OSError."""
        try:
            fd = os.open(name, _PLAIN, dir_fd=self._fds[""])
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = file.read(limit + 1)
            if _stamp(os.fstat(fd)) != _stamp(status):
                return None
        return Found(name, _stamp(status), data if len(data) <= limit else None)

    def finish(self, found: Found, ack: bytes, outcome: str) -> bool:
        """Write the answer, then move the file. Return False when the file is another one by now: it stays."""
        self._write(f"{_bearable(found.name)}.ack", ack)
        here, there = self._fds[""], self._fds[outcome]
        try:
            if _stamp(os.stat(found.name, dir_fd=here, follow_symlinks=False)) != found.stamp:
                return False
            target = self._free_name(found, there)
            os.rename(found.name, target, src_dir_fd=here, dst_dir_fd=there)
        except FileNotFoundError:
            return False
        if _stamp(os.stat(target, dir_fd=there, follow_symlinks=False)) != found.stamp:  # replaced in that instant
            os.rename(target, found.name, src_dir_fd=there, dst_dir_fd=here)
            return False
        os.fsync(there)
        os.fsync(here)
        return True

    def _free_name(self, found: Found, directory: int) -> str:
        """Return the file's name, with a mark of its content when an earlier file of that name is kept."""
        try:
            os.stat(found.name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return found.name
        mark = hashlib.sha256(found.data).hexdigest()[:12] if found.data is not None else str(found.stamp.modified_ns)
        stem, dot, suffix = found.name.rpartition(".")
        return f"{_bearable(stem)}.{mark}{dot}{suffix}"

    def _write(self, name: str, content: bytes) -> None:
        directory = self._fds["acks"]
        partial = f".{name}.tmp"
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640, dir_fd=directory)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(fd)
        os.rename(partial, name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)


@contextmanager
def lock(folder: Path) -> Iterator[Callable[[], bool]]:
    """Yield what tells whether this process holds the folder, trying again at each call."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    state = {"held": False}

    def held() -> bool:
        if not state["held"]:
            with suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                state["held"] = True
        return state["held"]

    try:
        yield held
    finally:
        os.close(fd)


def _bearable(name: str) -> str:
    """Return a name that leaves room for what we add: its own, or its beginning and a mark of the whole."""
    written = os.fsencode(name)
    if len(written) + _ADDED_BYTES <= MAX_NAME_BYTES:
        return name
    return f"{os.fsdecode(written[:200])}.{hashlib.sha256(written).hexdigest()[:12]}"


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)
