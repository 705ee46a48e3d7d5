"""For whom the VIHF vouches."""

from dataclasses import replace

import pytest

from dmp_feeder.core.errors import StructureMismatch
from dmp_feeder.core.subject import roles_of, sender_of, structure_of, subject_of
from labohub.contracts.values import Ins, Requester
from labohub.standards.cda import Coded as CdaCoded
from labohub.standards.cda import Header, Id, Participant, Person, read_header
from labohub.standards.vihf import Subject
from labohub.standards.xds import Coded, Xon, author_of
from labohub.standards.xml import parse
from tests.support.dmp import INS, TEST_OID, cda

SECTOR = Coded("SA25", "1.2.250.1.71.4.2.4", "Laboratoire de biologie médicale")


def header() -> Header:
    return read_header(parse(cda()))


def subject(of: Header, requester: Requester = Requester()) -> Subject:  # noqa: B008 - frozen
    return subject_of(
        of,
        requester,
        Ins(matricule=INS, oid=TEST_OID),
        Xon("LBM", "1999900017"),
        sector=SECTOR,
        authentication_class="c",
        software_name="labohub",
    )


def test_the_one_who_signed_answers_for_the_document() -> None:
    made = subject(header())
    assert (made.person_id, made.person_name) == ("899900054321", "ESSAI & FILS Paule")
    assert [(role.code, role.system, role.label) for role in made.roles] == [
        ("10", "1.2.250.1.71.1.2.7", "Médecin"),
        ("SM03", "1.2.250.1.71.4.2.5", "Biologie médicale (SM)"),
    ]


def test_the_requester_answers_when_the_document_gives_his_speciality() -> None:
    pharmacist = Participant(
        ids=(Id("1.2.250.1.71.4.2.1", "899900077777"),),
        code=CdaCoded("G15_21/G", "1.2.250.1.213.1.1.4.5", "Pharmacien biologiste"),
        person=Person("AUTRE", "Luc"),
    )
    event = replace(header().service_events[0], performer=pharmacist)
    made = subject(replace(header(), service_events=(event,)), Requester(person_id="899900077777"))
    assert made.person_id == "899900077777"
    assert [(role.code, role.system) for role in made.roles] == [
        ("21", "1.2.250.1.71.1.2.7"),
        ("G", "1.2.250.1.71.4.2.6"),
    ]


def test_without_anybody_the_software_answers_as_an_automate() -> None:
    made = subject(replace(header(), authors=(), legal_authenticator=None, service_events=()))
    assert (made.person_id, made.person_name) == ("3999900017/LABOHUB", "labohub")
    assert [role.code for role in made.roles] == ["AUTOMATE"]


@pytest.mark.parametrize("code", ["", "G15_10", "G15_60/XX", "SM03", "G15_10/"])
def test_a_profession_that_cannot_be_told_gives_no_role(code: str) -> None:
    ids = (Id("1.2.250.1.71.4.2.1", "899900077777"),)
    assert roles_of(Participant(ids=ids, code=CdaCoded(code) if code else None)) == ()


def test_the_structure_is_the_authors() -> None:
    assert structure_of(header(), "").value == "1999900017"
    assert structure_of(header(), "1999900017").name == "LBM DU GRAND CHENE"


@pytest.mark.parametrize("made", [header(), replace(header(), authors=())])
def test_another_structure_is_refused(made: Header) -> None:
    with pytest.raises(StructureMismatch):
        structure_of(made, "1999900025" if made.authors else "")


def test_the_lot_has_the_documents_author_without_a_requester() -> None:
    author = author_of(header().authors[0])
    assert sender_of(header(), Requester(), Xon("LBM", "1999900017"), author) == author
