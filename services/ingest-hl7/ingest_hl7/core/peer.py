"""Who is at the other end of a connection, as far as the transport knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end. With mutual TLS its certificate says who it is; MSH-3 and MSH-4 only claim it."""

    fingerprint: str = ""  # SHA-256 of its certificate, lower-case hexadecimal; "" without one
    subject: str = ""  # RFC 4514, e.g. `CN=sgl.labo-tilleuls,O=LBM`
    address: str = ""  # of the network, without its port
    port: int = 0  # of ours: a listener may be kept for one sender
    entry: str = ""  # label of the sender whose drop folder or API key it used: proof enough

    def is_named_by(self, binding: str) -> bool:
        """Return True when a binding is this peer's fingerprint, its subject, or attributes of its subject."""
        if self.fingerprint and binding.replace(":", "").lower() == self.fingerprint:
            return True
        wanted = _attributes(binding)
        return bool(wanted) and wanted <= _attributes(self.subject)


NO_PEER = Peer()


def _attributes(name: str) -> frozenset[str]:
    """Return the attributes of a name, order and case left aside; empty when it is not one."""
    parts = [part.strip().lower() for part in name.replace("\\,", "\0").split(",") if part.strip()]
    return frozenset(parts) if parts and all("=" in part for part in parts) else frozenset()
