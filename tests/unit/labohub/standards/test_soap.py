"""SOAP 1.2 envelopes."""

import pytest
from lxml import etree

from labohub.standards import soap
from labohub.standards.xml import XmlMalformed

FAULT = b"""<?xml version="1.0"?>
<a:Envelope xmlns:a="http://www.w3.org/2003/05/soap-envelope"><e:Body xmlns:e="http://www.w3.org/2003/05/soap-envelope">
<e:Fault xmlns:S="http://www.w3.org/2003/05/soap-envelope"><S:Code><S:Value>S:Receiver</S:Value>
<S:Subcode><S:Value> S:partner_40 </S:Value></S:Subcode></S:Code>
<S:Reason><S:Text xml:lang="en">Non</S:Text></S:Reason>
<S:Detail><p:Error xmlns:p="urn:partner" code="x_1"/></S:Detail></e:Fault></e:Body></a:Envelope>"""


def test_an_envelope_comes_back_as_it_was_built() -> None:
    blocks = soap.addressing(
        "urn:do", "urn:uuid:1", to="https://there", reply_to=soap.WSA_ANONYMOUS, must_understand=True
    )
    data = soap.build_envelope(blocks, etree.Element("{urn:x}Body", n="1"))

    envelope = soap.read_envelope(data)

    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert envelope.body.tag == "{urn:x}Body"
    assert envelope.fault is None
    assert envelope.header_text(soap.WSA_NS, "Action") == "urn:do"
    assert envelope.header_text(soap.WSA_NS, "MessageID") == "urn:uuid:1"
    assert envelope.header_text(soap.WSA_NS, "RelatesTo") == ""
    reply_to = envelope.header(soap.WSA_NS, "ReplyTo")
    assert reply_to is not None
    assert reply_to[0].text == soap.WSA_ANONYMOUS
    assert b'mustUnderstand="true"' in data


def test_a_fault_is_read_whatever_its_prefixes() -> None:
    fault = soap.read_envelope(FAULT).fault

    assert fault is not None
    assert (fault.code, fault.subcode, fault.reason) == ("Receiver", "partner_40", "Non")
    assert fault.detail is not None
    assert fault.detail.get("code") == "x_1"


def test_a_built_fault_reads_back() -> None:
    data = soap.build_envelope([], soap.build_fault("Sender", "partner_10", "Non", etree.Element("{urn:partner}Error")))

    fault = soap.read_envelope(data).fault

    assert fault is not None
    assert (fault.code, fault.subcode, fault.reason) == ("Sender", "partner_10", "Non")
    assert fault.detail is not None
    assert fault.detail.tag == "{urn:partner}Error"


@pytest.mark.parametrize(
    "data",
    [
        b"<html/>",
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><x/></e:Body></e:Envelope>',
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"/>',
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>',
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><x/><y/></e:Body></e:Envelope>',
    ],
    ids=["html", "soap 1.1", "no body", "empty body", "two elements"],
)
def test_what_is_not_one_soap_12_message_is_refused(data: bytes) -> None:
    with pytest.raises(soap.EnvelopeMalformed):
        soap.read_envelope(data)


def test_entities_are_never_expanded() -> None:
    with pytest.raises(XmlMalformed):
        soap.read_envelope(b'<!DOCTYPE e [<!ENTITY a "b">]><e>&a;</e>')
