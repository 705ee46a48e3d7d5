"""Where a document may go: the volet's closed table of masking, visibility and destinations.

Source: CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", "Règles de gestion MSSANTE", state of 2026-04-21.
"""

from collections.abc import Mapping

from ingest_hl7.core.senders import MatrixMode
from labohub.standards.hl7.cda_in_hl7 import INITIAL
from labohub.standards.hl7.findings import Finding, warning

COLUMNS = (
    "MASQUE_PS",
    "INVISIBLE_PATIENT",
    "INVISIBLE_REP_LEGAUX",
    "CONNEXION_SECRETE",
    "DESTDMP",
    "DESTMSSANTEPS",
    "DESTMSSANTEPAT",
)
TABLE = (  # one row of the published table each, in the order of the columns; "*" is N or Y
    "NNN**YY",
    "NYN**YN",
    "*N*NNNY",
)
CONTRADICTIONS = (  # refused whatever the mode
    ("****NNN", "matrix.no-destination", "Aucune destination demandée."),
    ("*Y****Y", "matrix.invisible-to-patient", "Document non visible par le patient et adressé au patient."),
    ("Y****Y*", "matrix.masked-from-professionals", "Document masqué aux PS et adressé à un PS."),
)
_OUTSIDE = "Combinaison absente du tableau des règles MSSanté."


def check(flags: Mapping[str, bool], request: str, mode: MatrixMode) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return what the flags contradict, and what is noteworthy. Both empty: a row of the table, or no mail at all.

    The published table leaves out the ordinary case (nothing hidden, professionals only): `default` accepts what
    contradicts nothing, with a warning; `strict` refuses all that the table does not hold.
    """
    written = "".join("Y" if flags[name] else "N" for name in COLUMNS)
    errors = [Finding("199", "OBX", reason, text) for row, reason, text in CONTRADICTIONS if _fits(row, written)]
    if flags["MODIF_CONF_CODE"] and request == INITIAL:
        text = "MODIF_CONF_CODE n'a de sens que pour un remplacement."
        errors.append(Finding("199", "OBX", "matrix.visibility-change", text))
    by_mail = flags["DESTMSSANTEPS"] or flags["DESTMSSANTEPAT"]
    if errors or not by_mail or any(_fits(row, written) for row in TABLE):
        return tuple(errors), ()
    if mode is MatrixMode.STRICT:
        return (Finding("199", "OBX", "matrix.not-in-table", _OUTSIDE),), ()
    return (), (warning("OBX", "matrix.outside-table", _OUTSIDE),)


def _fits(row: str, written: str) -> bool:
    return all(cell in ("*", sign) for cell, sign in zip(row, written, strict=True))
