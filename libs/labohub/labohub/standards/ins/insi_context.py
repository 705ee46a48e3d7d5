"""What every request to INSi carries beside its question: who asks, with which software, in which call.

Source: WSDL ServiceIdentiteCertifiee-v1 1.5.0; XSD CTXBAM 01.02, CTXLPS 01.00 and wsse Security; guide SEL-MP-043.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from labohub.standards import soap
from labohub.standards.xml import parse

BAM_NS = "urn:siram:bam:ctxbam"
LPS_NS = "urn:siram:lps:ctxlps"
WSSE_NS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


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


def content_type(action: str) -> str:
    """Return the HTTP content type of a request."""
    return f'{soap.SOAP_MEDIA_TYPE}; charset=utf-8; action="{action}"'


def headers(
    action: str,
    software: Software,
    context: CallContext,
    *,
    cover: etree._Element | None = None,
    assertions: Sequence[bytes] = (),
) -> list[etree._Element]:
    """Return the header blocks of a request.

    Args:
        cover: what fills COUVERTURE, of `BAM_NS`; it is mandatory, even empty.
        assertions: signed SAML assertions. Without one (mutual TLS) there is no Security header, though the XSD
            asks for at least one: the service takes none from a software certificate.
    """
    blocks = [_bam(software, context, cover), _lps(software, context)]
    blocks += soap.addressing(action, f"uuid:{context.message_id}", to=context.to)
    if assertions:
        security = etree.Element(f"{{{WSSE_NS}}}Security", nsmap={"wsse": WSSE_NS})
        security.extend(parse(assertion) for assertion in assertions)
        blocks.append(security)
    return blocks


def fill(parent: etree._Element, namespace: str, values: Sequence[tuple[str, str]]) -> None:
    """Add an element for each name and value, in order."""
    for name, value in values:
        etree.SubElement(parent, f"{{{namespace}}}{name}").text = value


def _bam(software: Software, context: CallContext, cover: etree._Element | None) -> etree._Element:
    block = etree.Element(f"{{{BAM_NS}}}ContexteBAM", nsmap={"ctxbam": BAM_NS})
    block.set("Nature", "CTXBAM")
    block.set("Version", "01_02")
    fill(block, BAM_NS, (("Id", context.bam_id), ("Temps", _instant(context.sent_at)), ("Emetteur", software.issuer)))
    block.append(etree.Element(f"{{{BAM_NS}}}COUVERTURE") if cover is None else cover)
    return block


def _lps(software: Software, context: CallContext) -> etree._Element:
    block = etree.Element(f"{{{LPS_NS}}}ContexteLPS", nsmap={"ctxlps": LPS_NS})
    block.set("Nature", "CTXLPS")
    block.set("Version", "01_00")
    fill(block, LPS_NS, (("Id", context.lps_id), ("Temps", _instant(context.sent_at)), ("Emetteur", software.issuer)))
    lps = etree.SubElement(block, f"{{{LPS_NS}}}LPS")
    authorisation = etree.SubElement(lps, f"{{{LPS_NS}}}IDAM")
    authorisation.set("R", "4")
    authorisation.text = software.authorisation
    fill(lps, LPS_NS, (("Version", software.version), ("Instance", software.instance), ("Nom", software.name)))
    return block


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
