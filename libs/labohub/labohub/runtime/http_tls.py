"""TLS of the HTTP port: the server's certificate, and the callers' when they have one."""

import ssl
from asyncio import Transport
from typing import Any

from fastapi import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from labohub.errors import Misconfigured
from labohub.runtime.settings import LabohubSettings

_PEER = "peer_certificate"


class HttpTlsWrong(Misconfigured):
    """The certificate, key or authorities of the HTTP port cannot be used."""

    code = "http.tls-wrong"


def http_context(settings: LabohubSettings) -> ssl.SSLContext | None:
    """Return the context of the HTTP port; None for plain HTTP.

    With `http_tls_client_ca` a caller may show a certificate of these authorities; one of others is refused.

    Raises: HttpTlsWrong.
    """
    certificate, key, authorities = (
        settings.http_tls_certificate, settings.http_tls_key, settings.http_tls_client_ca,
    )  # fmt: skip
    if certificate is None and key is None and authorities is None:
        return None
    if certificate is None or key is None:
        raise HttpTlsWrong("LABOHUB_HTTP_TLS_CERTIFICATE and LABOHUB_HTTP_TLS_KEY go together")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        if authorities is not None:
            context.load_verify_locations(authorities)
            context.verify_mode = ssl.CERT_OPTIONAL
    except OSError:  # ssl.SSLError is one
        raise HttpTlsWrong("LABOHUB_HTTP_TLS_…: a file cannot be read, or they do not belong together") from None
    return context


class WithPeer(H11Protocol):
    """HTTP that remembers the caller's certificate for its requests."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Keep the certificate that the handshake verified."""
        session = transport.get_extra_info("ssl_object")
        certificate = session.getpeercert(binary_form=True) if session is not None else None
        self.app_state: dict[str, Any] = {**self.app_state, **({_PEER: certificate} if certificate else {})}
        super().connection_made(transport)


def peer_certificate(request: Request) -> bytes | None:
    """Return the certificate (DER) that the caller proved to be its own; None without one."""
    found = request.scope.get("state", {}).get(_PEER)
    return found if isinstance(found, bytes) else None
