"""INSi over HTTPS with the software certificate."""

import asyncio
import itertools
import ssl
import time
from collections.abc import Callable
from uuid import uuid4

import httpx
from prometheus_client import Counter, Histogram

from ins_qualifier.ports import InsiMisconfigured, InsiUnavailable, Reply
from ins_qualifier.settings import InsQualifierSettings
from labohub.errors import Refused
from labohub.runtime.clock import Clock
from labohub.standards.ins.insi_answer import Answer, AnswerUnusable, InsiFault, read_answer
from labohub.standards.ins.insi_request import CONTENT_TYPE, CallContext, SearchQuery, build_search

CALLS = Counter("ins_qualifier_insi_calls_total", "Calls to INSi by their outcome.", ["outcome"])
CALL_SECONDS = Histogram("ins_qualifier_insi_call_seconds", "Time of a call to INSi.")
KEEP_ALIVE_SECONDS = 50.0
POOL_CONNECTIONS = 8  # httpx looks at every connection of a pool on every call: small pools cost less
MAX_ANSWER_BYTES = 1024 * 1024  # an answer is some kilobytes


class InsiClient:
    """Connections kept open, in small pools used in turn."""

    def __init__(
        self, settings: InsQualifierSettings, clock: Clock, new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        """Prepare the client. Raises: InsiMisconfigured when the certificate cannot be used."""
        self._url = settings.insi_url
        self._software = settings.software()
        self._clock, self._new_id = clock, new_id
        self._total_seconds = settings.call_timeout_seconds
        tls = _tls(settings)
        self._clients = [_client(settings, tls) for _ in range(-(-settings.connections // POOL_CONNECTIONS))]
        self._next = itertools.cycle(self._clients)

    async def search(self, query: SearchQuery, message_id: str) -> Reply:
        """Return the reply to a search by traits.

        Raises:
            InsiUnavailable: no connection, no answer in time, or an answer that is not SOAP.
            InsiMisconfigured: the TLS handshake or the address is refused.
        """
        started = time.perf_counter()
        context = CallContext(message_id, self._new_id(), self._new_id(), self._clock(), self._url)
        try:
            response = await self._post(build_search(query, self._software, context))
            outcome = _read(response)
        except (InsiUnavailable, InsiMisconfigured) as error:
            CALLS.labels(error.code).inc()
            raise
        reply = Reply(outcome, response.content)
        CALLS.labels(reply.code).inc()
        CALL_SECONDS.observe(time.perf_counter() - started)
        return reply

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()

    async def _post(self, content: bytes) -> httpx.Response:
        try:
            async with asyncio.timeout(self._total_seconds):
                return await next(self._next).post(self._url, content=content)
        except httpx.HTTPError as error:
            if _is_refused_by_tls(error):
                raise InsiMisconfigured("the TLS handshake with INSi is refused") from None
            raise InsiUnavailable("INSi cannot be reached") from None
        except (TimeoutError, OSError):
            raise InsiUnavailable("INSi does not answer in time") from None


def _read(response: httpx.Response) -> Answer | InsiFault | None:
    """Return what a response says; None when it is SOAP without all that a decision needs."""
    if response.status_code in (401, 403, 404):
        raise InsiMisconfigured(f"INSi answers HTTP {response.status_code}")
    if response.status_code not in (200, 500) or len(response.content) > MAX_ANSWER_BYTES:
        raise InsiUnavailable(f"INSi answers HTTP {response.status_code}")
    try:
        return read_answer(response.content)
    except AnswerUnusable:
        return None
    except Refused:
        raise InsiUnavailable("INSi does not answer with SOAP") from None


def _client(settings: InsQualifierSettings, tls: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=tls,
        timeout=httpx.Timeout(settings.call_timeout_seconds, connect=settings.connect_timeout_seconds),
        limits=httpx.Limits(
            max_connections=POOL_CONNECTIONS,
            max_keepalive_connections=POOL_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        ),
        headers={"Content-Type": CONTENT_TYPE, "Accept": "application/soap+xml"},
        trust_env=False,
    )


def _tls(settings: InsQualifierSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError):
        raise InsiMisconfigured("INS_QUALIFIER_CA_FILE, CERTIFICATE_FILE or KEY_FILE cannot be used") from None
    return context


def _is_refused_by_tls(error: BaseException | None) -> bool:
    """Return whether a certificate is at fault, ours or theirs. httpx hides it below its own errors."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            reason = error.reason or ""
            return isinstance(error, ssl.SSLCertVerificationError) or "ALERT" in reason
        error = error.__cause__ or error.__context__
    return False
