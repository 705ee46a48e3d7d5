"""What a sender's entry allows: who may speak for it, which transactions, which versions."""

from ingest_hl7.core.peer import Peer
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender, Stage, Transaction
from labohub.standards.er7 import Header
from labohub.standards.hl7.findings import Finding

_ORDERS = {Transaction.LAB_1, Transaction.LAB_2, Transaction.LAB_4}
_POSSIBLE: dict[tuple[str, str], set[Transaction]] = {
    ("ORU", "R01"): {Transaction.LAB_3, Transaction.LAB_36},
    ("OUL", "R22"): {Transaction.LAB_3, Transaction.LAB_5, Transaction.LAB_29},
    ("OUL", "R23"): {Transaction.LAB_5},
    ("OUL", "R24"): {Transaction.LAB_3, Transaction.LAB_5},
    ("OML", "O21"): {*_ORDERS, Transaction.LAB_35},
    ("OML", "O33"): {*_ORDERS, Transaction.LAB_28},
    ("OML", "O35"): _ORDERS,
}


def speaks_for_another(registry: Registry, sender: Sender, peer: Peer) -> Finding | None:
    """Return the refusal of a peer that is not the sender it names."""
    if registry.may_speak(sender, peer):
        return None
    text = "Le certificat ou l'accès présenté n'est pas celui de cet émetteur."
    return Finding("207", "MSH^1^3", "hl7.sender-not-proved", text)


def possible_transactions(header: Header, profile: str) -> set[Transaction]:
    """Return the transactions a message may belong to, by MSH-9 and MSH-21; empty when its type is of none."""
    kind, event = header.component(9, 1).upper(), header.component(9, 2).upper()
    if profile or kind == "MDM":
        return {Transaction.CDA}
    if kind == "ADT":
        return {Transaction.PAM}
    if header.component(21, 1).upper().startswith("LAB-29"):
        return {Transaction.LAB_29}
    return _POSSIBLE.get((kind, event), set())


def not_allowed(header: Header, sender: Sender, profile: str) -> list[Finding]:
    """Return what the sender's entry does not allow, though the hub knows it."""
    found = []
    possible = possible_transactions(header, profile) if sender.transactions else set()
    if possible and possible.isdisjoint(sender.transactions):
        text = "Transaction non déclarée pour cet émetteur."
        found.append(Finding("200", "MSH^1^9", "hl7.transaction-not-declared", text, rejects=True))
    if sender.versions and header.component(12, 1) not in sender.versions:
        text = "Version HL7 non déclarée pour cet émetteur."
        found.append(Finding("203", "MSH^1^12", "hl7.version-not-declared", text, rejects=True))
    return found


def processing_ids(sender: Sender, accepted: frozenset[str]) -> frozenset[str]:
    """Return the values of MSH-11 this sender may write among those that the installation accepts."""
    return accepted & {"P"} if sender.stage is Stage.PRODUCTION else accepted
