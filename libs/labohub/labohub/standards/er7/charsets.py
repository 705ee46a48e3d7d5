"""MSH-18 to a decoder. Strict: an altered name or unit is worse than a refusal.

Source: HL7 table 0211 as restricted by PAM-FR and CI-SIS ("UNICODE UTF-8", "8859/15"), and `8859/1`, `ASCII`.
"""

from collections.abc import Mapping

from labohub.errors import Refused

CODECS = {"UNICODE UTF-8": "utf-8", "8859/15": "iso8859-15", "8859/1": "iso8859-1", "ASCII": "ascii"}
DEFAULT_CODEC = "utf-8"  # MSH-18 empty: ASCII says HL7, of which UTF-8 is the superset that cannot be mistaken
C1_CONTROLS = frozenset(map(chr, range(0x80, 0xA0)))  # under 8859/x they are Windows-1252 in disguise


class CharsetUnknown(Refused):
    """MSH-18 is not a value of table 0211 that a French sender may use."""

    code = "er7.charset-unknown"


class Undecodable(Refused):
    """The bytes are not what MSH-18 says."""

    code = "er7.undecodable"


def decode(raw: bytes, msh_18: str, *, aliases: Mapping[str, str], fallback: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, the codec used and the warnings.

    Args:
        aliases: values of MSH-18 a sender is known to write, to a codec; they come before the table.
        fallback: codec to try when MSH-18 is empty and the bytes are not UTF-8; "" for none.
    Raises: CharsetUnknown, Undecodable.
    """
    warnings: list[str] = []
    codec = aliases.get(msh_18) or CODECS.get(msh_18)
    if msh_18 in aliases:
        warnings.append("er7.charset-alias")
    if codec is None:
        if msh_18:
            raise CharsetUnknown("MSH-18 is not in table 0211")
        codec = DEFAULT_CODEC
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        if msh_18 or not fallback:
            raise Undecodable("the bytes are not in the declared character set") from None
        codec = fallback
        warnings.append("er7.charset-fallback")
        text = raw.decode(codec, errors="strict") if fallback != "utf-8" else _never(raw)
    if codec.startswith("iso8859") and not C1_CONTROLS.isdisjoint(text):
        warnings.append("er7.charset-c1-controls")
    return text, codec, tuple(warnings)


def _never(raw: bytes) -> str:
    raise Undecodable("the bytes are not in the declared character set")
