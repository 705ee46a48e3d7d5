"""One segment, cut when asked: fields, repetitions, components and sub-components by their numbers."""

from labohub.standards.er7.delimiters import Delimiters
from labohub.standards.er7.escapes import unescape
from labohub.standards.er7.splitting import split

SHORT = 400  # longer fields may hold base64, which is not looked through for each component
ED_COMPONENTS = 5  # source, type, subtype, encoding, data
MAX_PARTS = 1000  # fields, repetitions, components: beyond, the rest stays in one piece, so that work stays bounded
USUAL_REPETITION = "~"
FOREIGN_REPETITION_FIELDS = frozenset((("PID", 3), ("PID", 11)))  # written with `~` whatever MSH-2 says


class Segment:
    """One segment. Positions are HL7's: `field(3)` is PID-3; MSH counts its own separator as field 1."""

    __slots__ = ("_codec", "_fields", "delimiters", "line", "name", "sequence")

    def __init__(self, line: str, name: str, sequence: int, delimiters: Delimiters, codec: str) -> None:
        self.line = line
        self.name = name
        self.sequence = sequence  # among the segments of its name, from 1: the second part of ERR-2
        self.delimiters = delimiters
        self._codec = codec
        self._fields: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """Return the raw fields; index 0 is the segment's name."""
        if self._fields is None:
            fields = split(self.line, self.delimiters.field, MAX_PARTS)
            if self.name == "MSH":
                fields.insert(1, self.delimiters.field)
            self._fields = fields
        return self._fields

    def field(self, number: int) -> str:
        """Return a raw field, escapes kept; "" when absent."""
        fields = self._fields if self._fields is not None else self.fields
        return fields[number] if number < len(fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Return the raw repetitions of a field; empty when the field is.

        Senders whose MSH-2 declares a sign beyond ASCII still write `~` between identifiers and between addresses.
        """
        value = self.field(number)
        if not value:
            return []
        sign = self.delimiters.repetition
        if not sign.isascii() and (self.name, number) in FOREIGN_REPETITION_FIELDS:
            value = value.replace(USUAL_REPETITION, sign)
        return value.split(sign, MAX_PARTS) if sign in value else [value]

    def components(self, number: int, repetition: int = 1) -> list[str]:
        """Return the raw components of one repetition (from 1).

        OBX-5 of an ED is cut four times at most: its data is one piece, whatever its size.
        """
        value = self.field(number)
        signs = self.delimiters
        if number == 5 and self.name == "OBX" and self.field(2) == "ED":
            return value.split(signs.component, ED_COMPONENTS - 1)
        if repetition == 1 and value and signs.repetition not in value and USUAL_REPETITION not in value:
            return value.split(signs.component, MAX_PARTS)
        repetitions = self.repetitions(number)
        if repetition > len(repetitions):
            return []
        return repetitions[repetition - 1].split(signs.component, MAX_PARTS)

    def component(self, number: int, position: int, repetition: int = 1) -> str:
        """Return the text of a component: unescaped, stripped of any blank, no-break spaces included."""
        fields = self._fields
        if fields is None:
            fields = self.fields
        if number >= len(fields):
            return ""
        value = fields[number]
        if not value:
            return ""
        if value.isalnum():  # most are: no separator is a letter or a digit
            return value if position == repetition == 1 else ""
        signs = self.delimiters
        if repetition == 1 and len(value) < SHORT and signs.repetition not in value and USUAL_REPETITION not in value:
            parts = value.split(signs.component, position)
        else:
            parts = self.components(number, repetition)
        if position > len(parts):
            return ""
        value = parts[position - 1]
        return (unescape(value, signs, self._codec) if signs.escape in value else value).strip()

    def subcomponent(self, number: int, position: int, sub: int, repetition: int = 1) -> str:
        """Return the text of a sub-component."""
        parts = self.components(number, repetition)
        if position > len(parts):
            return ""
        subs = parts[position - 1].split(self.delimiters.subcomponent, MAX_PARTS)
        return self.text(subs[sub - 1]) if sub <= len(subs) else ""

    def value(self, number: int) -> str:
        """Return the text of a whole single-valued field."""
        fields = self._fields
        if fields is None:
            fields = self.fields
        if number >= len(fields):
            return ""
        raw = fields[number]
        return (self.text(raw) if self.delimiters.escape in raw else raw.strip()) if raw else ""

    def text(self, raw: str) -> str:
        """Return the text a raw leaf of this segment stands for."""
        if self.delimiters.escape in raw:
            raw = unescape(raw, self.delimiters, self._codec)
        return raw.strip()

    @property
    def location(self) -> str:
        """Return the segment as ERR-2 names it: `OBX^2`."""
        return f"{self.name}^{self.sequence}"
