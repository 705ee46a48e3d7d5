"""INSi over HTTPS with the software certificate."""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import httpx
from prometheus_client import Counter, Histogram

from ins_qualifier.adapters.insi_certificate import serial_number, tls_context
from ins_qualifier.adapters.insi_pace import Pace
from ins_qualifier.adapters.insi_schemas import AnswerSchemas
from ins_qualifier.ports import InsiMisconfigured, InsiUnavailable, Reply
from ins_qualifier.settings import InsQualifierSettings
from labohub.errors import Refused
from labohub.runtime.clock import Clock
from labohub.standards.ins.insi_answer import Answer, AnswerUnusable, InsiFault, read_answer
from labohub.standards.ins.insi_card import SEARCH_BY_CARD, CardQuery, build_card_search
from labohub.standards.ins.insi_context import CallContext, content_type
from labohub.standards.ins.insi_request import SEARCH_BY_TRAITS, SearchQuery, build_search

CALLS = Counter("ins_qualifier_insi_calls_total", "Calls to INSi by their outcome.", ["outcome"])
CALL_SECONDS = Histogram("ins_qualifier_insi_call_seconds", "Time of a call to INSi.")
KEEP_ALIVE_SECONDS = 50.0
MAX_ANSWER_BYTES = 1024 * 1024  # an answer is some kilobytes


class InsiClient:
    """The téléservice over connections kept open."""

    def __init__(
        self, settings: InsQualifierSettings, clock: Clock, new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        """Prepare the client. Raises: InsiMisconfigured when the certificate or the schemas cannot be used."""
        self._url = settings.insi_url
        self._software = settings.software()
        self._clock, self._new_id = clock, new_id
        self._pace = Pace(settings.calls_per_second)
        self._schemas = AnswerSchemas(settings.insi_dir)
        self._connections = _Connections(settings)
        self._certificate = serial_number(settings.certificate_file)

    @property
    def certificate(self) -> str:
        """Return the serial number of the certificate that calls, in hexadecimal; empty without one."""
        return self._certificate

    async def turn(self, *, bulk: bool = False) -> None:
        """Return when the next call may start."""
        await self._pace.turn(bulk=bulk)

    async def search(self, query: SearchQuery, message_id: str) -> Reply:
        """Return the reply to a search by traits.

        Raises:
            InsiUnavailable: no connection, no answer in time, or an answer that is not SOAP.
            InsiMisconfigured: the TLS handshake or the address is refused.
        """
        return await self._call(SEARCH_BY_TRAITS, build_search(query, self._software, self._context(message_id)))

    async def search_by_card(self, query: CardQuery, message_id: str, assertions: Sequence[bytes] = ()) -> Reply:
        """Return the reply to a search by Vitale card. Raises: as `search`, and CardUnusable."""
        request = build_card_search(query, self._software, self._context(message_id), assertions)
        return await self._call(SEARCH_BY_CARD, request)

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    def _context(self, message_id: str) -> CallContext:
        return CallContext(message_id, self._new_id(), self._new_id(), self._clock(), self._url)

    async def _call(self, action: str, request: bytes) -> Reply:
        started = time.perf_counter()
        try:
            response = await self._connections.post(request, content_type(action))
            outcome = _read(response)
        except (InsiUnavailable, InsiMisconfigured) as error:
            CALLS.labels(error.code).inc()
            raise
        reply = Reply(outcome, response.content, self._schemas.judge(response.content))
        CALLS.labels(reply.code).inc()
        CALL_SECONDS.observe(time.perf_counter() - started)
        return reply


class _Connections:
    """HTTP clients of one connection each: httpx looks at every connection of a pool on every call."""

    def __init__(self, settings: InsQualifierSettings) -> None:
        self._url, self._total_seconds = settings.insi_url, settings.call_timeout_seconds
        tls = tls_context(settings)
        self._clients = [_client(settings, tls) for _ in range(settings.connections)]
        self._free = list(self._clients)  # the last used is the first taken: few stay open when few are needed
        self._places = asyncio.Semaphore(settings.connections)

    async def post(self, content: bytes, media_type: str) -> httpx.Response:
        """Return the response. Raises: InsiUnavailable, InsiMisconfigured."""
        async with self._places:
            client = self._free.pop()
            try:
                async with asyncio.timeout(self._total_seconds):
                    return await client.post(self._url, content=content, headers={"Content-Type": media_type})
            except httpx.HTTPError as error:
                if _is_refused_by_tls(error):
                    raise InsiMisconfigured("the TLS handshake with INSi is refused") from None
                raise InsiUnavailable("INSi cannot be reached") from None
            except (TimeoutError, OSError):
                raise InsiUnavailable("INSi does not answer in time") from None
            finally:
                self._free.append(client)

    async def close(self) -> None:
        """Close them all."""
        for client in self._clients:
            await client.aclose()


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
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_SECONDS),
        headers={"Accept": "application/soap+xml"},
        trust_env=False,
    )


def _is_refused_by_tls(error: BaseException | None) -> bool:
    """Return whether a certificate is at fault, ours or theirs. httpx hides it below its own errors."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            reason = error.reason or ""
            return isinstance(error, ssl.SSLCertVerificationError) or "ALERT" in reason
        error = error.__cause__ or error.__context__
    return False
