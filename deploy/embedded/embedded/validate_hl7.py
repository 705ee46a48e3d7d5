"""HL7 messages checked without a hub: what the intake would answer, and what departs from the message's profile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from embedded.cli.files import messages_in
from ingest_hl7.core.decision import Decision, Refusal, Silent
from ingest_hl7.core.intake import Policy, arrive, decide
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender
from labohub.standards import er7
from labohub.standards.hl7 import findings
from labohub.standards.hl7.profiles import examine, profile_for

ERROR, WARNING = "error", "warning"
_REAL_AUTHORITIES = (b"1.2.250.1.213.1.4.8&", b"1.2.250.1.213.1.4.9&")  # INS-NIR, INS-NIA: not for tests
_AT = datetime(2000, 1, 1, tzinfo=UTC)  # when it is received changes nothing here
_ENGLISH = {  # table 0357, and CI-SIS
    "0": "accepted, but to be looked at",
    "100": "a segment is missing or out of place",
    "101": "a required field is missing",
    "102": "the data does not have the form its type wants",
    "103": "a code that its table does not hold",
    "198": "an element is there too often or not often enough",
    "199": "the message contradicts itself, or its document",
    "200": "a message type that is not taken",
    "201": "an event that is not taken",
    "202": "a processing mode (MSH-11) that is not taken",
    "203": "a version that is not taken",
    "204": "it refers to something unknown",
    "205": "an identifier used before for something else",
    "207": "it cannot be taken",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one message of a file. Nothing of a patient."""

    message: int  # its position in the file, from 1
    level: str  # error: the hub would refuse it; warning
    code: str
    place: str  # segment^occurrence^field…, as in ERR-2
    text: str


def explain(data: bytes, lang: str = "fr") -> list[Finding]:
    """Return what is wrong with the messages of a file (frames, a batch, or bare), in French or English.

    Decided as for a sender without particular entry. Raises: NoMessage.
    """
    return [each for number, raw in enumerate(messages_in(data), start=1) for each in _of_message(raw, number, lang)]


def _of_message(raw: bytes, number: int, lang: str) -> Iterator[Finding]:
    environment = "production" if any(oid in raw for oid in _REAL_AUTHORITIES) else "test"
    policy = Policy(environment, frozenset("PTD"), Registry((Sender(),)))
    decision, tolerated = decide(arrive(raw, policy, _AT), policy)
    said: set[tuple[str, str]] = set()
    for finding, level in _decided(decision):
        said.add((finding.condition, finding.location))
        yield _finding(finding, level, number, lang)
    for code in tolerated:
        text = "toléré à la lecture" if lang == "fr" else "tolerated when read"
        yield Finding(number, WARNING, code, "MSH^1", text)
    for finding in _profile(raw):
        if (finding.condition, finding.location) not in said:
            yield _finding(finding, WARNING, number, lang)


def _decided(decision: Decision) -> Iterator[tuple[findings.Finding, str]]:
    if isinstance(decision, Refusal):
        yield from ((each, ERROR) for each in decision.findings)
    elif not isinstance(decision, Silent):
        yield from ((each, WARNING) for each in decision.warnings)


def _profile(raw: bytes) -> list[findings.Finding]:
    try:
        message = er7.read(raw, fallback="iso8859-15")
    except (er7.Er7Malformed, er7.CharsetUnknown, er7.Undecodable):
        return []  # the decision said so
    profile = profile_for(message)
    return examine(message, profile) if profile is not None else []


def _finding(finding: findings.Finding, level: str, number: int, lang: str) -> Finding:
    text = finding.text if lang == "fr" else _ENGLISH.get(finding.condition, "see the code")
    return Finding(number, level, finding.reason, finding.location, text)
