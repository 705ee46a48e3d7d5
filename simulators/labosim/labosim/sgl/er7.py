"""The little of ER7 that a sender reads in its answers. Apart from the hub's reader, to check it."""

from dataclasses import dataclass

_CHARSETS = {"UNICODE UTF-8": "utf-8", "8859/15": "iso8859-15", "8859/1": "iso8859-1"}


class MessageUnreadable(ValueError):
    """The bytes do not begin with MSH, or not in the character set they announce."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `field(9)` is MSH-9 in MSH and OBX-9 in OBX."""

    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return its three letters."""
        return self.fields[0]

    def field(self, number: int) -> str:
        """Return a field by its HL7 number; empty when absent."""
        index = number - 1 if self.name == "MSH" else number
        return self.fields[index] if 0 <= index < len(self.fields) else ""

    def component(self, number: int, part: int) -> str:
        """Return a component of a field's first repetition; empty when absent."""
        parts = self.field(number).split("~")[0].split("^")
        return parts[part - 1] if part <= len(parts) else ""


def read(message: bytes) -> list[Segment]:
    """Return the segments of a message.

    Raises:
        MessageUnreadable: see the class.
    """
    if not message.startswith(b"MSH|"):
        raise MessageUnreadable("no MSH")
    first = message.split(b"\r", 1)[0].split(b"|")
    charset = first[17].decode("ascii", "replace").split("~")[0] if len(first) > 17 else ""
    try:
        text = message.decode(_CHARSETS.get(charset, "utf-8"))
    except UnicodeDecodeError:
        raise MessageUnreadable("not in the announced character set") from None
    return [Segment(tuple(line.split("|"))) for line in text.split("\r") if line]


def first(segments: list[Segment], name: str) -> Segment | None:
    """Return the first segment of that name."""
    return next((segment for segment in segments if segment.name == name), None)
