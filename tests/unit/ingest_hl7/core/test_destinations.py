"""The closed table of destinations, over all its combinations."""

from itertools import product

import pytest

from ingest_hl7.core.destinations import check_flags
from ingest_hl7.core.senders import MatrixMode

NAMES = ("MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE", "DESTDMP", "DESTMSSANTEPS",
         "DESTMSSANTEPAT")  # fmt: skip
ALL = [dict(zip(NAMES, values, strict=True)) for values in product((False, True), repeat=len(NAMES))]


def by_hand(flags: dict[str, bool]) -> bool:
    """Return what the published rows say, written out."""
    masked, patient, guardians, secret, dmp, to_ps, to_pat = flags.values()
    return (
        (not masked and not patient and not guardians and to_ps and to_pat)
        or (not masked and patient and not guardians and to_ps and not to_pat)
        or (not patient and not secret and not dmp and not to_ps and to_pat)
    )


@pytest.mark.parametrize("flags", [flags for flags in ALL if flags["DESTMSSANTEPS"] or flags["DESTMSSANTEPAT"]])
def test_strict_is_exactly_the_published_table(flags: dict[str, bool]) -> None:
    refused = check_flags({**flags, "MODIF_CONF_CODE": False}, "F", MatrixMode.STRICT)
    assert (not refused) is by_hand(flags)


@pytest.mark.parametrize("flags", ALL)
def test_by_default_only_contradictions_are_refused(flags: dict[str, bool]) -> None:
    refused = check_flags({**flags, "MODIF_CONF_CODE": False}, "F", MatrixMode.DEFAULT)
    contradiction = (
        (flags["INVISIBLE_PATIENT"] and flags["DESTMSSANTEPAT"])
        or (flags["MASQUE_PS"] and flags["DESTMSSANTEPS"])
        or not (flags["DESTDMP"] or flags["DESTMSSANTEPS"] or flags["DESTMSSANTEPAT"])
    )
    assert bool(refused) is contradiction
