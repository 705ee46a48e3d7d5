"""People and structures of a message as those of a document."""

from cda_builder.core.laboratory import Signatory
from labohub.contracts.laboratory import Organisation, Professional
from labohub.standards.cda import Coded, Id, Person, builder
from labohub.standards.cda.names import PROFESSIONALS, STRUCTURES
from labohub.standards.cda.tables import concepts, labels

_TITLES = frozenset({"DR", "MC", "MG", "PC", "PG", "PR"})  # J246


def professional(who: Professional, specialty: Coded | None = None) -> builder.Professional:
    """Return a professional with the national identifier that documents carry (PS_IdNat)."""
    identifier = national_id(who.identifier, who.identifier_type)
    return builder.Professional(
        Id(PROFESSIONALS, identifier) if identifier else None,
        Person(who.family_name, who.given_name.split(" ")[0] if who.given_name else ""),
        specialty,
    )


def signatory(who: Signatory) -> builder.Professional:
    """Return the biologist that the installation names."""
    title = who.title.upper().rstrip(".")
    return builder.Professional(
        Id(PROFESSIONALS, national_id(who.identifier, "RPPS")),
        Person(who.family_name, who.given_name, suffix=title if title in _TITLES else ""),
        specialty(who.specialty),
    )


def specialty(code: str) -> Coded | None:
    """Return a code of J01 with its label; None when it is not one."""
    return concepts("author_specialty").get(code)


def national_id(identifier: str, kind: str) -> str:
    """Return a PS_IdNat: the RPPS after an 8, the ADELI after a 0; what already has its prefix stays."""
    if not identifier:
        return ""
    if kind in ("RPPS", "") and len(identifier) == 11 and identifier.isdigit():
        return f"8{identifier}"
    if kind == "ADELI" and len(identifier) == 9:
        return f"0{identifier}"
    return identifier


def structure_id(identifier: str) -> Id:
    """Return a structure's identifier (Struct_IdNat): a FINESS after a 1, a SIREN after a 2, a SIRET after a 3."""
    prefix = {9: "1", 14: "3"}.get(len(identifier), "") if identifier.isalnum() else ""
    return Id(STRUCTURES, prefix + identifier)


def subcontractor(performer: Organisation | None, laboratory: Id, time: str) -> builder.Subcontractor | None:
    """Return who performed an exam when it is not the laboratory itself."""
    if performer is None or not performer.identifier:
        return None
    identifier = structure_id(performer.identifier)
    if identifier.extension == laboratory.extension:
        return None
    return builder.Subcontractor(identifier, performer.name or performer.identifier, time)


def specimen_nature(code: str, label: str, system: str) -> Coded:
    """Return the nature of a specimen: of the value set when it is in it, else in the sender's words."""
    known = labels("specimen").get(code)
    return Coded(code, "2.16.840.1.113883.18.311", known) if known else Coded("", "", label or code)
