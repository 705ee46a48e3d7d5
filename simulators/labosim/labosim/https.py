"""An HTTPS server with mutual TLS inside the caller's loop, for the simulators of SOAP services."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from labosim.pki import Pki

App = Callable[[Any, Any, Any], Awaitable[None]]
PEER_SUBJECT = "labosim.peer_subject"  # in the ASGI scope: the client certificate's subject, {"commonName": …}


class HttpsServer:
    """Serves an ASGI application to clients whose certificate the test authority signed. Port 0 takes a free one."""

    def __init__(self, app: App, *, host: str, port: int, pki: Pki, certificate: str) -> None:
        self._app = app
        self.host, self.port = host, port
        self._pki, self._certificate = pki, certificate
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"https://{self.host}:{self.port}"

    async def start(self) -> None:
        """Return when it accepts."""
        config = uvicorn.Config(
            self._app,
            host=self.host,
            port=self.port,
            http=_PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            ssl_certfile=self._pki.cert(self._certificate),
            ssl_keyfile=str(self._pki.key(self._certificate)),
            ssl_ca_certs=str(self._pki.ca_pem),
            ssl_cert_reqs=ssl.CERT_REQUIRED,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(), name=f"https {self._certificate}")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError(f"the port {self.port} cannot be opened")
            await asyncio.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and the connections."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._server = self._task = None


class _Server(uvicorn.Server):
    """Leaves the signals to the process."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


class _PeerProtocol(H11Protocol):
    """Puts the client certificate's subject into each request's scope: uvicorn does not."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        certificate = transport.get_extra_info("peercert") or {}
        subject = {name: value for rdn in certificate.get("subject", ()) for name, value in rdn}
        app = self.app

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, PEER_SUBJECT: subject}, receive, send)

        self.app = with_peer
