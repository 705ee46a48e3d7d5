"""One HTTP application for the services of a process: their routes, health, metrics, and problems as RFC 9457 says."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.exceptions import HTTPException

from labohub.errors import HubError, Refused, Unavailable
from labohub.runtime.http_tls import WithPeer
from labohub.runtime.logging import get_logger
from labohub.runtime.service import Service

log = get_logger(__name__)


def problem(status: int, code: str, detail: str = "", **extra: Any) -> JSONResponse:
    """Return a problem document. `code` is of the error catalogue; the text never holds patient data."""
    body = {
        "type": f"urn:labohub:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        **extra,
    }
    if detail:
        body["detail"] = detail
    return JSONResponse(body, status, media_type="application/problem+json")


def application(services: Sequence[Service], ready: Callable[[], bool]) -> FastAPI:
    """Return the application that serves these services."""
    app = FastAPI(
        title="Labohub", version="1", openapi_url="/api/v1/openapi.json", docs_url="/api/v1/docs", redoc_url=None
    )
    for service in services:
        for router in service.routers:
            app.include_router(router)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)

    async def readyz() -> Response:
        failing = [service.name for service in services if not await _answers(service)]
        if failing or not ready():
            return problem(503, "not-ready", services=failing)
        facts = {service.name: dict(service.facts()) for service in services if service.facts is not None}
        return JSONResponse({"status": "ready", **({"facts": facts} if facts else {})})

    app.add_api_route("/readyz", readyz, include_in_schema=False)
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)
    return app


async def _healthz() -> JSONResponse:
    return JSONResponse({"status": "alive"})


def _metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _answers(service: Service) -> bool:
    try:
        async with service.database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except HubError:
        return False
    return True


async def _hub_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    if isinstance(error, Unavailable):
        return problem(503, error.code)
    return problem(422 if isinstance(error, Refused) else 500, error.code)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = [{"place": ".".join(str(part) for part in item["loc"]), "rule": item["type"]} for item in error.errors()]
    return problem(422, "request.invalid", errors=places)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, f"http.{error.status_code}")


async def _bug(_request: Request, error: Exception) -> Response:
    log.bug("http.failed", error)
    return problem(500, "bug")


class HttpServer:
    """uvicorn inside our own loop, without its own signals, logs or access lines (URLs are nobody's log)."""

    name = "http"

    def __init__(self, app: FastAPI, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=WithPeer,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
            ssl_context_factory=(lambda _config, _default: context) if context is not None else None,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self.host, self.port = host, port

    async def start(self) -> None:
        """Return when it accepts."""
        self._task = asyncio.create_task(self._server.serve(), name="http")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError(f"the HTTP port {self.port} cannot be opened")
            await asyncio.sleep(0.01)
        if self.port == 0:
            self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Finish the requests under way."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()
