"""The closed table of destinations, over all its combinations, in both readings."""

from itertools import product

import pytest

from ingest_hl7.core import matrix
from ingest_hl7.core.senders import MatrixMode
from labohub.standards.hl7.cda_in_hl7 import DELETION, INITIAL, REPLACEMENT

NAMES = ("MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE", "DESTDMP", "DESTMSSANTEPS",
         "DESTMSSANTEPAT", "MODIF_CONF_CODE")  # fmt: skip
ALL = [dict(zip(NAMES, values, strict=True)) for values in product((False, True), repeat=len(NAMES))]


def published(flags: dict[str, bool]) -> bool:
    """Return what the published rows say, written out."""
    masked, patient, guardians, secret, dmp, to_ps, to_pat, _ = flags.values()
    return (
        (not masked and not patient and not guardians and to_ps and to_pat)
        or (not masked and patient and not guardians and to_ps and not to_pat)
        or (not patient and not secret and not dmp and not to_ps and to_pat)
    )


def contradictions(flags: dict[str, bool], request: str) -> set[str]:
    """Return what no reading accepts, written out."""
    masked, patient, _, _, dmp, to_ps, to_pat, changes = flags.values()
    said = {
        "matrix.no-destination": not (dmp or to_ps or to_pat),
        "matrix.invisible-to-patient": patient and to_pat,
        "matrix.masked-from-professionals": masked and to_ps,
        "matrix.visibility-change": changes and request == INITIAL,
    }
    return {reason for reason, is_so in said.items() if is_so}


@pytest.mark.parametrize("request_", [INITIAL, REPLACEMENT, DELETION])
@pytest.mark.parametrize("mode", list(MatrixMode))
def test_every_combination_has_the_answer_of_its_mode(mode: MatrixMode, request_: str) -> None:
    wrong = []
    for flags in ALL:
        errors, warnings = matrix.check(flags, request_, mode)
        wanted = contradictions(flags, request_)
        outside = not wanted and (flags["DESTMSSANTEPS"] or flags["DESTMSSANTEPAT"]) and not published(flags)
        if outside and mode is MatrixMode.STRICT:
            wanted = {"matrix.not-in-table"}
        noted = {"matrix.outside-table"} if outside and mode is MatrixMode.DEFAULT else set()
        if {each.reason for each in errors} != wanted or {each.reason for each in warnings} != noted:
            wrong.append((flags, errors, warnings))
    assert wrong == []


def test_the_ordinary_case_is_accepted_by_default_and_refused_to_the_letter() -> None:
    flags = dict.fromkeys(NAMES, False) | {"DESTMSSANTEPS": True}
    assert matrix.check(flags, INITIAL, MatrixMode.DEFAULT)[0] == ()
    assert [each.reason for each in matrix.check(flags, INITIAL, MatrixMode.STRICT)[0]] == ["matrix.not-in-table"]


def test_a_filing_without_mail_is_outside_the_table() -> None:
    flags = dict.fromkeys(NAMES, False) | {"MASQUE_PS": True, "DESTDMP": True}
    assert matrix.check(flags, INITIAL, MatrixMode.STRICT) == ((), ())
