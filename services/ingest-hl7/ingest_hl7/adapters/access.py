"""The guard of the HTTP doors: 401 without a key, 403 with the wrong one; what is refused is kept, but cannot flood."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from prometheus_client import Counter

from ingest_hl7.adapters.api_keys import Caller, KeyRing, Scope
from ingest_hl7.adapters.sgl_tables import refused_calls
from ingest_hl7.adapters.tls import peer_with
from ingest_hl7.core.registry import Registry
from ingest_hl7.ports import IngestUnit
from labohub.runtime.clock import Clock
from labohub.runtime.http import problem
from labohub.runtime.http_tls import peer_certificate
from labohub.runtime.logging import get_logger
from labohub.store.unit import Units

log = get_logger(__name__)

ANYBODY = Caller("anybody")
CERTIFICATE_SCOPES = (Scope.HL7, Scope.EVENTS, Scope.READ)
QUIET_SECONDS = 60  # between two lines about the same caller and reason
MAX_REMEMBERED = 1_000  # callers; the oldest is forgotten

REFUSED_CALLS = Counter("ingest_hl7_http_refused_total", "HTTP calls not let in", ["route", "code"])


@dataclass(slots=True)
class _Told:
    at: datetime
    since: int = 0


class Access:
    """Lets callers in, by key or certificate. Where keys are not required and none is configured, anybody."""

    def __init__(
        self, ring: KeyRing, registry: Registry, units: Units[IngestUnit], clock: Clock, *, required: bool
    ) -> None:
        self._ring = ring
        self._registry = registry
        self._units = units
        self._clock = clock
        self._required = required
        self._told: OrderedDict[tuple[str, str, str], _Told] = OrderedDict()

    async def admit(self, request: Request, scope: Scope) -> Caller | Response:
        """Return who calls, or the refusal to answer with. A certificate that an entry names stands for a key."""
        known = self._by_certificate(request)
        if known is not None:
            return known if scope in known.scopes else await self._refuse(request, 403, "auth.scope", known.id)
        if self._ring.is_empty and not self._required:
            return ANYBODY
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            return await self._refuse(request, 401, "auth.required", "")
        key = self._ring.find(presented.strip())
        if key is None:
            return await self._refuse(request, 401, "auth.key-unknown", "")
        if scope not in key.scopes:
            return await self._refuse(request, 403, "auth.scope", key.id)
        return Caller(key.id, key.scopes, key.senders)

    async def check_sender(self, request: Request, caller: Caller, application: str, facility: str) -> Response | None:
        """Return the refusal of a caller that speaks for somebody else; None when it may."""
        if caller.may_speak_for(application, facility):
            return None
        return await self._refuse(request, 403, "auth.other-sender", caller.id)

    def _by_certificate(self, request: Request) -> Caller | None:
        certificate = peer_certificate(request)
        if certificate is None:
            return None
        peer = peer_with(certificate, "", 0)
        names = tuple(name for entry in self._registry.of_peer(peer) for name in entry.names)
        return Caller(f"certificate {peer.fingerprint[:16]}", CERTIFICATE_SCOPES, names) if names else None

    async def _refuse(self, request: Request, status: int, code: str, key_id: str) -> Response:
        route = request.scope["route"].path
        REFUSED_CALLS.labels(route, code).inc()
        await self._note(route, code, key_id or (request.client.host if request.client else ""))
        answer = problem(status, code)
        if status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    async def _note(self, route: str, code: str, caller: str) -> None:
        """Write an audit line, unless one about the same was written less than a minute ago: then count."""
        now, what = self._clock(), (route, code, caller)
        told = self._told.get(what)
        if told is not None and now - told.at < timedelta(seconds=QUIET_SECONDS):
            told.since += 1
            return
        count = 1 + (told.since if told else 0)
        self._told[what] = _Told(now)
        self._told.move_to_end(what)
        while len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)
        log.warning("http.refused", path=route, code=code, address=caller, count=count)
        async with self._units() as unit:
            row = {"at": now, "route": route, "code": code, "caller": caller, "count": count}
            await unit.connection.execute(refused_calls.insert(), row)
