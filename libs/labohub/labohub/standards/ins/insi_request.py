"""The wire form of a search by traits (WS_INS2): values in, an envelope out.

Source: WSDL ServiceIdentiteCertifiee-v1 1.5.0, XSD INSiRecSans, CTXBAM 01.02 and CTXLPS 01.00; guide SEL-MP-043.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from labohub.standards import soap

SEARCH_BY_TRAITS = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
CONTENT_TYPE = f'{soap.SOAP_MEDIA_TYPE}; charset=utf-8; action="{SEARCH_BY_TRAITS}"'
REC_SANS_NS = "http://www.cnamts.fr/INSiRecSans"
BAM_NS = "urn:siram:bam:ctxbam"
LPS_NS = "urn:siram:lps:ctxlps"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One question to INSi, in its alphabet. `birth_date` is YYYY-MM-DD; an empty place is not sent."""

    birth_name: str
    given_name: str
    sex: str
    birth_date: str
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class Software:
    """Who asks: the authorised software, and the OU of its certificate. As in the CNDA authorisation."""

    issuer: str
    authorisation: str  # number given by the CNDA (IDAM)
    version: str
    instance: str  # UUID of the installation, stable
    name: str  # urn:lps:<name>:<version>


@dataclass(frozen=True, slots=True)
class CallContext:
    """What is new in each call. Identifiers are UUIDs; `sent_at` is aware."""

    message_id: str
    bam_id: str
    lps_id: str
    sent_at: datetime
    to: str = ""


def build_search(query: SearchQuery, software: Software, context: CallContext) -> bytes:
    """Return the SOAP envelope of a search by traits, for mutual TLS (no assertion)."""
    headers = [
        _bam(software, context),
        _lps(software, context),
        *soap.addressing(SEARCH_BY_TRAITS, f"uuid:{context.message_id}", to=context.to),
    ]
    body = etree.Element(f"{{{REC_SANS_NS}}}RECSANSVITALE", nsmap={"ins": REC_SANS_NS})
    for name, value in (
        ("NomNaissance", query.birth_name),
        ("Prenom", query.given_name),
        ("Sexe", query.sex),
        ("DateNaissance", query.birth_date),
        ("LieuNaissance", query.birth_place),
    ):
        if value or name != "LieuNaissance":
            etree.SubElement(body, f"{{{REC_SANS_NS}}}{name}").text = value
    return soap.build_envelope(headers, body)


def _bam(software: Software, context: CallContext) -> etree._Element:
    block = etree.Element(f"{{{BAM_NS}}}ContexteBAM", nsmap={"ctxbam": BAM_NS})
    block.set("Nature", "CTXBAM")
    block.set("Version", "01_02")
    _fill(block, BAM_NS, (("Id", context.bam_id), ("Temps", _instant(context.sent_at)), ("Emetteur", software.issuer)))
    etree.SubElement(block, f"{{{BAM_NS}}}COUVERTURE")  # mandatory, even empty
    return block


def _lps(software: Software, context: CallContext) -> etree._Element:
    block = etree.Element(f"{{{LPS_NS}}}ContexteLPS", nsmap={"ctxlps": LPS_NS})
    block.set("Nature", "CTXLPS")
    block.set("Version", "01_00")
    _fill(block, LPS_NS, (("Id", context.lps_id), ("Temps", _instant(context.sent_at)), ("Emetteur", software.issuer)))
    lps = etree.SubElement(block, f"{{{LPS_NS}}}LPS")
    authorisation = etree.SubElement(lps, f"{{{LPS_NS}}}IDAM")
    authorisation.set("R", "4")
    authorisation.text = software.authorisation
    _fill(lps, LPS_NS, (("Version", software.version), ("Instance", software.instance), ("Nom", software.name)))
    return block


def _fill(parent: etree._Element, namespace: str, values: tuple[tuple[str, str], ...]) -> None:
    for name, value in values:
        etree.SubElement(parent, f"{{{namespace}}}{name}").text = value


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
