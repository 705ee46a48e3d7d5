"""What arrives on the wire, taken apart by Python's own MIME reader, and its SOAP headers."""

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

from lxml import etree

from labosim.dmp.rejections import Fault

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
_MESSAGE_ID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNDERSTAND = f"{{{SOAP}}}mustUnderstand"


@dataclass(frozen=True)
class Received:
    """A request taken apart. `attachments` by Content-ID, without brackets."""

    soap: bytes
    root: etree._Element
    body: etree._Element
    assertion: etree._Element
    message_id: str
    attachments: dict[str, bytes]


def receive(content_type: str, data: bytes, *, action: str, path: str, mtom: bool) -> Received:
    """Return a request whose framing, envelope and addressing are right. Raises: Fault."""
    soap, attachments = _unpack(content_type, data, action) if mtom else (_plain(content_type, data), {})
    try:
        root = etree.fromstring(soap, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError:
        raise Fault("le message n'est pas du XML") from None
    if root.tag != f"{{{SOAP}}}Envelope":
        raise Fault("l'enveloppe n'est pas SOAP 1.2")
    header, body = root.find(f"{{{SOAP}}}Header"), root.find(f"{{{SOAP}}}Body")
    if header is None or body is None or len(body) != 1:
        raise Fault("en-tête ou corps SOAP absent")
    message_id = _addressing(header, action, path)
    security = header.findall(f"{{{WSSE}}}Security")
    if len(security) != 1 or [child.tag for child in security[0]] != [f"{{{SAML}}}Assertion"]:
        raise Fault("un et un seul VIHF est attendu dans wsse:Security")
    return Received(soap, root, body[0], security[0][0], message_id, attachments)


def _plain(content_type: str, data: bytes) -> bytes:
    if not content_type.lower().startswith("application/soap+xml"):
        raise Fault("application/soap+xml attendu")
    return data


def _unpack(content_type: str, data: bytes, action: str) -> tuple[bytes, dict[str, bytes]]:
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode("latin-1")
    message: Message = BytesParser(policy=HTTP).parsebytes(head + data)
    expected = {"type": "application/xop+xml", "start-info": "application/soap+xml", "action": action}
    if message.get_content_type() != "multipart/related" or not message.is_multipart():
        raise Fault("MTOM attendu : multipart/related")
    for name, value in expected.items():
        if message.get_param(name) != value:
            raise Fault(f"paramètre {name} de multipart/related")
    parts = {}
    for part in message.walk():
        if part.is_multipart():
            continue
        if part.defects or message.defects:
            raise Fault("partie MIME mal formée")
        content_id = str(part.get("Content-ID", ""))
        if not re.fullmatch(r"<[^<>\s]+@[^<>\s]+>", content_id) or content_id[1:-1] in parts:
            raise Fault("Content-ID absent, sans chevrons ou répété")
        if str(part.get("Content-Transfer-Encoding", "")).lower() != "binary":
            raise Fault("Content-Transfer-Encoding: binary attendu")
        payload = part.get_payload(decode=True)
        parts[content_id[1:-1]] = (part, payload if isinstance(payload, bytes) else b"")
    first = next(iter(parts), "")
    if message.get_param("start") != f"<{first}>":
        raise Fault("la racine MTOM n'est pas la première partie")
    root, soap = parts.pop(first)
    if root.get_content_type() != "application/xop+xml" or root.get_param("type") != "application/soap+xml":
        raise Fault("type de la racine MTOM")
    return soap, {name: payload for name, (_, payload) in parts.items()}


def _addressing(header: etree._Element, action: str, path: str) -> str:
    def block(name: str) -> etree._Element:
        found = header.findall(f"{{{WSA}}}{name}")
        if len(found) != 1:
            raise Fault(f"wsa:{name} absent ou répété")
        return found[0]

    if (block("Action").text or "") != action or block("Action").get(_UNDERSTAND) not in ("true", "1"):
        raise Fault("wsa:Action ou son mustUnderstand")
    if not (block("To").text or "").endswith(path):
        raise Fault("wsa:To n'est pas ce service")
    if block("ReplyTo").findtext(f"{{{WSA}}}Address") != ANONYMOUS:
        raise Fault("wsa:ReplyTo anonyme attendu")
    message_id = block("MessageID").text or ""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Fault("wsa:MessageID : urn:uuid attendu")
    return message_id
