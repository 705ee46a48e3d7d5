"""May a document that the laboratory made go on? It must name the patient of the message."""

import unicodedata

from cda_builder.core.errors import CdaInsNotQualified, CdaOtherPatient
from labohub.contracts.values import Identity, IdentityStatus
from labohub.standards.cda import Header
from labohub.standards.cda.names import INS_OIDS

_SEXES = {"F": "F", "M": "M"}


def check_patient(header: Header, identity: Identity) -> None:
    """Return when the document is about this identity; what the document leaves out is not compared.

    Raises:
        CdaInsNotQualified: it carries a matricule that may not leave.
        CdaOtherPatient: a matricule or a trait differs.
    """
    patient = header.patient
    ins = patient.ins(INS_OIDS)
    qualified = identity.status is IdentityStatus.QUALIFIEE and identity.ins is not None
    if ins is not None and not qualified:
        raise CdaInsNotQualified("a matricule without a qualified identity")
    if ins is not None and identity.ins and (ins.root, ins.extension) != (identity.ins.oid, identity.ins.matricule):
        raise CdaOtherPatient("another matricule")
    traits = identity.traits
    family = patient.family_birth or patient.family_plain or patient.family_used
    _same("birth name", family, traits.birth_name)
    _same("first given name", patient.given_birth or patient.given_list.partition(" ")[0], traits.first_given_name)
    _same("birth date", patient.birth_time[:8], traits.birth_date[:8])
    if patient.gender in _SEXES and traits.sex in _SEXES:
        _same("sex", patient.gender, traits.sex)


def _same(name: str, written: str, expected: str) -> None:
    if not written and name != "birth date":
        return
    mine, theirs = plain(written), plain(expected)
    if mine != theirs and not (name == "first given name" and _begins(mine, theirs)):
        raise CdaOtherPatient(f"another {name}")


def _begins(one: str, other: str) -> bool:
    """Return whether one given name begins the other: `JEAN` and `JEAN PIERRE`, written with or without its hyphen."""
    return bool(one and other) and (f"{one} ".startswith(f"{other} ") or f"{other} ".startswith(f"{one} "))


def plain(name: str) -> str:
    """Return a name for comparing: capitals without accents, apostrophes and hyphens as spaces."""
    letters = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae"))
    kept = (each if each.isalnum() else " " for each in letters if not unicodedata.combining(each))
    return " ".join("".join(kept).upper().split())
