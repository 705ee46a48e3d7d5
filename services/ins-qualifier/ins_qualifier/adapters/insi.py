"""INSi over HTTPS with the software certificate."""

import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import httpcore
from prometheus_client import Counter, Histogram

from ins_qualifier.adapters.insi_certificate import serial_number
from ins_qualifier.adapters.insi_connections import Connections
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
        self._connections = Connections(settings)
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


def _read(response: httpcore.Response) -> Answer | InsiFault | None:
    """Return what a response says; None when it is SOAP without all that a decision needs."""
    if response.status in (401, 403, 404):
        raise InsiMisconfigured(f"INSi answers HTTP {response.status}")
    if response.status not in (200, 500) or len(response.content) > MAX_ANSWER_BYTES:
        raise InsiUnavailable(f"INSi answers HTTP {response.status}")
    try:
        return read_answer(response.content)
    except AnswerUnusable:
        return None
    except Refused:
        raise InsiUnavailable("INSi does not answer with SOAP") from None
