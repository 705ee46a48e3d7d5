"""The DMP over HTTPS."""

import ssl
from time import perf_counter
from typing import Final

import httpx
from prometheus_client import Histogram

from dmp_feeder.core.lot import Call
from dmp_feeder.ports import DmpRejectsUs, DmpUnreachable, Reply
from dmp_feeder.settings import DmpFeederSettings
from labohub.errors import Refused
from labohub.standards.mtom import is_package, read_package
from labohub.standards.soap import read_envelope
from labohub.standards.xds.answers import read_answer

CALL_SECONDS = Histogram("dmp_feeder_call_seconds", "Time of a call to the DMP.", ["endpoint", "outcome"])
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024  # a registry response is a few kilobytes


class HttpDmp:
    """The DMP's services, one pool of kept-alive connections. Retries are not made here: they need a new VIHF."""

    def __init__(self, settings: DmpFeederSettings, context: ssl.SSLContext) -> None:
        self._addresses = {"repository": str(settings.repository_url), "registry": str(settings.registry_url)}
        busiest = settings.batch_size * settings.concurrency
        self._client = httpx.AsyncClient(
            verify=context,
            timeout=httpx.Timeout(settings.answer_timeout_seconds, connect=settings.connect_timeout_seconds),
            limits=httpx.Limits(max_connections=busiest, max_keepalive_connections=busiest, keepalive_expiry=30.0),
            trust_env=False,
            follow_redirects=False,
        )

    def address(self, endpoint: str) -> str:
        """Return the URL of `repository` or `registry`."""
        return self._addresses[endpoint]

    async def send(self, call: Call) -> Reply:
        """Return the answer to a request. Raises: DmpUnreachable, DmpRejectsUs."""
        started, outcome = perf_counter(), "unreachable"
        try:
            reply = await self._post(call)
            outcome = "fault" if reply.fault else reply.answer.status.lower() if reply.answer else "none"
            return reply
        finally:
            CALL_SECONDS.labels(call.endpoint, outcome).observe(perf_counter() - started)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, call: Call) -> Reply:
        headers = {"Content-Type": call.package.content_type, "Accept": "multipart/related, application/soap+xml"}
        try:
            response = await self._client.post(
                self._addresses[call.endpoint], content=call.package.body, headers=headers
            )
        except httpx.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
                raise DmpRejectsUs("TLS was refused") from None
            raise DmpUnreachable("no connection") from None
        except httpx.HTTPError:
            raise DmpUnreachable("no answer") from None
        if response.status_code in (401, 403):
            raise DmpRejectsUs(f"HTTP {response.status_code}")
        try:
            return _read(response.headers.get("content-type", ""), response.content[:MAX_ANSWER_BYTES])
        except Refused:
            raise DmpUnreachable(f"HTTP {response.status_code} without a SOAP answer") from None


def _read(content_type: str, body: bytes) -> Reply:
    """Return what an answer says. The content type decides, not the HTTP status: a fault comes with 500."""
    data = read_package(content_type, body)[0].data if is_package(content_type) else body
    envelope = read_envelope(data)
    if envelope.fault is not None:
        return Reply(fault=envelope.fault)
    return Reply(answer=read_answer(envelope.body))
