"""The one place where XML is parsed: no DTD, no entities, no network."""

from typing import cast

from lxml import etree

from labohub.errors import Refused


class XmlMalformed(Refused):
    """Bytes that are not well-formed XML, or that carry a document type."""

    code = "xml.malformed"


def parse(data: bytes) -> etree._Element:
    """Return the root element.

    Text nodes of any size are accepted: a report holds its PDF in base64.

    Raises:
        XmlMalformed: not well-formed, or with a DOCTYPE. The text never quotes the document.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=True, remove_pis=False
    )
    try:
        root = cast(etree._Element, etree.fromstring(data, parser))
    except (etree.XMLSyntaxError, ValueError):
        raise XmlMalformed("not well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlMalformed("a document type is not accepted")
    return root
