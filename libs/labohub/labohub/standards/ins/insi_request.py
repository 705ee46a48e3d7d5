"""The wire form of a search by traits (WS_INS2): values in, an envelope out.

Source: WSDL ServiceIdentiteCertifiee-v1 1.5.0, XSD INSiRecSans.
"""

from dataclasses import dataclass

from lxml import etree

from labohub.standards import soap
from labohub.standards.ins.insi_context import CallContext, Software, content_type, fill, headers

SEARCH_BY_TRAITS = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
CONTENT_TYPE = content_type(SEARCH_BY_TRAITS)
REC_SANS_NS = "http://www.cnamts.fr/INSiRecSans"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One question to INSi, in its alphabet. `birth_date` is YYYY-MM-DD; an empty place is not sent."""

    birth_name: str
    given_name: str
    sex: str
    birth_date: str
    birth_place: str = ""


def build_search(query: SearchQuery, software: Software, context: CallContext) -> bytes:
    """Return the SOAP envelope of a search by traits, for mutual TLS (no assertion)."""
    body = etree.Element(f"{{{REC_SANS_NS}}}RECSANSVITALE", nsmap={"ins": REC_SANS_NS})
    values = [
        ("NomNaissance", query.birth_name),
        ("Prenom", query.given_name),
        ("Sexe", query.sex),
        ("DateNaissance", query.birth_date),
    ]
    if query.birth_place:
        values.append(("LieuNaissance", query.birth_place))
    fill(body, REC_SANS_NS, values)
    return soap.build_envelope(headers(SEARCH_BY_TRAITS, software, context), body)
