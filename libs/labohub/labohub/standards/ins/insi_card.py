"""The wire form of a search by Vitale card (WS_INS1): what a reader read in, an envelope out.

A child's card shows a parent's number: the holder's number is never the beneficiary's INS, and neither leaves this
request.
Source: WSDL ServiceIdentiteCertifiee-v1 1.5.0, XSD INSiRecVit and CTXBAM 01.02.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from labohub.errors import Refused
from labohub.standards import soap
from labohub.standards.ins.insi_context import BAM_NS, CallContext, Software, fill, headers

SEARCH_BY_CARD = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale"
REC_VIT_NS = "http://www.cnamts.fr/INSiRecVit"

_NUMBER = re.compile(r"[0-9]{6}[0-9AB][0-9]{6}(?:[0-9]{2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # lunar dates included: never a date type
_RANK = re.compile(r"[1-9]")
_THIRTEEN = 13


class CardUnusable(Refused):
    """A reading of a Vitale card without what WS_INS1 needs, or in another form."""

    code = "ins.card-unusable"


@dataclass(frozen=True, slots=True)
class CardQuery:
    """One beneficiary of a Vitale card, as read. Numbers have 13 characters, or 15 with their key."""

    holder: str  # the number of the card's holder (ouvrant droit)
    birth_date: str  # YYYY-MM-DD, verbatim
    birth_rank: str  # 1 to 9: tells twins apart
    birth_name: str = ""
    own: str = ""  # the beneficiary's own number, only when the card carries one


def build_card_search(
    query: CardQuery, software: Software, context: CallContext, assertions: Sequence[bytes] = ()
) -> bytes:
    """Return the SOAP envelope of a search by card.

    Args:
        assertions: the professional's and the card's, signed; none with a software certificate.
    Raises: CardUnusable.
    """
    _check(query)
    body = etree.Element(f"{{{REC_VIT_NS}}}RECVITALE", nsmap={"ins": REC_VIT_NS})
    for name, number in (("MatriculeIndividu", query.own), ("MatriculeOD", query.holder)):
        if number:
            holder = etree.SubElement(body, f"{{{REC_VIT_NS}}}{name}")
            fill(holder, REC_VIT_NS, _number("NumIdentifiant", number))
    if query.birth_name:
        fill(body, REC_VIT_NS, [("NomNaissance", query.birth_name)])
    fill(body, REC_VIT_NS, [("DateNaissance", query.birth_date), ("RangNaissance", query.birth_rank)])
    blocks = headers(SEARCH_BY_CARD, software, context, cover=_cover(query), assertions=assertions)
    return soap.build_envelope(blocks, body)


def _check(query: CardQuery) -> None:
    if not _NUMBER.fullmatch(query.holder) or (query.own and not _NUMBER.fullmatch(query.own)):
        raise CardUnusable("a number of the card is not 13 or 15 characters")
    if not _DATE.fullmatch(query.birth_date) or not _RANK.fullmatch(query.birth_rank):
        raise CardUnusable("the birth date or the birth rank of the card is not in its form")


def _cover(query: CardQuery) -> etree._Element:
    """Return COUVERTURE with the insured person and the beneficiary."""
    cover = etree.Element(f"{{{BAM_NS}}}COUVERTURE")
    insured = etree.SubElement(etree.SubElement(cover, f"{{{BAM_NS}}}ASSURE"), f"{{{BAM_NS}}}Id")
    fill(insured, BAM_NS, _number("Num", query.holder))
    beneficiary = etree.SubElement(cover, f"{{{BAM_NS}}}BENEFICIAIRE")
    if query.own:
        fill(etree.SubElement(beneficiary, f"{{{BAM_NS}}}Nir"), BAM_NS, _number("Num", query.own))
    fill(beneficiary, BAM_NS, [("DateNai", query.birth_date), ("Rang", query.birth_rank)])
    return cover


def _number(name: str, number: str) -> list[tuple[str, str]]:
    key = number[_THIRTEEN:]
    return [(name, number[:_THIRTEEN]), *([("Cle", key)] if key else [])]
