"""The senders of one installation: who a message and a connection belong to."""

from enum import StrEnum

from ingest_hl7.core.peer import Peer
from ingest_hl7.core.senders import ANYONE, Sender
from labohub.standards.er7 import Header

_ANY = (ANYONE, ANYONE)


class Unknown(StrEnum):
    """What becomes of a message whose sender has no entry."""

    REFUSE = "refuse"
    QUARANTINE = "quarantine"  # acknowledged, kept, and held until an operator says whose it is
    ACCEPT = "accept"


class Registry:
    """Finds senders; immutable, so that a reload replaces it whole."""

    def __init__(self, senders: tuple[Sender, ...], unknown: Unknown = Unknown.REFUSE) -> None:
        self.senders = senders
        self.unknown = unknown
        self._exact = {(name.application, name.facility): sender for sender in senders for name in sender.names}
        self._bound = [(binding, sender) for sender in senders for binding in sender.certificates]

    def find(self, header: Header | None) -> Sender | None:
        """Return the entry for MSH-3 and MSH-4 (first components), the more exact first; None when nobody fits."""
        if header is None:
            return self._exact.get(_ANY)
        application, facility = header.component(3, 1), header.component(4, 1)
        for key in ((application, facility), (application, ANYONE), (ANYONE, facility), _ANY):
            if key in self._exact:
                return self._exact[key]
        return None

    def labelled(self, label: str) -> Sender | None:
        """Return the entry of this label."""
        return next((sender for sender in self.senders if sender.label == label), None)

    def of_peer(self, peer: Peer) -> tuple[Sender, ...]:
        """Return the entries that name this peer's certificate; empty for a peer nobody named."""
        found = {sender.label: sender for binding, sender in self._bound if peer.is_named_by(binding)}
        return tuple(found.values())

    def may_speak(self, sender: Sender, peer: Peer) -> bool:
        """Return True when this peer may send as `sender`: a valid certificate must not speak for somebody else."""
        if peer.entry:
            return peer.entry == sender.label
        if sender.certificates:
            return any(peer.is_named_by(binding) for binding in sender.certificates)
        return not self.of_peer(peer)

