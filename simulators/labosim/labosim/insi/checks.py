"""What the téléservice checks of a request, by means of its own: the published shapes, element by element.

Source: WSDL ServiceIdentiteCertifiee-v1 1.5.0 and its XSD; guide SEL-MP-043 for the alphabet and the certificates.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from lxml import etree

from labosim.insi.answers import Question

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
BAM = "urn:siram:bam:ctxbam"
LPS = "urn:siram:lps:ctxlps"
REC = "http://www.cnamts.fr/INSiRecSans"
ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
_ORDER = ("NomNaissance", "Prenom", "Sexe", "DateNaissance", "LieuNaissance")
_NAME = re.compile(r"['A-Z][A-Z '\-]*")
_BAD_RUNS = ("  ", "''", "' ", " '", "---")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_COMMON_NAMES = ("INSI-AUTO", "INSI-MANU")


class Rejected(Exception):
    """The request is refused with a fault's code and a technical text without patient data."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Checker:
    """Checks requests for one authorised software."""

    def __init__(self, authorisation: str, schemas: Path | None) -> None:
        self._authorisation = authorisation
        self._schemas = _load(schemas) if schemas else {}

    def question(self, data: bytes, content_type: str, subject: dict[str, str]) -> tuple[str, Question]:
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
        if headers[f"{{{WSA}}}Action"].text != ACTION or f'action="{ACTION}"' not in content_type:
            raise Rejected("sim_request", "Action")
        message_id = (headers[f"{{{WSA}}}MessageID"].text or "").strip()
        _need(message_id.startswith("uuid:"), "MessageID")
        _uuid(message_id.removeprefix("uuid:"), "MessageID")
        issuer = subject.get("organizationalUnitName", "")
        _context(headers[f"{{{BAM}}}ContexteBAM"], BAM, "CTXBAM", ("01_02", "1.0"), issuer)
        _need(headers[f"{{{BAM}}}ContexteBAM"].find(f"{{{BAM}}}COUVERTURE") is not None, "COUVERTURE")
        lps = headers[f"{{{LPS}}}ContexteLPS"]
        _context(lps, LPS, "CTXLPS", ("01_00",), issuer)
        self._software(lps)
        return message_id, _read(body)

    def _software(self, context: etree._Element) -> None:
        number = context.find(f"{{{LPS}}}LPS/{{{LPS}}}IDAM")
        if number is None or number.get("R") != "4" or number.text != self._authorisation:
            raise Rejected("desir_550", "IDAM")
        for name in ("Version", "Nom"):
            _need(bool(context.findtext(f"{{{LPS}}}LPS/{{{LPS}}}{name}")), name)
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
        f"{{{BAM}}}ContexteBAM": base / "CTX" / "ROOT_ctxbam_CTXBAM_V01_02.xsd",
        f"{{{LPS}}}ContexteLPS": base / "CTX" / "ROOT_ctxlps_CTXLPS_V01_00.xsd",
    }
    return {tag: etree.XMLSchema(etree.parse(str(file))) for tag, file in files.items()}


def _parts(root: etree._Element) -> tuple[dict[str, etree._Element], etree._Element]:
    _need(root.tag == f"{{{SOAP}}}Envelope", "Envelope")
    children = [child for child in root if isinstance(child.tag, str)]
    _need([child.tag for child in children] == [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"], "Header, Body")
    headers = {str(block.tag): block for block in children[0]}
    for tag in (f"{{{BAM}}}ContexteBAM", f"{{{LPS}}}ContexteLPS", f"{{{WSA}}}Action", f"{{{WSA}}}MessageID"):
        _need(tag in headers, etree.QName(tag).localname)
    _need(len(children[1]) == 1 and children[1][0].tag == f"{{{REC}}}RECSANSVITALE", "RECSANSVITALE")
    return headers, children[1][0]


def _context(block: etree._Element, namespace: str, nature: str, versions: tuple[str, ...], issuer: str) -> None:
    _need(block.get("Nature") == nature and block.get("Version") in versions, f"{nature} Nature, Version")
    _uuid(block.findtext(f"{{{namespace}}}Id") or "", f"{nature} Id")
    moment = block.findtext(f"{{{namespace}}}Temps") or ""
    try:
        _need(datetime.fromisoformat(moment).tzinfo is not None, f"{nature} Temps")
    except ValueError:
        raise Rejected("sim_request", f"{nature} Temps") from None
    _need(block.findtext(f"{{{namespace}}}Emetteur") == issuer, f"{nature} Emetteur")


def _read(body: etree._Element) -> Question:
    names = [etree.QName(child).localname for child in body]
    _need(all(child.tag == f"{{{REC}}}{name}" for child, name in zip(body, names, strict=True)), "namespace")
    _need(names == [name for name in _ORDER if name in names], "order")  # also refuses a second Prenom
    values = {name: child.text or "" for name, child in zip(names, body, strict=True)}
    if not values.get("NomNaissance"):
        raise Rejected("insi_19", "NomNaissance")
    if values.get("Sexe") not in ("M", "F"):
        raise Rejected("insi_24", "Sexe")
    question = Question(*(values.get(name, "") for name in _ORDER))
    for value in (question.birth_name, question.given_name):
        if not _NAME.fullmatch(value) or any(bad in value for bad in _BAD_RUNS) or value[-1] == " ":
            raise Rejected("sim_traits", "NomNaissance, Prenom")
    if question.given_name[-1] in "-'" or "--" in question.given_name or not _DATE.fullmatch(question.birth_date):
        raise Rejected("sim_traits", "Prenom, DateNaissance")
    if question.birth_place and not _PLACE.fullmatch(question.birth_place):
        raise Rejected("sim_traits", "LieuNaissance")
    return question


def _uuid(text: str, name: str) -> None:
    try:
        UUID(text)
    except ValueError:
        raise Rejected("sim_request", name) from None


def _need(condition: bool, name: str) -> None:
    if not condition:
        raise Rejected("sim_request", name)
