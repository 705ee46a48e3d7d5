"""An HTTP server inside the caller's loop, for the control API."""

import asyncio
from contextlib import nullcontext
from typing import Any

import uvicorn
from fastapi import FastAPI


class ControlServer:
    """Serves the control API. Port 0 takes a free one and writes it back."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self.host, self.port = host, port
        config = uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when it accepts. Raises OSError when the port is taken."""
        self._task = asyncio.create_task(self._server.serve(), name="control")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError(f"the port {self.port} cannot be opened")
            await asyncio.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Finish the requests under way."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        return nullcontext()
