"""The matricule INS: its key, its structure and the verdict on a received one.

A verdict `accept` makes a candidate, never a proof: only INSi proves an INS. The number may disagree with
the person's sex, birth date or birth place; nothing here compares it with the traits.
Source: INSEE, structure du NIR; CNAM, open component nir-validation; ANS, référentiel INS.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from labohub.errors import Refused
from labohub.standards.ins import oids

THIRTEEN = 13
FIFTEEN = 15  # the number and its key on two digits

_CHARACTERS = re.compile(r"[0-9]{0,6}|[0-9]{6}[0-9A-Za-z][0-9]*")
_BODY = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}")
_TYPING = str.maketrans("", "", " \u00a0\u202f.-")
_CORSICA = {"2A": "19", "2B": "18"}
_MONTHS = frozenset(range(1, 13))
_PSEUDO_MONTHS = frozenset((*range(20, 43), *range(50, 100)))  # month unknown, or order overflow
_DOUBTFUL_MONTHS = frozenset(range(43, 50))  # in the CNAM pattern, in no published range


class MatriculeMalformed(Refused):
    """Thirteen characters of a matricule were expected."""

    code = "ins.matricule-malformed"


class Outcome(StrEnum):
    """What to do with a received matricule."""

    ACCEPT = "accept"  # a candidate
    REVIEW = "review"  # kept, never used without a person
    REJECT = "reject"


class Origin(StrEnum):
    """Where a matricule was read."""

    TYPED = "typed"
    HL7 = "hl7"
    INSI = "insi"


class Verdict(NamedTuple):
    """An outcome with its reason, a stable code such as `KEY` or `OID_TEST_IN_PROD`."""

    outcome: Outcome
    reason: str


def control_key(thirteen: str) -> int:
    """Return the key, 1 to 97, of a matricule's first 13 characters.

    Corsica counts as numbers: department 2A is read as 19, 2B as 18.

    Raises:
        MatriculeMalformed: another length or alphabet.
    """
    if not _BODY.fullmatch(thirteen):
        raise MatriculeMalformed("a matricule has 13 characters")
    department = thirteen[5:7]
    return 97 - int(thirteen[:5] + _CORSICA.get(department, department) + thirteen[7:]) % 97


def with_key(thirteen: str) -> str:
    """Return the 15 characters of a matricule, its key computed.

    Raises:
        MatriculeMalformed: another length or alphabet.
    """
    return f"{thirteen}{control_key(thirteen):02d}"


def typed(raw: str) -> str:
    """Return what a person typed, without the spaces, dots and hyphens that help reading, in upper case.

    Never for what a message carries: on the wire these characters are a fault of the sender.
    """
    return raw.translate(_TYPING).upper()


def check(matricule: str, oid: str, *, environment: str, origin: Origin = Origin.HL7) -> Verdict:
    """Return the verdict on a matricule of 15 characters and its authority.

    Args:
        environment: "test" accepts the test and demonstration authorities; all others are production.
        origin: a typed number has no authority yet; a wrong key in an answer of INSi is an incident, not a refusal.
    """
    if not matricule:
        return Verdict(Outcome.REJECT, "EMPTY")
    reason = _wrong_authority(oid, environment, origin) or _wrong_shape(matricule) or _wrong_number(matricule, oid)
    if reason:
        return Verdict(Outcome.REJECT, reason)
    if reason := _wrong_key(matricule):
        return Verdict(Outcome.REVIEW, "INSI_KEY") if origin is Origin.INSI else Verdict(Outcome.REJECT, reason)
    if reason := _doubtful(matricule, oid):
        return Verdict(Outcome.REVIEW, reason)
    return Verdict(Outcome.ACCEPT, _kind(matricule, oid))


def _wrong_authority(oid: str, environment: str, origin: Origin) -> str:
    if not oid:
        return "" if origin is Origin.TYPED else "OID_MISSING"
    if oid in oids.INS_C:
        return "INSC_LEGACY"
    if not oids.is_ins(oid):
        return "OID_UNKNOWN"
    if environment != oids.TEST_ENVIRONMENT and oid in oids.OUTSIDE_PRODUCTION:
        return "OID_TEST_IN_PROD" if oid == oids.INS_NIR_TEST else "OID_DEMO_IN_PROD"
    return ""


def _wrong_shape(matricule: str) -> str:
    if not _CHARACTERS.fullmatch(matricule):
        return "CHARSET"
    if len(matricule) != FIFTEEN:
        return "NO_KEY" if len(matricule) == THIRTEEN else "LENGTH"
    if not _BODY.fullmatch(matricule[:THIRTEEN].upper()):
        return "CORSICA_LETTER"
    return ""


def _wrong_number(matricule: str, oid: str) -> str:
    first, month = matricule[0], int(matricule[3:5])
    if first in "09":
        return "SEX_DIGIT"
    if first in "56":
        return "MIG_56"  # a passing migrant's number: another layout, not an INS
    if first in "78" and oid != oids.INS_NIA:
        return "NNP_78"  # given by a caisse: not an INS
    if month not in _MONTHS | _PSEUDO_MONTHS | _DOUBTFUL_MONTHS:
        return "MONTH"
    return ""


def _wrong_key(matricule: str) -> str:
    key = int(matricule[THIRTEEN:])
    if not 1 <= key <= 97:
        return "KEY_RANGE"
    return "" if key == control_key(matricule[:THIRTEEN].upper()) else "KEY"


def _doubtful(matricule: str, oid: str) -> str:
    if matricule != matricule.upper():
        return "LOWERCASE"
    if matricule[0] in "34":
        return "PREFIX_34"  # a foreign person being registered
    if matricule[0] in "78" and oid == oids.INS_NIA:
        return "PREFIX_78_NIA"  # not confirmed as a form of the NIA
    if int(matricule[3:5]) in _DOUBTFUL_MONTHS:
        return "MONTH_43_49"
    if matricule[5:7] == "00":
        return "DEPT_00"
    if matricule[7:10] == "000" or (matricule[5:7] in ("97", "98") and matricule[8:10] == "00"):
        return "COMMUNE_000"
    return "ORDER_000" if matricule[10:13] == "000" else ""


def _kind(matricule: str, oid: str) -> str:
    department = matricule[5:7]
    if oid in oids.OUTSIDE_PRODUCTION:
        return "OK_TEST" if oid == oids.INS_NIR_TEST else "OK_DEMO"
    if department in _CORSICA:
        return f"OK_CORSICA_{department}"
    if int(matricule[3:5]) in _PSEUDO_MONTHS:
        return "OK_MONTH_PSEUDO"
    if department == "99":
        return "OK_FOREIGN"
    if department in ("97", "98"):
        return "OK_OVERSEAS"
    return "OK_NIA" if oid == oids.INS_NIA else "OK"
