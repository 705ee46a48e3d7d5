"""The content of the datamatrix INS: the qualified identity that a scanner reads from a report.

Source: ANS, Format datamatrix INS v2.2 (edition in docs/standards.md).
"""

from typing import Final

from labohub.errors import Refused
from labohub.standards.ins.names import Field, NameRefused, normalise

_HEAD: Final = "IS01" + "0" * 22
_GS: Final = "\x1d"  # after a field that could be longer and is not the last
_MAX_OID: Final = 20
_MAX_NAME: Final = 100
_UNKNOWN_PLACE: Final = "99999"


class InsDatamatrixRefused(Refused):
    """A trait that the format cannot carry: sex other than M or F, partial date, name outside INSi's alphabet."""

    code = "ins.datamatrix-refused"


def datamatrix_text(
    matricule: str, oid: str, *, given_names: str, birth_name: str, sex: str, birth_date: str, birth_place: str
) -> str:
    """Return what the symbol says. Only for a qualified identity: the caller answers for it.

    Args:
        matricule: 15 characters, with its key.
        birth_date: `yyyymmdd`.
        birth_place: COG code; left out when unknown.
    Raises: InsDatamatrixRefused.
    """
    if sex not in ("M", "F") or len(matricule) != 15 or len(birth_date) != 8 or not birth_date.isdigit():
        raise InsDatamatrixRefused("a trait does not fit the format")
    try:
        given, name = normalise(given_names, Field.GIVEN_NAMES), normalise(birth_name, Field.BIRTH_NAME)
    except NameRefused:
        raise InsDatamatrixRefused("a name does not fit the format") from None
    date = f"{birth_date[6:]}-{birth_date[4:6]}-{birth_date[:4]}"
    place = f"S7{birth_place}" if len(birth_place) == 5 and birth_place != _UNKNOWN_PLACE else ""
    variable = (("S2", oid, _MAX_OID), ("S3", given, _MAX_NAME), ("S4", name, _MAX_NAME))
    fields = (f"{key}{value}{_GS if len(value) < longest else ''}" for key, value, longest in variable)
    return f"{_HEAD}S1{matricule}{''.join(fields)}S5{sex}S6{date}{place}"
