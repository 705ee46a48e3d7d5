"""One reader at a time for a group of the embedded log, among tasks and among processes.

The lock is the kernel's (`flock`): it goes with the process that held it, however it ended.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from urllib.parse import quote

_held: set[int] = set()
_forget_in_children: list[bool] = []


class GroupLock:
    """The right to read a topic for a group."""

    def __init__(self, folder: Path, topic: str, group: str) -> None:
        self._path = folder / f"{quote(topic, safe='')}@{quote(group, safe='')}.lock"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Return whether this reader now has the right. Never waits."""
        if self._descriptor is not None:
            return True
        if not _forget_in_children:
            _forget_in_children.append(True)
            # A forked child (a process pool) inherits the descriptor: it would keep the right beyond its parent.
            os.register_at_fork(after_in_child=_close_all)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        _held.add(descriptor)
        return True

    def release(self) -> None:
        """Give the right back."""
        if self._descriptor is not None:
            _held.discard(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def _close_all() -> None:
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()
