"""`POST /api/v1/hl7`.

Source: HL7 over HTTP as HAPI specifies it: the answer is the HL7 acknowledgement with status 200, whatever its letter.
"""

import codecs
import email.message

from fastapi import APIRouter, Request, Response

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Caller, Scope
from ingest_hl7.adapters.intake import Intake
from ingest_hl7.core.peer import Peer
from ingest_hl7.core.registry import Registry
from labohub.runtime.http import problem
from labohub.standards import er7
from labohub.standards.mllp import FrameReader, FrameTooLarge

HL7 = "application/hl7-v2"
ACCEPTED_TYPES = frozenset((HL7, "x-application/hl7-v2+er7", "text/plain"))


def routes(intake: Intake, access: Access, registry: Registry, max_bytes: int) -> APIRouter:
    """Return the service's routes."""
    router = APIRouter(prefix="/api/v1", tags=["hl7"])

    @router.post("/hl7", response_class=Response, responses={200: {"content": {HL7: {}}}})
    async def receive(request: Request) -> Response:
        """Take one ER7 message and answer its HL7 acknowledgement."""
        caller = await access.admit(request, Scope.HL7)
        if isinstance(caller, Response):
            return caller
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in ACCEPTED_TYPES:
            return problem(415, "http.media-type", "Content-Type must be application/hl7-v2")
        body = await _body(request, max_bytes)
        if body is None:
            return problem(413, "http.too-large", "the message is larger than the limit")
        if not body:
            return problem(400, "http.empty", "the body holds no whole message, or more than one")
        senders = _senders(body)
        for application, facility in senders:
            if refusal := await access.check_sender(request, caller, application, facility):
                return refusal
        peer, tolerated = _peer(request, caller, senders, registry), _charset_conflict(request, body)
        answers = (await intake.take(body, "http", peer, tolerated=tolerated)).answers
        if not answers:
            return Response(status_code=202)
        return Response(b"".join(answers[-1:] if len(answers) < 3 else answers), media_type=HL7)

    return router


def _charset_conflict(request: Request, body: bytes) -> tuple[str, ...]:
    """Return the warning of a message whose Content-Type names another character set than MSH-18, which decides."""
    message = email.message.Message()
    message["content-type"] = request.headers.get("content-type", "")
    header = er7.read_header(body)
    codec = er7.codec_of(header.component(18, 1)) if header is not None else None
    try:
        told = codecs.lookup(message.get_content_charset("")).name
    except LookupError:
        return ()
    return ("http.charset-differs",) if codec is not None and codecs.lookup(codec).name != told else ()


async def _body(request: Request, max_bytes: int) -> bytes | None:
    """Return the message, its MLLP characters removed; None beyond the limit: no more is read."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > max_bytes:
            return None
    data = bytes(received)
    if data[:1] != b"\x0b":
        return data
    try:
        frames = FrameReader(max_bytes, end_without_cr=True).feed(data)
    except FrameTooLarge:
        return None
    return frames[0] if len(frames) == 1 else b""  # of several none: one answer would speak for all


def _senders(body: bytes) -> list[tuple[str, str]]:
    """Return MSH-3 and MSH-4 (first components) of each message of the body; none of what has no MSH."""
    try:
        batch = er7.split_batch(body)
    except er7.BatchTooLarge:  # the intake refuses it
        return []
    headers = [er7.read_header(message) for message in (batch.messages if batch else (body,))]
    return list(dict.fromkeys((each.component(3, 1), each.component(4, 1)) for each in headers if each is not None))


def _peer(request: Request, caller: Caller, senders: list[tuple[str, str]], registry: Registry) -> Peer:
    """Return the other end as the intake knows it: a key proves whose entry it uses."""
    address = request.client.host if request.client else ""
    known = {entry.label for names in senders if (entry := registry.named(*names)) is not None}
    return Peer(address=address, entry=known.pop() if caller.senders and len(known) == 1 else "")
