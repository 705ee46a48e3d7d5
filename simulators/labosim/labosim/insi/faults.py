"""The faults the téléservice gives, as observed. Codes that begin with `sim_` are this simulator's own."""

from typing import NamedTuple
from xml.sax.saxutils import escape

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Rejected(Exception):
    """The request is refused with a fault's code and a technical text without patient data."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def need(condition: bool, name: str) -> None:
    """Refuse a request that is not in the published shape, naming the part."""
    if not condition:
        raise Rejected("sim_request", name)


class InsiFault(NamedTuple):
    """A SOAP fault: Sender or Receiver, siram_NN, the detail's code, its severity, and the user's text."""

    side: str
    subcode: str
    code: str
    severity: str
    text: str


_LATER = "Le service est temporairement inaccessible. Veuillez renouveler votre demande ultérieurement."
_FIX = "La demande comporte une erreur."

KNOWN: dict[str, InsiFault] = {
    fault.code: fault
    for fault in (
        InsiFault("Sender", "siram_40", "desir_1020", "fatale", _LATER),
        InsiFault("Receiver", "siram_40", "insi_101", "fatal", _LATER),  # a guess: the twin of 102, by card
        InsiFault("Receiver", "siram_40", "insi_102", "fatal", _LATER),  # `fatal`: what the service writes
        InsiFault("Receiver", "siram_40", "insi_111", "fatale", _LATER),
        InsiFault("Sender", "siram_100", "desir_550", "erreur", "Le numéro d'autorisation du logiciel est inconnu."),
        InsiFault("Sender", "siram_100", "desir_560", "erreur", "Les droits sont insuffisants."),
        InsiFault("Sender", "siram_10", "insi_19", "erreur", "Le champ nom de naissance est obligatoire."),
        InsiFault("Sender", "siram_10", "insi_24", "erreur", "Le format du champ sexe est incorrect."),
        InsiFault("Sender", "siram_10", "sim_traits", "erreur", _FIX),
        InsiFault("Sender", "siram_10", "sim_request", "erreur", _FIX),
    )
}


def known(code: str) -> InsiFault:
    """Return the fault of a code; an unknown one is transient, as most are."""
    return KNOWN.get(code) or InsiFault("Receiver", "siram_40", code, "fatale", _LATER)


def envelope(fault: InsiFault, technical_text: str, message_id: str) -> bytes:
    """Return a fault's envelope with the service's mix of prefixes: clients must go by namespace."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">'
        '<env:Body xmlns:env="http://www.w3.org/2003/05/soap-envelope">'
        '<S:Fault xmlns:S="http://www.w3.org/2003/05/soap-envelope">'
        f"<S:Code><S:Value>S:{fault.side}</S:Value><S:Subcode><S:Value>S:{fault.subcode}</S:Value></S:Subcode></S:Code>"
        f'<S:Reason><S:Text xml:lang="en">{escape(fault.text)}</S:Text></S:Reason>'
        f'<S:Detail><siram:Erreur xmlns:siram="urn:siram" code="{escape(fault.code)}" severite="{fault.severity}" '
        f'messageID="{escape(message_id, {chr(34): "&quot;"})}">{escape(technical_text)}</siram:Erreur></S:Detail>'
        "</S:Fault></env:Body></soap:Envelope>"
    ).encode()


class CutResponse(Response):
    """Sends half of an answer and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ConnectionAbortedError("cut on demand")
