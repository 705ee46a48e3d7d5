"""Compound values of XDS metadata in their HL7 v2 text form: CX, XCN, XON, CE and times."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from labohub.errors import Refused

_ESCAPES: Final = str.maketrans({"\\": "\\E\\", "^": "\\S\\", "&": "\\T\\", "|": "\\F\\", "~": "\\R\\"})
_OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_TIME: Final = re.compile(r"(\d{4}(?:\d{2}){0,5})(?:\.\d+)?([+-]\d{4}|Z)?")
_FORMATS: Final = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
MAX_OID_CHARACTERS: Final = 64  # ITI TF-3 4.2.3.1.7


class MetadataMalformed(Refused):
    """A value that has no place in XDS metadata: not a time, not an OID."""

    code = "xds.metadata-malformed"


def escaped(text: str) -> str:
    """Return a text without active HL7 v2 separators nor control characters, on one line."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable()).translate(_ESCAPES)


def is_oid(text: str) -> bool:
    """Return whether this is an OID that XDS takes: 64 characters at most, no leading zero in an arc."""
    return len(text) <= MAX_OID_CHARACTERS and _OID.fullmatch(text) is not None


def to_utc(text: str) -> str:
    """Return a CDA time as XDS writes it: in UTC, without offset, with the precision it had.

    A date alone is not shifted, nor is a time without offset: its zone is unknown.

    Raises:
        MetadataMalformed: not an HL7 time.
    """
    if not text:
        return ""
    found = _TIME.fullmatch(text)
    if found is None:
        raise MetadataMalformed("not an HL7 time")
    digits, zone = found[1], found[2]
    form = _FORMATS.get(len(digits))
    if form is None or not zone:
        return digits
    try:
        local = datetime.strptime(digits, form).replace(tzinfo=_offset(zone))
        return local.astimezone(UTC).strftime(form)
    except (ValueError, OverflowError):
        raise MetadataMalformed("not an HL7 time") from None


def xds_time(at: datetime) -> str:
    """Return an aware instant as XDS writes it, to the second."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def _offset(zone: str) -> timezone:
    if zone == "Z":
        return UTC
    sign = -1 if zone[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])))


@dataclass(frozen=True, slots=True)
class Coded:
    """A code of a nomenclature, with the label a person reads."""

    code: str
    system: str
    label: str

    def ce(self) -> str:
        """Return the CE form: code, label, system."""
        return "^".join((escaped(self.code), escaped(self.label), self.system))


@dataclass(frozen=True, slots=True)
class Cx:
    """A patient identifier. `kind` is NH for an INS, PI for the laboratory's own."""

    value: str
    authority: str
    kind: str

    def text(self) -> str:
        """Return the CX form."""
        return f"{escaped(self.value)}^^^&{self.authority}&ISO^{self.kind}"


@dataclass(frozen=True, slots=True)
class Xcn:
    """A person, or a system (`kind` RI), with the identifier's authority."""

    value: str
    family: str
    given: str
    authority: str
    kind: str = "IDNPS"  # IDNPS national, EI internal to a structure, RI a system

    def text(self) -> str:
        """Return the XCN form."""
        nature = "U" if self.kind == "RI" else "D"
        names = f"{escaped(self.value)}^{escaped(self.family)}^{escaped(self.given)}"
        return f"{names}^^^^^^&{self.authority}&ISO^{nature}^^^{self.kind}"


@dataclass(frozen=True, slots=True)
class Xon:
    """A structure; without identifier only its name is written."""

    name: str
    value: str = ""
    authority: str = "1.2.250.1.71.4.2.2"
    kind: str = "IDNST"

    def text(self) -> str:
        """Return the XON form."""
        if not self.value:
            return escaped(self.name)
        return f"{escaped(self.name)}^^^^^&{self.authority}&ISO^{self.kind}^^^{escaped(self.value)}"
