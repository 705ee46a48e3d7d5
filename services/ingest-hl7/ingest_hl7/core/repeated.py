"""What laboratories write all day is read once: codes, units, flags, people of the house."""

from collections.abc import Callable
from typing import TypeVar

from labohub.standards.er7 import Segment
from labohub.standards.er7.delimiters import USUAL

T = TypeVar("T")
MAX_REMEMBERED = 4096  # texts of one kind: the analytes of a large laboratory, twice
MAX_CHARACTERS = 400  # what is longer is no code
Read = Callable[[Segment, int], T]


def read_once(read: Read[T]) -> Read[T]:
    """Return `read`, which remembers what it returned for a field's text.

    For what depends on that text alone and holds nothing of a patient. Texts with escapes depend on the character set,
    those of senders with their own separators on these: they are read each time.
    """
    known: dict[str, T] = {}

    def remembering(segment: Segment, number: int) -> T:
        raw = segment.field(number)
        if segment.delimiters is not USUAL:
            return read(segment, number)
        if raw in known:
            return known[raw]
        found = read(segment, number)
        if len(raw) <= MAX_CHARACTERS and USUAL.escape not in raw:
            if len(known) >= MAX_REMEMBERED:
                known.clear()
            known[raw] = found
        return found

    return remembering
