"""What the SMTP and IMAP servers have in common: accept, converse, end."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from contextlib import suppress

from labosim.mss.lines import Lines, TooLong


class Over(Exception):
    """The dialogue is over."""


class LineServer(ABC):
    """A server of dialogues made of lines."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def converse(self, lines: Lines, writer: asyncio.StreamWriter) -> None:
        """Hold one dialogue. Raises: Over when it ends."""

    async def start(self, host: str, port: int) -> int:
        """Return the port once it accepts."""
        self._server = await asyncio.start_server(self._connected, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Accept no more and end the dialogues."""
        if self._server is not None:
            self._server.close()
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await self.converse(Lines(reader), writer)
        except (Over, EOFError, TooLong, ConnectionError, ssl.SSLError, TimeoutError, UnicodeDecodeError):
            pass
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._sessions.discard(task)
            writer.close()
            with suppress(Exception):
                await asyncio.wait_for(writer.wait_closed(), 1)
