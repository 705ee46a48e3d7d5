"""`POST /api/v1/events`: what the laboratory's system says beside HL7, and what became of it."""

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import or_, select

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.api_keys import Scope
from ingest_hl7.adapters.sgl_desk import Presented, Reply, SglDesk
from ingest_hl7.adapters.sgl_tables import sgl_events
from ingest_hl7.core.sgl_refusals import EventIdReused
from labohub.contracts import sgl
from labohub.runtime.http import problem
from labohub.store.blobs import Blobs
from labohub.store.database import Database

MAX_BODY_BYTES = 64 * 1024  # fifty recipients take about 20 kB
MAX_FOUND = 20
JSON, SCHEMA = "application/json", "application/schema+json"


def event_routes(desk: SglDesk, access: Access, database: Database, blobs: Blobs) -> APIRouter:
    """Return the routes of the SGL events."""
    router = APIRouter(prefix="/api/v1/events", tags=["events"])

    @router.post("", status_code=202, openapi_extra={"requestBody": _request_body()})
    async def receive(request: Request, idempotency_key: Annotated[str | None, Header()] = None) -> Response:
        """Take one event. The answer comes when it is durable and has had its effect."""
        caller = await access.admit(request, Scope.EVENTS)
        if isinstance(caller, Response):
            return caller
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
            return problem(415, "http.media-type", "Content-Type must be application/json")
        body = await _body(request)
        if body is None:
            return problem(413, "http.too-large", "the event is larger than the limit")
        try:
            event = sgl.read_event(_parsed(body, idempotency_key))
        except sgl.EventMalformed as error:
            places = [{"place": place, "rule": rule} for place, rule in error.places]
            return problem(422, error.code, errors=places)
        if refusal := await access.check_sender(request, caller, event.source.application, event.source.facility):
            return refusal
        digest = hashlib.sha256(event.model_dump_json().encode()).hexdigest()
        ref = await blobs.put(body, JSON)
        try:
            reply = await desk.take(Presented(event, digest, ref, caller.id))
        except EventIdReused as error:
            await blobs.erase(ref)
            return problem(error.status, error.code)
        if reply.replayed:
            await blobs.erase(ref)
        return _answer(reply)

    @router.get("/schemas")
    async def schemas() -> dict[str, Any]:
        """List the types of events, each with the address of its JSON Schema."""
        return {"types": {kind: f"/api/v1/events/schemas/{kind}" for kind in sgl.TYPES}}

    @router.get("/schemas/{kind}", response_class=Response, responses={200: {"content": {SCHEMA: {}}}})
    async def schema(kind: Annotated[str, Path(max_length=64)]) -> Response:
        """Return the JSON Schema of a type of event."""
        if kind not in sgl.TYPES:
            return problem(404, "event.type-unknown", "no such type of event")
        return JSONResponse(sgl.schema_of(kind), media_type=SCHEMA)

    @router.get("/{event_id}")
    async def became(request: Request, event_id: Annotated[str, Path(max_length=64)]) -> Response:
        """Return what became of an event, by the hub's identifier or by the sender's own."""
        caller = await access.admit(request, Scope.READ)
        if isinstance(caller, Response):
            return caller
        table = sgl_events
        query = select(table).where(or_(table.c.event_id == event_id, table.c.id == event_id)).limit(MAX_FOUND)
        async with database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        mine = [row for row in rows if caller.may_speak_for(row["application"], row["facility"])]
        if not mine:
            return problem(404, "event.unknown", "no such event")
        if len(mine) > 1:
            return problem(409, "event.ambiguous", "several sources used this id: ask by event_id")
        [row] = mine
        became_of = orjson.loads(row["answer"])
        return JSONResponse({**became_of, "occurred_at": row["occurred_at"].isoformat(), "key": row["key_id"]})

    return router


def _answer(reply: Reply) -> Response:
    headers = {"Location": f"/api/v1/events/{reply.content['event_id']}"}
    if reply.replayed:
        headers["Idempotency-Replayed"] = "true"
    if reply.status >= 400:
        answer = problem(reply.status, reply.content["code"], event_id=reply.content["event_id"])
        answer.headers.update(headers)
        return answer
    return JSONResponse(reply.content, reply.status, headers=headers)


def _parsed(body: bytes, key: str | None) -> Any:
    """Return the parsed body; the header may stand for its `id`, and may not contradict it."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise sgl.EventMalformed((("event", "json_invalid"),)) from None
    if key is not None and isinstance(parsed, dict):
        wanted = key.strip().strip('"')
        if parsed.setdefault("id", wanted) != wanted:
            raise sgl.EventMalformed((("id", "idempotency_key_differs"),))
    return parsed


async def _body(request: Request) -> bytes | None:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BODY_BYTES:
            return None
    return bytes(received)


def _request_body() -> dict[str, Any]:
    choices = [_inlined(schema, schema.get("$defs", {})) for schema in map(sgl.schema_of, sgl.TYPES)]
    return {"required": True, "content": {JSON: {"schema": {"oneOf": choices}}}}


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references: an OpenAPI document has other places for them."""
    if isinstance(part, list):
        return [_inlined(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        rest = {name: value for name, value in part.items() if name != "$ref"}
        return _inlined({**definitions[part["$ref"].rpartition("/")[2]], **rest}, definitions)
    return {name: _inlined(value, definitions) for name, value in part.items() if name != "$defs"}
