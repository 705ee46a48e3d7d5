"""Who is at the other end of a connection, as far as the transport knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end. With mutual TLS its certificate says who it is; MSH-3 and MSH-4 only claim it."""

    address: str = ""  # of the network, without its port
    port: int = 0  # of ours: a listener may be kept for one sender
    certificate_subject: str = ""  # RFC 4514; "" without a client certificate
    certificate_sha256: str = ""  # of the DER form, lower-case hexadecimal

    @property
    def is_authenticated(self) -> bool:
        """Return whether a certificate that we trust was shown."""
        return bool(self.certificate_sha256)


NOBODY = Peer()
