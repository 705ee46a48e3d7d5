"""Answers of the DMP, written as text: they must not depend on the writer that they check."""

from collections.abc import Sequence
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

_STATUS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
_SEVERITY = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:"
_RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
_QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
_RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
FAULT_ACTION = "http://www.w3.org/2005/08/addressing/soap/fault"


def envelope(action: str, relates_to: str, body: str) -> bytes:
    """Return an answer's envelope."""
    relates = f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>" if relates_to else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsa="http://www.w3.org/2005/08/addressing"><soap:Header>'
        f"<wsa:Action>{action}</wsa:Action><wsa:MessageID>urn:uuid:{uuid4()}</wsa:MessageID>"
        f"<wsa:To>http://www.w3.org/2005/08/addressing/anonymous</wsa:To>{relates}"
        f"</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def success(warning: str = "") -> str:
    """Return a RegistryResponse Success, with a warning when one is asked for."""
    return _response("Success", _errors(warning, "accepté avec réserve", "Warning") if warning else "")


def failure(code: str, text: str) -> str:
    """Return a RegistryResponse Failure."""
    return _response("Failure", _errors(code, text, "Error"))


def references(uuids: Sequence[str]) -> str:
    """Return the answer to a query for references."""
    items = "".join(f"<rim:ObjectRef id={quoteattr(each)}/>" for each in uuids)
    return (
        f'<query:AdhocQueryResponse xmlns:query="{_QUERY}" xmlns:rim="{_RIM}" status="{_STATUS}Success">'
        f"<rim:RegistryObjectList>{items}</rim:RegistryObjectList></query:AdhocQueryResponse>"
    )


def failed_query(code: str, text: str) -> str:
    """Return a failed query."""
    return (
        f'<query:AdhocQueryResponse xmlns:query="{_QUERY}" xmlns:rs="{_RS}" xmlns:rim="{_RIM}" '
        f'status="{_STATUS}Failure">{_errors(code, text, "Error")}<rim:RegistryObjectList/></query:AdhocQueryResponse>'
    )


def fault(code: str, subcode: str, text: str) -> str:
    """Return a SOAP fault."""
    inner = f"<soap:Subcode><soap:Value>soap:{subcode}</soap:Value></soap:Subcode>" if subcode else ""
    return (
        f"<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value>{inner}</soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="fr">{escape(text)}</soap:Text></soap:Reason></soap:Fault>'
    )


def _response(status: str, errors: str) -> str:
    return f'<rs:RegistryResponse xmlns:rs="{_RS}" status="{_STATUS}{status}">{errors}</rs:RegistryResponse>'


def _errors(code: str, text: str, severity: str) -> str:
    return (
        f'<rs:RegistryErrorList highestSeverity="{_SEVERITY}{severity}"><rs:RegistryError errorCode={quoteattr(code)} '
        f'codeContext={quoteattr(text)} severity="{_SEVERITY}{severity}" location=""/></rs:RegistryErrorList>'
    )
