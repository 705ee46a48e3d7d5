"""SOAP 1.2 envelopes and WS-Addressing headers: elements in, bytes out, and back.

Readers go by namespace and local name: partners change prefixes from one answer to the next.
Source: SOAP 1.2 part 1 (W3C, 2007); WS-Addressing 1.0 SOAP binding (W3C, 2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from labohub.errors import Refused
from labohub.standards.xml import parse

SOAP_NS = "http://www.w3.org/2003/05/soap-envelope"
WSA_NS = "http://www.w3.org/2005/08/addressing"
WSA_ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
SOAP_MEDIA_TYPE = "application/soap+xml"

_ENVELOPE = f"{{{SOAP_NS}}}Envelope"
_HEADER = f"{{{SOAP_NS}}}Header"
_BODY = f"{{{SOAP_NS}}}Body"
_FAULT = f"{{{SOAP_NS}}}Fault"
_VALUE = f"{{{SOAP_NS}}}Value"
_MUST_UNDERSTAND = f"{{{SOAP_NS}}}mustUnderstand"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class EnvelopeMalformed(Refused):
    """XML that is not a SOAP 1.2 envelope with one element in its body."""

    code = "soap.malformed"


@dataclass(frozen=True, slots=True)
class SoapFault:
    """What a fault says. Codes are local names, without the prefix that the sender chose."""

    code: str  # Sender, Receiver, MustUnderstand, VersionMismatch or DataEncodingUnknown
    subcode: str  # the first level, e.g. siram_40; empty when there is none
    reason: str  # text for people: keep it out of logs, a partner may quote the request in it
    detail: etree._Element | None  # the first element inside Detail


@dataclass(frozen=True, slots=True)
class Envelope:
    """A read envelope: its header blocks, and the one element of its body."""

    headers: tuple[etree._Element, ...]
    body: etree._Element

    @property
    def fault(self) -> SoapFault | None:
        """Return the fault when the body is one."""
        return read_fault(self.body) if self.body.tag == _FAULT else None

    def header(self, namespace: str, name: str) -> etree._Element | None:
        """Return the first header block of that name."""
        tag = f"{{{namespace}}}{name}"
        return next((block for block in self.headers if block.tag == tag), None)

    def header_text(self, namespace: str, name: str) -> str:
        """Return the trimmed text of a header block; empty when it is absent."""
        block = self.header(namespace, name)
        return "" if block is None else (block.text or "").strip()


def build_envelope(headers: Sequence[etree._Element], body: etree._Element) -> bytes:
    """Return an envelope in UTF-8 with its XML declaration. The elements are moved into it, not copied."""
    root = etree.Element(_ENVELOPE, nsmap={"soap": SOAP_NS})
    etree.SubElement(root, _HEADER).extend(headers)
    etree.SubElement(root, _BODY).append(body)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def read_envelope(data: bytes) -> Envelope:
    """Return the headers and the body element of an envelope.

    Raises:
        XmlMalformed: not XML.
        EnvelopeMalformed: not a SOAP 1.2 envelope, or a body without exactly one element.
    """
    root = parse(data)
    if root.tag != _ENVELOPE:
        raise EnvelopeMalformed("the root is not a SOAP 1.2 envelope")
    header, body = root.find(_HEADER), root.find(_BODY)
    if body is None:
        raise EnvelopeMalformed("no body")
    blocks = () if header is None else tuple(header.iterchildren(etree.Element))
    children = list(body.iterchildren(etree.Element))
    if len(children) != 1:
        raise EnvelopeMalformed("the body does not hold exactly one element")
    return Envelope(headers=blocks, body=children[0])


def read_fault(fault: etree._Element) -> SoapFault:
    """Return the values of a Fault element, leniently: what is absent is empty."""
    code = fault.find(f"{{{SOAP_NS}}}Code")
    subcode = None if code is None else code.find(f"{{{SOAP_NS}}}Subcode")
    detail = fault.find(f"{{{SOAP_NS}}}Detail")
    return SoapFault(
        code=_local(code),
        subcode=_local(subcode),
        reason=(fault.findtext(f"{{{SOAP_NS}}}Reason/{{{SOAP_NS}}}Text") or "").strip(),
        detail=None if detail is None else next(detail.iterchildren(etree.Element), None),
    )


def build_fault(code: str, subcode: str, reason: str, detail: etree._Element | None = None) -> etree._Element:
    """Return a Fault element; `code` is Sender or Receiver, `subcode` a local name or empty."""
    fault = etree.Element(_FAULT, nsmap={"soap": SOAP_NS})
    codes = etree.SubElement(fault, f"{{{SOAP_NS}}}Code")
    etree.SubElement(codes, _VALUE).text = f"soap:{code}"
    if subcode:
        etree.SubElement(etree.SubElement(codes, f"{{{SOAP_NS}}}Subcode"), _VALUE).text = f"soap:{subcode}"
    text = etree.SubElement(etree.SubElement(fault, f"{{{SOAP_NS}}}Reason"), f"{{{SOAP_NS}}}Text")
    text.set(_XML_LANG, "fr")
    text.text = reason
    if detail is not None:
        etree.SubElement(fault, f"{{{SOAP_NS}}}Detail").append(detail)
    return fault


def addressing(
    action: str,
    message_id: str,
    *,
    to: str = "",
    reply_to: str = "",
    relates_to: str = "",
    must_understand: bool = False,
) -> list[etree._Element]:
    """Return the WS-Addressing header blocks; an empty argument gives no block.

    `message_id` is written as given: partners differ in `urn:uuid:` and `uuid:`. Only Action is marked
    mustUnderstand, as the IHE samples do.
    """
    blocks: list[etree._Element] = []
    for name, value in (("Action", action), ("MessageID", message_id), ("RelatesTo", relates_to), ("To", to)):
        if value:
            block = etree.Element(f"{{{WSA_NS}}}{name}", nsmap={"wsa": WSA_NS})
            block.text = value
            blocks.append(block)
    if must_understand and blocks:
        blocks[0].set(_MUST_UNDERSTAND, "true")
    if reply_to:
        block = etree.Element(f"{{{WSA_NS}}}ReplyTo", nsmap={"wsa": WSA_NS})
        etree.SubElement(block, f"{{{WSA_NS}}}Address").text = reply_to
        blocks.append(block)
    return blocks


def _local(holder: etree._Element | None) -> str:
    """Return a code's local name: a fault code is a QName, its prefix is free."""
    text = "" if holder is None else (holder.findtext(_VALUE) or "").strip()
    return text.rpartition(":")[2]
