"""The answers and faults of INSi, read leniently: by namespace, whatever the prefixes and the order.

Real answers stray from their XSD (a severity `fatal`, a key absent or wrong, elements in another order), so none
is validated; what a decision needs and does not find makes the answer unusable instead.
Source: XSD INSiResultat 00.01 and urn:siram V01_01; answers observed in the qualification environment.
"""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from labohub.errors import Refused
from labohub.standards.ins.matricule import MatriculeMalformed, with_key
from labohub.standards.ins.traits import StrictTraits
from labohub.standards.soap import SoapFault, read_envelope

RESULT_NS = "http://www.cnamts.fr/INSiResultat"
SIRAM_NS = "urn:siram"
FOUND = "00"
NOT_FOUND = "01"
AMBIGUOUS = "02"

_R = f"{{{RESULT_NS}}}"


class AnswerUnusable(Refused):
    """An answer of INSi that is not what its operation returns."""

    code = "insi.answer-unusable"


class FaultClass(StrEnum):
    """Who must act on a fault."""

    TRANSIENT = "transient"  # time must pass
    INPUT = "input"  # the traits
    CONFIGURATION = "configuration"  # the installation


# By the siram code, never by Sender or Receiver: desir_1020 says Sender and is transient.
_CLASSES = {
    "siram_10": FaultClass.INPUT,
    "siram_40": FaultClass.TRANSIENT,
    "siram_100": FaultClass.CONFIGURATION,
}
_CLASSES_BY_DETAIL = {  # their subcode was not seen
    "insi_19": FaultClass.INPUT,
    "insi_24": FaultClass.INPUT,
    "desir_550": FaultClass.CONFIGURATION,
    "desir_560": FaultClass.CONFIGURATION,
}


@dataclass(frozen=True, slots=True)
class InsiFault:
    """A fault: `subcode` is siram_NN, `code` insi_NN or desir_NN. Neither text holds patient data."""

    subcode: str
    code: str
    severity: str
    message_id: str

    @property
    def fault_class(self) -> FaultClass:
        """Return who must act. An unknown code is transient: a person sees it when the retries are over."""
        return _CLASSES_BY_DETAIL.get(self.code) or _CLASSES.get(self.subcode, FaultClass.TRANSIENT)


@dataclass(frozen=True, slots=True)
class Number:
    """A matricule of 15 characters with its authority. Dates verbatim. `key_given` False: it was computed here."""

    matricule: str
    oid: str
    key_given: bool = True
    started_on: str = ""
    ended_on: str = ""


@dataclass(frozen=True, slots=True)
class Individual:
    """The one identity of a `00`: its active number, its former ones as received, and the traits, verbatim."""

    active: Number
    history: tuple[Number, ...]
    traits: StrictTraits


@dataclass(frozen=True, slots=True)
class Answer:
    """A result: code 00 with an individual, 01 nobody, 02 several and nobody returned."""

    code: str
    individual: Individual | None = None


def read_answer(data: bytes) -> Answer | InsiFault:
    """Return what INSi says.

    Raises:
        XmlMalformed, EnvelopeMalformed: not SOAP.
        AnswerUnusable: another body, an unknown code, or a 00 without all that a decision needs.
    """
    envelope = read_envelope(data)
    if envelope.fault is not None:
        return _read_fault(envelope.fault)
    if envelope.body.tag != f"{_R}RESULTAT":
        raise AnswerUnusable("the body is not a RESULTAT")
    code = _text(envelope.body, "CR", "CodeCR")
    if code in (NOT_FOUND, AMBIGUOUS):
        return Answer(code)
    person = envelope.body.find(f"{_R}INDIVIDU")
    if code != FOUND or person is None:
        raise AnswerUnusable("neither 00 with an individual, nor 01, nor 02")
    return Answer(code, _read_individual(person))


def _read_fault(fault: SoapFault) -> InsiFault:
    detail = fault.detail
    if detail is None or detail.tag != f"{{{SIRAM_NS}}}Erreur":
        return InsiFault(fault.subcode, "", "", "")
    return InsiFault(fault.subcode, detail.get("code", ""), detail.get("severite", ""), detail.get("messageID", ""))


def _read_individual(person: etree._Element) -> Individual:
    active, tiq = person.find(f"{_R}INSACTIF"), person.find(f"{_R}TIQ")
    if active is None or tiq is None:
        raise AnswerUnusable("an individual without INSACTIF or TIQ")
    traits = StrictTraits(
        birth_name=_text(tiq, "NomNaissance"),
        given_names=_text(tiq, "ListePrenom"),  # Prenom is absent from live answers
        sex=_text(tiq, "Sexe"),
        birth_date=_text(tiq, "DateNaissance"),
        birth_place=_text(tiq, "LieuNaissance"),
    )
    number = _read_number(active)
    if not (traits.birth_name and traits.given_names and traits.sex and traits.birth_date and number.oid):
        raise AnswerUnusable("an individual without all strict traits and its authority")
    if not number.matricule:
        raise AnswerUnusable("an individual without a matricule")
    history = tuple(_read_number(former) for former in person.findall(f"{_R}INSHISTO"))
    return Individual(number, history, traits)


def _read_number(element: etree._Element) -> Number:
    body = _text(element, "IdIndividu", "NumIdentifiant").upper()
    key = _text(element, "IdIndividu", "Cle")
    return Number(
        matricule=body + key if key else _completed(body),
        oid=_text(element, "OID"),
        key_given=bool(key),
        started_on=_text(element, "DateDeb"),
        ended_on=_text(element, "DateFin"),
    )


def _completed(body: str) -> str:
    try:
        return with_key(body)
    except MatriculeMalformed:
        return body  # the check of the active number says what is wrong; a former one is kept as received


def _text(element: etree._Element, *names: str) -> str:
    return (element.findtext("/".join(f"{_R}{name}" for name in names)) or "").strip()
