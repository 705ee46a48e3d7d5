"""Connections to INSi, kept open: mutual TLS, time-outs, and what went wrong in our words.

httpcore without httpx on top, one pool for each connection: a pool looks at all its connections on each call
(figures in docs/adr/0013-insi-client.md).
"""

import asyncio
import ssl

import httpcore

from ins_qualifier.adapters.insi_certificate import tls_context
from ins_qualifier.ports import InsiMisconfigured, InsiUnavailable
from ins_qualifier.settings import InsQualifierSettings

KEEP_ALIVE_SECONDS = 50.0


class Connections:
    """So many connections, each for one call at a time."""

    def __init__(self, settings: InsQualifierSettings) -> None:
        """Prepare them; none is opened. Raises: InsiMisconfigured."""
        self._url = settings.insi_url
        self._total_seconds, rest = settings.call_timeout_seconds, settings.call_timeout_seconds
        connect = settings.connect_timeout_seconds
        self._extensions = {"timeout": {"connect": connect, "read": rest, "write": rest, "pool": rest}}
        tls = tls_context(settings)
        self._all = [_connection(tls) for _ in range(settings.connections)]
        self._free = list(self._all)  # the last used is the first taken: few stay open when few are needed
        self._places = asyncio.Semaphore(settings.connections)

    async def post(self, content: bytes, media_type: str) -> httpcore.Response:
        """Return the response. Raises: InsiUnavailable, InsiMisconfigured."""
        headers = [("Content-Type", media_type), ("Accept", "application/soap+xml")]
        async with self._places:
            connection = self._free.pop()
            try:
                async with asyncio.timeout(self._total_seconds):
                    return await connection.request(
                        "POST", self._url, headers=headers, content=content, extensions=self._extensions
                    )
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
                if _is_refused_by_tls(error):
                    raise InsiMisconfigured("the TLS handshake with INSi is refused") from None
                raise InsiUnavailable("INSi cannot be reached") from None
            except (TimeoutError, OSError, httpcore.TimeoutException):
                raise InsiUnavailable("INSi does not answer in time") from None
            finally:
                self._free.append(connection)

    async def close(self) -> None:
        """Close them all."""
        for connection in self._all:
            await connection.aclose()


def _connection(tls: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=tls, max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_SECONDS
    )


def _is_refused_by_tls(error: BaseException | None) -> bool:
    """Return whether a certificate is at fault, ours or theirs. httpcore hides it below its own errors."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            reason = error.reason or ""
            return isinstance(error, ssl.SSLCertVerificationError) or "ALERT" in reason
        error = error.__cause__ or error.__context__
    return False
