"""The bodies of the three transactions, and the whole SOAP message around them.

ITI-41 provides a document, ITI-18 GetDocuments finds the entryUUID of one, ITI-57 deletes one (TD3.3c).
"""

from collections.abc import Mapping
from html import escape
from typing import Final

from lxml import etree

from labohub.standards.soap import SOAP_NS, WSA_ANONYMOUS, WSA_NS
from labohub.standards.vihf import WSSE
from labohub.standards.xds import names
from labohub.standards.xds.ebrim import NSMAP, SUBMISSION_SET, Writer, registry_objects
from labohub.standards.xds.model import Submission, SubmissionSet

_R: Final = f"{{{names.RIM}}}"
_L: Final = f"{{{names.LCM}}}"
_Q: Final = f"{{{names.QUERY}}}"
_BODY_START: Final = b"<soap:Body>"
_BODY_END: Final = b"</soap:Body></soap:Envelope>"


def provide_and_register(submission: Submission, content_ids: Mapping[str, str]) -> etree._Element:
    """Return the ITI-41 request; each document is a reference to the part that holds its bytes.

    Args:
        content_ids: by entry id, the Content-ID of the part, without angle brackets.
    """
    root = etree.Element(f"{{{names.XDS}}}ProvideAndRegisterDocumentSetRequest", nsmap=NSMAP)
    etree.SubElement(root, _L + "SubmitObjectsRequest").append(registry_objects(submission, for_xdm=False))
    for entry_id, content_id in content_ids.items():
        document = etree.SubElement(root, f"{{{names.XDS}}}Document", {"id": entry_id})
        etree.SubElement(document, f"{{{names.XOP}}}Include", {"href": f"cid:{content_id}"}, nsmap={"xop": names.XOP})
    return root


def get_documents(unique_id: str) -> etree._Element:
    """Return the ITI-18 request for the entryUUID of a document (TD3.1b)."""
    root = etree.Element(_Q + "AdhocQueryRequest", nsmap=NSMAP)
    etree.SubElement(root, _Q + "ResponseOption", {"returnComposedObjects": "false", "returnType": "ObjectRef"})
    query = etree.SubElement(root, _R + "AdhocQuery", {"id": names.GET_DOCUMENTS})
    slot = etree.SubElement(query, _R + "Slot", {"name": "$XDSDocumentEntryUniqueId"})
    etree.SubElement(etree.SubElement(slot, _R + "ValueList"), _R + "Value").text = f"('{unique_id}')"
    return root


def delete_document(submission_set: SubmissionSet, entry_uuid: str) -> etree._Element:
    """Return the ITI-57 request that makes a registered document Deleted (TD3.3c)."""
    root = etree.Element(_L + "SubmitObjectsRequest", nsmap=NSMAP)
    writer = Writer(etree.SubElement(root, _R + "RegistryObjectList"))
    writer.submission_set(submission_set)
    writer.association(
        names.UPDATES_STATUS, SUBMISSION_SET, entry_uuid, OriginalStatus=names.APPROVED, NewStatus=names.DELETED
    )
    return root


def soap_message(*, action: str, message_id: str, to: str, assertion: bytes, body: bytes) -> bytes:
    """Return a SOAP 1.2 message around a body and a signed assertion, both carried byte for byte."""
    understood = 'soap:mustUnderstand="true"'
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{SOAP_NS}" xmlns:wsa="{WSA_NS}">'
        f"<soap:Header><wsa:MessageID>{escape(message_id)}</wsa:MessageID><wsa:To {understood}>{escape(to)}</wsa:To>"
        f"<wsa:ReplyTo {understood}><wsa:Address>{WSA_ANONYMOUS}</wsa:Address></wsa:ReplyTo>"
        f"<wsa:Action {understood}>{escape(action)}</wsa:Action>"
        f'<wsse:Security xmlns:wsse="{WSSE}">'
    )
    return b"".join((head.encode(), assertion, b"</wsse:Security></soap:Header>", _BODY_START, body, _BODY_END))


def body_of(message: bytes) -> bytes:
    """Return the body's bytes of a message that `soap_message` wrote."""
    return message.partition(_BODY_START)[2].removesuffix(_BODY_END)
