"""For whom the VIHF vouches: the structure that wrote the document, and the professional who answers for it."""

from collections.abc import Iterator
from typing import Final

from dmp_feeder.core.errors import StructureMismatch
from labohub.contracts.values import Ins, Requester
from labohub.standards.cda import Header, Participant
from labohub.standards.cda.names import PROFESSIONALS, STRUCTURES
from labohub.standards.vihf import Subject
from labohub.standards.xds import Author, Coded, Cx, Xcn, Xon

_PROFESSIONS: Final = {
    "10": (Coded("10", "1.2.250.1.71.1.2.7", "Médecin"), "1.2.250.1.71.4.2.5"),
    "21": (Coded("21", "1.2.250.1.71.1.2.7", "Pharmacien"), "1.2.250.1.71.4.2.6"),
}  # profession -> first role, system of the second one; JDV_J65
AUTOMATE: Final = Coded("AUTOMATE", "1.2.250.1.213.1.1.4.6", "Automate")
_INTERNAL: Final = {"1": "3", "2": "4", "3": "5"}  # prefix of Struct_IdNat -> prefix of an identifier given by it


def structure_of(header: Header, expected: str) -> Xon:
    """Return the structure that files: the author's, which must be `expected` when that is given.

    Raises:
        StructureMismatch: no author has it.
    """
    for author in header.authors:
        for each in author.organization.ids if author.organization else ():
            if each.root == STRUCTURES and each.extension and expected in ("", each.extension):
                return Xon(author.organization.name if author.organization else "", each.extension)
    raise StructureMismatch("no author of the document belongs to the filing structure")


def subject_of(
    header: Header,
    requester: Requester,
    ins: Ins,
    structure: Xon,
    *,
    sector: Coded,
    authentication_class: str,
    software_name: str,
) -> Subject:
    """Return the subject of the VIHF.

    The person is, in this order: the requester when the document names him with his speciality, the one who signed
    the report, an author. Without any, the software itself, as an automate.
    """
    person_id = f"{_INTERNAL.get(structure.value[:1], '3')}{structure.value[1:]}/LABOHUB"
    name = ""
    roles: tuple[Coded, ...] = (AUTOMATE,)
    for participant in _candidates(header, requester):
        found = roles_of(participant)
        if found:
            person = participant.person
            person_id, roles = national_id(participant), found
            name = f"{person.family} {person.given}".strip() if person else ""
            break
    return Subject(
        person_id=person_id,
        person_name=name or software_name,
        roles=roles,
        structure_id=structure.value,
        sector=sector,
        patient=Cx(ins.matricule, ins.oid, "NH"),
        authentication_class=authentication_class,
    )


def sender_of(header: Header, requester: Requester, structure: Xon, document_author: Author) -> Author:
    """Return the author of the lot: who asked for the sending, else the document's author."""
    if not requester.person_id:
        return document_author
    known = next((each for each in _people(header) if national_id(each) == requester.person_id), None)
    code = known.code if known else None
    return Author(
        person=Xcn(requester.person_id, requester.family_name, requester.given_name, PROFESSIONALS),
        institution=structure,
        specialty=Coded(code.code, code.system, code.label) if code else None,
    )


def roles_of(participant: Participant) -> tuple[Coded, ...]:
    """Return the VIHF roles of a professional: profession, then speciality; empty when they cannot be told."""
    code = participant.code
    if code is None or not national_id(participant) or not code.code.startswith("G15_"):
        return ()
    profession, _, speciality = code.code.removeprefix("G15_").partition("/")
    if profession not in _PROFESSIONS or not speciality:
        return ()
    first, system = _PROFESSIONS[profession]
    return first, Coded(speciality, system, code.label.removeprefix(f"{first.label} - "))


def national_id(participant: Participant) -> str:
    """Return the national identifier of a professional, or an empty text."""
    return next((each.extension for each in participant.ids if each.root == PROFESSIONALS), "")


def _people(header: Header) -> Iterator[Participant]:
    if header.legal_authenticator:
        yield header.legal_authenticator
    yield from header.authors
    yield from (event.performer for event in header.service_events if event.performer)


def _candidates(header: Header, requester: Requester) -> Iterator[Participant]:
    if requester.person_id:
        yield from (each for each in _people(header) if national_id(each) == requester.person_id)
    yield from _people(header)
