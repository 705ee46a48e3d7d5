"""People and structures of a message as those of a document."""

from typing import Final

from cda_builder.core.context import Context
from cda_builder.core.laboratory import Signatory
from labohub.contracts.laboratory import Organisation, Professional
from labohub.standards.cda import Coded, Id, Person, builder
from labohub.standards.cda.names import PROFESSIONALS, STRUCTURES
from labohub.standards.cda.tables import concepts

_TITLES: Final = frozenset({"DR", "MC", "MG", "PC", "PG", "PR"})  # J246
_STRUCTURE_PREFIXES: Final = {"FINEG": "1", "FINEJ": "1", "FINESS": "1", "SIREN": "2", "SIRET": "3"}


def professional(who: Professional, context: Context, specialty: Coded | None = None) -> builder.Professional:
    """Return a professional: by the national identifier that documents carry (PS_IdNat), else by a local one."""
    national = national_id(who.identifier, who.identifier_type)
    number = Id(PROFESSIONALS, national) if national else None
    if number is None and who.identifier:
        number = context.local_id("professional", who.identifier)
    given = who.given_name.split(" ")[0] if who.given_name else ""
    return builder.Professional(number, Person(who.family_name, given), specialty)


def is_national(who: builder.Professional) -> bool:
    """Return whether someone has a national identifier, which who signs must have."""
    return who.id is not None and who.id.root == PROFESSIONALS


def signatory(who: Signatory) -> builder.Professional:
    """Return the biologist that the installation names."""
    title = who.title.upper().rstrip(".")
    return builder.Professional(
        Id(PROFESSIONALS, national_id(who.identifier, "RPPS") or who.identifier),
        Person(who.family_name, who.given_name, suffix=title if title in _TITLES else ""),
        specialty(who.specialty),
    )


def specialty(code: str) -> Coded | None:
    """Return a code of J01 with its label; None when it is not one."""
    return concepts("author_specialty").get(code)


def national_id(identifier: str, kind: str) -> str:
    """Return a PS_IdNat: the RPPS after an 8, the ADELI after a 0; one that has its prefix stays; "" for another."""
    if not identifier.isalnum():
        return ""
    if kind in ("RPPS", "") and len(identifier) == 11 and identifier.isdigit():
        return f"8{identifier}"
    if kind == "ADELI" and len(identifier) == 9:
        return f"0{identifier}"
    is_whole = kind == "IDNPS" or (kind in ("RPPS", "") and len(identifier) == 12 and identifier.startswith("8"))
    return identifier if is_whole else ""


def structure_id(identifier: str, kind: str = "") -> Id | None:
    """Return a structure's identifier (Struct_IdNat): a FINESS after a 1, a SIREN after a 2, a SIRET after a 3.

    Nine or fourteen characters without a type are a FINESS or a SIRET; ten have their prefix already. None: neither.
    """
    if not identifier.isalnum():
        return None
    if kind == "IDNST" or (kind in ("", *_STRUCTURE_PREFIXES) and len(identifier) in (10, 15)):
        return Id(STRUCTURES, identifier)
    prefix = _STRUCTURE_PREFIXES.get(kind) or ({9: "1", 14: "3"}.get(len(identifier)) if not kind else None)
    return Id(STRUCTURES, prefix + identifier) if prefix else None


def subcontractor(performer: Organisation | None, context: Context, time: str) -> builder.Subcontractor | None:
    """Return who performed an exam when it is not the laboratory itself: by its number, else by its name."""
    if performer is None or not (performer.identifier or performer.name):
        return None
    number = structure_id(performer.identifier, performer.identifier_type)
    if number is None:
        number = context.local_id("performer", performer.identifier or performer.name)
    if number.extension == context.laboratory.extension:
        return None
    if not performer.identifier and performer.name.casefold() == context.profile.name.casefold():
        return None
    director = performer.director
    return builder.Subcontractor(
        id=number,
        name=performer.name or performer.identifier,
        time=time,
        address=(performer.address,) if performer.address.strip() else (),
        director=professional(director, context) if director and director.family_name else None,
    )
