"""The form that presents itself (auto-présentable): one file that is the stylesheet, with the document inside.

CR-BIO 2021.01 knows it; later editions put a PDF copy in its place. Source: CI-SIS CR-BIO 2021.01, examples.
"""

from lxml import etree

from labohub.standards import xml
from labohub.standards.cda.header import document_element
from labohub.standards.cda.presentation.page import Theme, resource, theme_values

_XSL = "http://www.w3.org/1999/XSL/Transform"
_DATA = "urn:asip-sante:ci-sis"
_PLACE = "the document goes here"


def self_presenting(cda: bytes, theme: Theme | None = None) -> bytes:
    """Return the document inside our stylesheet: a browser that opens the file shows the report.

    Raises: XmlMalformed; CdaMalformed when there is no clinical document inside.
    """
    document = document_element(xml.parse(cda))
    sheet = etree.fromstring(resource("report.xsl"), etree.XMLParser(remove_comments=True))
    for name, value in theme_values(theme or Theme()).items():
        parameter = sheet.find(f"{{{_XSL}}}param[@name='{name}']")
        assert parameter is not None
        del parameter.attrib["select"]
        parameter.text = value
    holder = etree.Element(f"{{{_DATA}}}Contenu", nsmap={"data": _DATA})
    holder.text = _PLACE
    sheet.insert(1, holder)  # after xsl:output
    sheet.addprevious(etree.ProcessingInstruction("xml-stylesheet", 'type="text/xsl" href="#"'))
    around = etree.tostring(etree.ElementTree(sheet), xml_declaration=True, encoding="UTF-8")
    inside = etree.tostring(document, encoding="UTF-8", with_tail=False)  # with its own prefixes, not the sheet's
    return around.replace(_PLACE.encode(), inside.split(b"?>\n", 1)[-1] if inside.startswith(b"<?xml") else inside, 1)
