"""TLS of the listeners: whom we trust, and what a peer's certificate says."""

import ssl
from hashlib import sha256

from cryptography import x509

from ingest_hl7.core.peer import Peer
from ingest_hl7.settings import IngestSettings
from labohub.errors import Misconfigured


class TlsMisconfigured(Misconfigured):
    """The certificate, its key or the authorities cannot be read."""

    code = "mllp.tls-misconfigured"


def tls_context(settings: IngestSettings) -> ssl.SSLContext | None:
    """Return the TLS context of the settings, client certificate required; None when no certificate is set.

    Raises: TlsMisconfigured.
    """
    if settings.tls_certificate is None:
        return None
    if settings.tls_key is None or settings.tls_client_ca is None:
        raise TlsMisconfigured("INGEST_HL7_TLS_KEY and INGEST_HL7_TLS_CLIENT_CA go with INGEST_HL7_TLS_CERTIFICATE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        context.load_verify_locations(settings.tls_client_ca)
    except (OSError, ssl.SSLError):
        raise TlsMisconfigured("the files of INGEST_HL7_TLS_* cannot be used") from None
    return context


def peer_of(address: str, port: int, session: ssl.SSLObject | None) -> Peer:
    """Return who is at the other end: its address, and its certificate when it showed one."""
    certificate = session.getpeercert(binary_form=True) if session is not None else None
    return peer_with(certificate, address, port) if certificate else Peer(address=address, port=port)


def peer_with(certificate: bytes, address: str, port: int) -> Peer:
    """Return who showed this certificate (DER)."""
    return Peer(sha256(certificate).hexdigest(), _subject(certificate), address, port)


def _subject(certificate: bytes) -> str:
    try:
        return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except ValueError:  # OpenSSL takes it, a stricter reader does not: it still has its fingerprint
        return ""
