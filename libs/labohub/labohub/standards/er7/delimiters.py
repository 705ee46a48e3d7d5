"""The five separators that a message declares in MSH-1 and MSH-2."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The separators of one message."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @classmethod
    def declared(cls, field: str, msh_2: str) -> "Delimiters | None":
        """Return the separators of MSH-1 and MSH-2, or None when they are not usable.

        They must be four distinct printable characters (a fifth, the truncation of 2.7, is ignored), different from the
        field separator. A trailing part may be absent: HL7's own values stand for it.
        """
        if field == "|" and msh_2 == "^~\\&":
            return USUAL
        signs = (msh_2 + "^~\\&"[len(msh_2) :])[:4]
        everything = field + signs
        if not msh_2 or len(set(everything)) != 5:
            return None
        if any(sign.isalnum() or sign.isspace() or not sign.isprintable() for sign in everything):
            return None
        return cls(field, signs[0], signs[1], signs[2], signs[3])

    def are_in(self, raw: str) -> bool:
        """Return True when a raw field holds a separator of its parts, or an escape."""
        return self.component in raw or self.repetition in raw or self.subcomponent in raw or self.escape in raw

    @property
    def is_usual(self) -> bool:
        """Return True for `|^~\\&`, which IHE requires to be supported."""
        return self == USUAL


USUAL = Delimiters()
