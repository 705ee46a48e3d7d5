"""The mailboxes: heads in memory, mails in files of a temporary folder, the oldest forgotten first."""

import asyncio
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

UID_VALIDITY = 1


@dataclass
class Stored:
    """One mail in one box."""

    key: int
    uid: int
    size_bytes: int
    received_at: datetime
    path: Path
    flags: set[str] = field(default_factory=set)

    def raw(self) -> bytes:
        """Return the mail's bytes."""
        return self.path.read_bytes()


class Box:
    """The mails of one address, by UID, oldest first."""

    def __init__(self) -> None:
        self.mails: list[Stored] = []
        self.next_uid = 1
        self.changed = asyncio.Event()

    def announce(self) -> None:
        """Wake those who wait for a mail."""
        self.changed.set()
        self.changed = asyncio.Event()


class Boxes:
    """All mailboxes. At most `keep` mails; a box exists from its first use."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._boxes: dict[str, Box] = {}
        self._order: OrderedDict[int, tuple[Box, Stored]] = OrderedDict()
        self._last_key = 0
        self._folder = tempfile.TemporaryDirectory(prefix="labosim-mss-")

    def box(self, address: str) -> Box:
        """Return the box of an address, whatever its case."""
        return self._boxes.setdefault(address.lower(), Box())

    def deliver(self, address: str, raw: bytes) -> Stored:
        """Put a mail into a box and return it there."""
        box = self.box(address)
        self._last_key += 1
        path = Path(self._folder.name) / str(self._last_key)
        path.write_bytes(raw)
        stored = Stored(self._last_key, box.next_uid, len(raw), datetime.now(UTC), path)
        box.next_uid += 1
        box.mails.append(stored)
        self._order[stored.key] = (box, stored)
        while len(self._order) > self._keep:
            _, (old_box, old) = self._order.popitem(last=False)
            old_box.mails.remove(old)
            old.path.unlink(missing_ok=True)
        box.announce()
        return stored

    def clear(self) -> None:
        """Empty all boxes; UIDs go on, as on a real server."""
        for box in self._boxes.values():
            box.mails.clear()
            box.announce()
        for _, stored in self._order.values():
            stored.path.unlink(missing_ok=True)
        self._order.clear()

    def close(self) -> None:
        """Remove the files."""
        self._folder.cleanup()
