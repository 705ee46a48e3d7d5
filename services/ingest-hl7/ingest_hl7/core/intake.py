"""From bytes to a decision: the one path that every message takes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from ingest_hl7.core import admission, adt, orders, relay, structuring, technical
from ingest_hl7.core.decision import Decision, Quarantined, Receipt, Refusal, Silent
from ingest_hl7.core.peer import NO_PEER, Peer
from ingest_hl7.core.reading import as_meant
from ingest_hl7.core.registry import Registry, Unknown
from ingest_hl7.core.routing import Kind, Route, refusal_code, route
from ingest_hl7.core.senders import Sender
from labohub.contracts.codec import derived_id
from labohub.standards import er7
from labohub.standards.er7 import Header, Message
from labohub.standards.hl7.findings import Finding

NO_AR_FOR_UNKNOWN = "AE"
_VOLET_CHARSETS = {"8859/1": "iso8859-15"}  # the volet knows 8859/15 alone; 8859/1 is written for it
_VOLET_FALLBACK = "iso8859-15"
_UNUSABLE = "Séparateurs de MSH inutilisables."


@dataclass(frozen=True, slots=True)
class Policy:
    """What the installation says."""

    environment: str
    processing_ids: frozenset[str]
    registry: Registry


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came: its MSH, its sender, what identifies it."""

    raw: bytes
    header: Header | None
    sender: Sender | None
    receipt: Receipt
    sha256: str
    peer: Peer = NO_PEER
    tolerated: tuple[str, ...] = ()  # codes of what the transport forgave


def arrive(
    raw: bytes, policy: Policy, received_at: datetime, *, peer: Peer = NO_PEER, tolerated: tuple[str, ...] = ()
) -> Arrival:
    """Return the arrival of these bytes. The same bytes from the same sender are the same message."""
    header = er7.read_header(raw)
    digest = hashlib.sha256(raw).hexdigest()
    parts = [header.component(3, 1), header.component(4, 1), header.field(10)] if header else ["", "", ""]
    receipt = Receipt(derived_id("message", *parts, digest), "\x1f".join(parts), received_at)
    return Arrival(raw, header, policy.registry.find(header), receipt, digest, peer, tolerated)


def decide(arrival: Arrival, policy: Policy) -> tuple[Decision, tuple[str, ...]]:
    """Return the decision, and the codes of what was tolerated on the way."""
    header, sender = arrival.header, arrival.sender
    if header is None:
        finding = Finding("100", "MSH^1", "er7.no-header", "Aucun segment MSH lisible.")
        return Refusal("AE", (finding,)), ()
    if sender is None and policy.registry.unknown is Unknown.QUARANTINE:
        is_answer = route(header, Sender(), policy.processing_ids).kind is Kind.ANSWER
        return Silent("hl7.unexpected-answer") if is_answer else Quarantined("hl7.sender-unknown"), ()
    if sender is None:
        finding = Finding("207", "MSH^1^3", "hl7.sender-unknown", "Émetteur inconnu de cette installation.")
        return Refusal(NO_AR_FOR_UNKNOWN, (finding,)), ()
    way = route(header, sender, admission.processing_ids(sender, policy.processing_ids))
    if way.kind is Kind.ANSWER:
        return Silent("hl7.unexpected-answer"), ()
    stranger = admission.speaks_for_another(policy.registry, sender, arrival.peer)
    if stranger is not None:
        return Refusal("AE", (stranger,), way.style), ()
    refusals = (*way.refusals, *admission.not_allowed(header, sender, way.profile))
    refusal = Refusal(refusal_code(way, sender, refusals), refusals, way.style) if refusals else None
    if refusal is not None and way.kind is Kind.RELAY:  # the volet looks at MSH first; LTW at what can be read at all
        return refusal, ()
    message, finding_ = _read(arrival.raw, header, way, sender)
    if message is None:
        assert finding_ is not None
        return Refusal("AE", (finding_,), way.style), ()
    if refusal is not None:
        return refusal, ()
    message = as_meant(message, sender)
    return _decide(message, way, arrival.receipt, sender, policy), message.warnings


def _read(raw: bytes, header: Header, way: Route, sender: Sender) -> tuple[Message | None, Finding | None]:
    if way.kind is not Kind.RELAY and not _declares_four(header):
        return None, Finding("102", "MSH^1^2", er7.Er7Malformed.code, _UNUSABLE)
    aliases = {**_VOLET_CHARSETS, **sender.charsets} if way.profile else sender.charsets
    fallback = sender.charset_fallback or (_VOLET_FALLBACK if way.profile else "")
    try:
        return er7.read(raw, aliases=aliases, fallback=fallback), None
    except er7.CharsetUnknown as error:
        return None, Finding("103", "MSH^1^18", error.code, "Jeu de caractères (MSH-18) inconnu.")
    except er7.Undecodable as error:
        return None, Finding("102", "MSH^1^18", error.code, "Octets étrangers au jeu de caractères annoncé (MSH-18).")
    except er7.StrayLine as error:
        return None, Finding("100", error.location, error.code, "Une ligne ne commence pas par un segment.")
    except er7.Er7Malformed as error:
        condition = "102" if error.location.endswith("^2") else "100"
        return None, Finding(condition, error.location, error.code, _UNUSABLE)


def _declares_four(header: Header) -> bool:
    """Return True when MSH-2 says all four separators in ASCII; only the volet's examples write others, or less."""
    return len(header.fields[2]) >= len("^~\\&") and header.fields[2].isascii()


def _decide(message: Message, way: Route, receipt: Receipt, sender: Sender, policy: Policy) -> Decision:
    environment = sender.environment(policy.environment)
    if way.kind is Kind.RELAY:
        return relay.decide(message, way.profile, receipt, sender, environment)
    if way.kind is Kind.RESULTS and not technical.is_control(message):
        return structuring.decide(message, receipt, sender, environment)
    if way.kind is Kind.PATIENT:
        return adt.decide(message, sender, environment)
    if way.kind is Kind.ORDER:
        return orders.decide(message, sender, environment)
    return technical.decide(message, sender, environment)
