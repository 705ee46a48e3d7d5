"""The senders of one installation: who a message and a connection belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Book:
    senders: tuple[Sender, ...]
    unknown: Unknown
    by_names: Mapping[tuple[str, str], Sender]
    bindings: tuple[tuple[str, Sender], ...]


class Registry:
    """The senders of now. A reload replaces them all at once: nobody ever sees half of it."""

    def __init__(self, senders: tuple[Sender, ...], unknown: Unknown = Unknown.REFUSE) -> None:
        self.renew(senders, unknown)

    def renew(self, senders: tuple[Sender, ...], unknown: Unknown) -> None:
        """Replace every entry."""
        by_names = {(name.application, name.facility): sender for sender in senders for name in sender.names}
        bindings = tuple((binding, sender) for sender in senders for binding in sender.certificates)
        self._book = _Book(senders, unknown, by_names, bindings)

    @property
    def senders(self) -> tuple[Sender, ...]:
        """Return the entries, in the order of the files."""
        return self._book.senders

    @property
    def unknown(self) -> Unknown:
        """Return what becomes of the others."""
        return self._book.unknown

    def find(self, header: Header | None) -> Sender | None:
        """Return the entry for MSH-3 and MSH-4 (first components), the more exact first; None when nobody fits."""
        if header is None:
            return self._book.by_names.get(_ANY)
        return self.named(header.component(3, 1), header.component(4, 1))

    def named(self, application: str, facility: str) -> Sender | None:
        """Return the entry of a system that writes under these names, the more exact first; None when nobody fits."""
        by_names = self._book.by_names
        for key in ((application, facility), (application, ANYONE), (ANYONE, facility), _ANY):
            if key in by_names:
                return by_names[key]
        return None

    def labelled(self, label: str) -> Sender | None:
        """Return the entry of this label."""
        return next((sender for sender in self.senders if sender.label == label), None)

    def of_peer(self, peer: Peer) -> tuple[Sender, ...]:
        """Return the entries that name this peer's certificate; empty for a peer nobody named."""
        if not peer.fingerprint and not peer.subject:
            return ()
        found = {sender.label: sender for binding, sender in self._book.bindings if peer.is_named_by(binding)}
        return tuple(found.values())

    def may_speak(self, sender: Sender, peer: Peer) -> bool:
        """Return True when this peer may send as `sender`: a valid certificate must not speak for somebody else."""
        if peer.entry:
            return peer.entry == sender.label
        if sender.certificates:
            return any(peer.is_named_by(binding) for binding in sender.certificates)
        return not self.of_peer(peer)
