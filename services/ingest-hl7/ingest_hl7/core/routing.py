"""What kind of message this is, from MSH alone, and whether it is for us."""

from dataclasses import dataclass
from enum import StrEnum

from ingest_hl7.core.senders import Sender, Transaction
from labohub.standards.er7 import Header
from labohub.standards.hl7 import pam
from labohub.standards.hl7.acknowledgement import AnswerStyle
from labohub.standards.hl7.cda_in_hl7 import profile_of
from labohub.standards.hl7.findings import Finding

_VOLET_VERSIONS = {"ORU": ("2.5",), "MDM": ("2.6",)}
_LTW_VERSIONS = {"ORU": ("2.5", "2.5.1"), "OUL": ("2.5", "2.5.1"), "OML": ("2.5", "2.5.1"), "ADT": pam.VERSIONS}
_EVENTS = {
    "ORU": ("R01",),
    "OUL": ("R22", "R23", "R24"),
    "OML": ("O21", "O33", "O35"),
    "MDM": ("T02", "T10", "T04"),
    "ADT": tuple(pam.EVENTS),
}
_ANSWERS = frozenset(("ACK", "ORL", "ORR"))
_PROFILES = ("2.1", "2.0", "1.2")
_REQUIRED = ((10, "hl7.control-id-missing"), (11, "hl7.processing-id-missing"), (12, "hl7.version-missing"))


class Kind(StrEnum):
    """Which door a message goes through."""

    RELAY = "relay"  # carries a CDA
    RESULTS = "results"  # LTW, ILW results
    TECHNICAL = "technical"  # analysers, middleware, quality control
    ORDER = "order"
    PATIENT = "patient"  # PAM: who the patient is, where he is, what he said about the DMP
    ANSWER = "answer"  # an acknowledgement: never acknowledged


@dataclass(frozen=True, slots=True)
class Route:
    """The door, the volet's profile when there is one, and what MSH has wrong."""

    kind: Kind
    profile: str = ""
    refusals: tuple[Finding, ...] = ()

    @property
    def style(self) -> AnswerStyle:
        """Return how errors are to be written."""
        return AnswerStyle.VOLET if self.kind is Kind.RELAY else AnswerStyle.HL7


def route(header: Header, sender: Sender, processing_ids: frozenset[str]) -> Route:
    """Return where a message goes. With refusals it goes nowhere."""
    kind, event = header.component(9, 1).upper(), header.component(9, 2).upper()
    if kind in _ANSWERS:
        return Route(Kind.ANSWER)
    profile = profile_of(header) or ""
    refusals = [*_msh_9(kind, event, profile), *_msh_rest(header, kind, profile, processing_ids)]
    for number, accepted in ((5, sender.receiving_applications), (6, sender.receiving_facilities)):
        if accepted and header.component(number, 1) not in accepted:
            text = "Message destiné à une autre application ou à un autre établissement."
            place, reason = f"MSH^1^{number}", "hl7.other-receiver"
            refusals.append(Finding("207", place, reason, text, "E", "WRONG_DESTINATION", rejects=True))
    return Route(_kind(header, kind, profile, sender), profile, tuple(refusals))


def _kind(header: Header, kind: str, profile: str, sender: Sender) -> Kind:
    if profile or kind == "MDM":
        return Kind.RELAY
    if kind == "OUL" and _is_lab_3(header, sender):
        return Kind.RESULTS
    return {"OUL": Kind.TECHNICAL, "OML": Kind.ORDER, "ADT": Kind.PATIENT}.get(kind, Kind.RESULTS)


def _is_lab_3(header: Header, sender: Sender) -> bool:
    """Return True for an OUL of a sender that declares LAB-3 and no technical results: nothing is guessed."""
    declared = set(sender.transactions)
    technical = Transaction.LAB_5 in declared or header.component(21, 1).upper().startswith("LAB-29")
    return Transaction.LAB_3 in declared and not technical and header.component(9, 2).upper() in ("R22", "R24")


def _msh_9(kind: str, event: str, profile: str) -> list[Finding]:
    """Return what is wrong with MSH-9: the volet names the field, LTW its component."""
    of_volet = bool(profile) or kind == "MDM"
    if not kind:
        return [Finding("101", "MSH^1^9", "hl7.type-missing", "MSH-9 est vide.")]
    if kind not in _EVENTS or (profile and kind not in ("ORU", "MDM")):
        return [
            Finding(
                "200",
                "MSH^1^9" if of_volet else "MSH^1^9^1",
                "hl7.type-unsupported",
                "Type de message non pris en charge.",
                rejects=True,
            )
        ]
    if kind == "MDM" and not profile:
        return [Finding("200", "MSH^1^21", "volet.profile-unknown", "MDM sans profil CISIS_CDA_HL7.", rejects=True)]
    if event not in _EVENTS[kind]:
        place = "MSH^1^9" if of_volet else "MSH^1^9^2"
        return [Finding("201", place, "hl7.event-unsupported", "Événement non pris en charge.", rejects=True)]
    return []


def _msh_rest(header: Header, kind: str, profile: str, processing_ids: frozenset[str]) -> list[Finding]:
    found = [
        Finding("101", f"MSH^1^{number}", reason, f"MSH-{number} est vide.")
        for number, reason in _REQUIRED
        if not header.field(number)
    ]
    if header.field(11) and header.component(11, 1) not in processing_ids:
        text = "Mode de traitement (MSH-11) non admis ici."
        found.append(Finding("202", "MSH^1^11", "hl7.processing-id", text, rejects=True))
    versions = (_VOLET_VERSIONS if profile else _LTW_VERSIONS).get(kind)
    if versions and header.field(12) and header.component(12, 1) not in versions:
        found.append(Finding("203", "MSH^1^12", "hl7.version", "Version HL7 non prise en charge.", rejects=True))
    if profile and profile not in _PROFILES:
        text = "Version du profil (MSH-21) non prise en charge."
        found.append(Finding("203", "MSH^1^21", "volet.profile-version", text, rejects=True))
    return sorted(found, key=lambda each: int(each.location.rsplit("^", 1)[1]))


def refusal_code(route_: Route, sender: Sender, findings: tuple[Finding, ...]) -> str:
    """Return AR or AE. The volet keeps AR for what may pass later; HL7 also rejects a wrong MSH-9, 11 or 12 with it."""
    if route_.kind is Kind.RELAY or not sender.rejects_as_ar:
        return "AE"
    return "AR" if any(finding.rejects for finding in findings) else "AE"
