"""What was asked: the body of each operation read element by element, as strictly as its XSD and the guide say.

Source: XSD INSiRecSans and INSiRecVit; guide SEL-MP-043 for the alphabet.
"""

import re
from typing import NamedTuple

from lxml import etree

from labosim.insi.faults import Rejected, need

REC = "http://www.cnamts.fr/INSiRecSans"
VIT = "http://www.cnamts.fr/INSiRecVit"
BAM = "urn:siram:bam:ctxbam"
_BY_TRAITS = ("NomNaissance", "Prenom", "Sexe", "DateNaissance", "LieuNaissance")
_BY_CARD = ("MatriculeIndividu", "MatriculeOD", "NomNaissance", "DateNaissance", "RangNaissance")
_NAME = re.compile(r"['A-Z][A-Z '\-]*")
_BAD_RUNS = ("  ", "''", "' ", " '", "---")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_NUMBER = re.compile(r"[0-9]{6}[0-9AB][0-9]{6}")


class Question(NamedTuple):
    """A search by traits, as asked. The date is YYYY-MM-DD; an absent birth place is empty."""

    birth_name: str
    given_name: str
    sex: str
    birth_date: str
    birth_place: str


class CardQuestion(NamedTuple):
    """A search by card, as asked: numbers without their key, `own` empty when the card has none."""

    own: str
    holder: str
    birth_name: str
    birth_date: str
    rank: str


def by_traits(body: etree._Element) -> Question:
    """Return the question of a RECSANSVITALE. Raises: Rejected."""
    values = _values(body, REC, _BY_TRAITS)
    if not values.get("NomNaissance"):
        raise Rejected("insi_19", "NomNaissance")
    if values.get("Sexe") not in ("M", "F"):
        raise Rejected("insi_24", "Sexe")
    question = Question(*(values.get(name, "") for name in _BY_TRAITS))
    for value in (question.birth_name, question.given_name):
        if not _NAME.fullmatch(value) or any(bad in value for bad in _BAD_RUNS) or value[-1] == " ":
            raise Rejected("sim_traits", "NomNaissance, Prenom")
    if question.given_name[-1] in "-'" or "--" in question.given_name or not _DATE.fullmatch(question.birth_date):
        raise Rejected("sim_traits", "Prenom, DateNaissance")
    if question.birth_place and not _PLACE.fullmatch(question.birth_place):
        raise Rejected("sim_traits", "LieuNaissance")
    return question


def by_card(body: etree._Element, bam: etree._Element) -> CardQuestion:
    """Return the question of a RECVITALE; COUVERTURE has to repeat it. Raises: Rejected."""
    values = _values(body, VIT, _BY_CARD)
    own, holder = (_number(body.find(f"{{{VIT}}}{name}")) for name in _BY_CARD[:2])
    question = CardQuestion(own, holder, *(values.get(name, "") for name in _BY_CARD[2:]))
    if not holder or not _DATE.fullmatch(question.birth_date) or question.rank not in tuple("123456789"):
        raise Rejected("sim_traits", "MatriculeOD, DateNaissance, RangNaissance")
    cover = f"{{{BAM}}}COUVERTURE/{{{BAM}}}"
    beneficiary = f"{cover}BENEFICIAIRE/{{{BAM}}}"
    repeated = (
        bam.findtext(f"{beneficiary}Nir/{{{BAM}}}Num") or "",
        bam.findtext(f"{cover}ASSURE/{{{BAM}}}Id/{{{BAM}}}Num"),
        bam.findtext(f"{beneficiary}DateNai"),
        bam.findtext(f"{beneficiary}Rang"),
    )
    need(repeated == (own, holder, question.birth_date, question.rank), "COUVERTURE")
    return question


def _values(body: etree._Element, namespace: str, order: tuple[str, ...]) -> dict[str, str]:
    names = [etree.QName(child).localname for child in body]
    need(all(child.tag == f"{{{namespace}}}{name}" for child, name in zip(body, names, strict=True)), "namespace")
    need(names == [name for name in order if name in names], "order")  # also refuses a second Prenom
    return {name: child.text or "" for name, child in zip(names, body, strict=True)}


def _number(element: etree._Element | None) -> str:
    if element is None:
        return ""
    names = [etree.QName(child).localname for child in element]
    need(names == [name for name in ("NumIdentifiant", "Cle", "TypeMatricule") if name in names], "order")
    number = element.findtext(f"{{{VIT}}}NumIdentifiant") or ""
    if not _NUMBER.fullmatch(number):
        raise Rejected("sim_traits", "NumIdentifiant")
    return number
