"""What the téléservice checks of a request, by means of its own: the published shapes, element by element.

Source: WSDL ServiceIdentiteCertifiee-v1 1.5.0 and its XSD; guide SEL-MP-043 for the alphabet and the certificates.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from lxml import etree

from labosim.insi.faults import Rejected, need
from labosim.insi.questions import BAM, REC, VIT, CardQuestion, Question, by_card, by_traits

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
LPS = "urn:siram:lps:ctxlps"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"
BY_TRAITS, BY_CARD = "rechercherInsAvecTraitsIdentite", "rechercherInsAvecCarteVitale"
BODIES = {f"{{{REC}}}RECSANSVITALE": BY_TRAITS, f"{{{VIT}}}RECVITALE": BY_CARD}
ACTIONS = {operation: f"urn:ServiceIdentiteCertifiee:1.0.0:{operation}" for operation in (BY_TRAITS, BY_CARD)}
_COMMON_NAMES = ("INSI-AUTO", "INSI-MANU")


class Checker:
    """Checks requests for one authorised software."""

    def __init__(self, authorisation: str, schemas: Path | None) -> None:
        self._authorisation = authorisation
        self._schemas = _load(schemas) if schemas else {}

    def question(self, data: bytes, content_type: str, subject: dict[str, str]) -> tuple[str, Question | CardQuestion]:
        """Return the MessageID and the question of a request. Raises: Rejected."""
        if subject.get("commonName") not in _COMMON_NAMES:
            raise Rejected("desir_560", "CN du certificat")
        if not content_type.startswith("application/soap+xml"):
            raise Rejected("sim_request", "Content-Type")
        try:
            root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        except etree.XMLSyntaxError:
            raise Rejected("sim_request", "XML") from None
        headers, body = _parts(root)
        self._by_schema((*headers.values(), body))
        operation = BODIES[str(body.tag)]
        action = ACTIONS[operation]
        if headers[f"{{{WSA}}}Action"].text != action or f'action="{action}"' not in content_type:
            raise Rejected("sim_request", "Action")
        message_id = (headers[f"{{{WSA}}}MessageID"].text or "").strip()
        need(message_id.startswith("uuid:"), "MessageID")
        _uuid(message_id.removeprefix("uuid:"), "MessageID")
        issuer = subject.get("organizationalUnitName", "")
        _context(headers[f"{{{BAM}}}ContexteBAM"], BAM, "CTXBAM", ("01_02", "1.0"), issuer)
        bam = headers[f"{{{BAM}}}ContexteBAM"]
        need(bam.find(f"{{{BAM}}}COUVERTURE") is not None, "COUVERTURE")
        lps = headers[f"{{{LPS}}}ContexteLPS"]
        _context(lps, LPS, "CTXLPS", ("01_00",), issuer)
        self._software(lps)
        security = headers.get(f"{{{WSSE}}}Security")  # none from a software certificate
        need(security is None or (len(security) > 0 and all(one.tag == ASSERTION for one in security)), "Security")
        return message_id, by_traits(body) if operation == BY_TRAITS else by_card(body, bam)

    def _software(self, context: etree._Element) -> None:
        number = context.find(f"{{{LPS}}}LPS/{{{LPS}}}IDAM")
        if number is None or number.get("R") != "4" or number.text != self._authorisation:
            raise Rejected("desir_550", "IDAM")
        for name in ("Version", "Nom"):
            need(bool(context.findtext(f"{{{LPS}}}LPS/{{{LPS}}}{name}")), name)
        _uuid(context.findtext(f"{{{LPS}}}LPS/{{{LPS}}}Instance") or "", "Instance")

    def _by_schema(self, elements: Iterable[etree._Element]) -> None:
        for element in elements:
            schema = self._schemas.get(str(element.tag))
            if schema is not None and not schema.validate(element):
                raise Rejected("sim_request", f"XSD {etree.QName(element).localname}")


def _load(folder: Path) -> dict[str, etree.XMLSchema]:
    """Return the official schemas of the elements that need no other file."""
    base = folder / "wsdl" / "xsd"
    files = {
        f"{{{REC}}}RECSANSVITALE": base / "ServiceIdentiteCertifiee" / "INSi_RECSANS_INS.xsd",
        f"{{{VIT}}}RECVITALE": base / "ServiceIdentiteCertifiee" / "INSi_RECVITALE_INS.xsd",
        f"{{{BAM}}}ContexteBAM": base / "CTX" / "ROOT_ctxbam_CTXBAM_V01_02.xsd",
        f"{{{LPS}}}ContexteLPS": base / "CTX" / "ROOT_ctxlps_CTXLPS_V01_00.xsd",
    }
    return {tag: etree.XMLSchema(etree.parse(str(file))) for tag, file in files.items()}


def _parts(root: etree._Element) -> tuple[dict[str, etree._Element], etree._Element]:
    need(root.tag == f"{{{SOAP}}}Envelope", "Envelope")
    children = [child for child in root if isinstance(child.tag, str)]
    need([child.tag for child in children] == [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"], "Header, Body")
    headers = {str(block.tag): block for block in children[0]}
    for tag in (f"{{{BAM}}}ContexteBAM", f"{{{LPS}}}ContexteLPS", f"{{{WSA}}}Action", f"{{{WSA}}}MessageID"):
        need(tag in headers, etree.QName(tag).localname)
    need(len(children[1]) == 1 and str(children[1][0].tag) in BODIES, "Body")
    return headers, children[1][0]


def _context(block: etree._Element, namespace: str, nature: str, versions: tuple[str, ...], issuer: str) -> None:
    need(block.get("Nature") == nature and block.get("Version") in versions, f"{nature} Nature, Version")
    _uuid(block.findtext(f"{{{namespace}}}Id") or "", f"{nature} Id")
    moment = block.findtext(f"{{{namespace}}}Temps") or ""
    try:
        need(datetime.fromisoformat(moment).tzinfo is not None, f"{nature} Temps")
    except ValueError:
        raise Rejected("sim_request", f"{nature} Temps") from None
    need(block.findtext(f"{{{namespace}}}Emetteur") == issuer, f"{nature} Emetteur")


def _uuid(text: str, name: str) -> None:
    try:
        UUID(text)
    except ValueError:
        raise Rejected("sim_request", name) from None
