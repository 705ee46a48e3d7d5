"""Lines, literals and dotted contents of a byte stream: what SMTP and IMAP servers read."""

import asyncio

CHUNK_BYTES = 256 * 1024
MAX_LINE_BYTES = 64 * 1024


class TooLong(Exception):
    """The peer sent more than it may."""


class Lines:
    """Reads from a stream into a buffer of its own, so that a terminator is found wherever it is cut."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = bytearray()

    async def line(self) -> bytes:
        """Return the next line without its end. Raises: EOFError, TooLong."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise TooLong
            await self._more()
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line

    async def exactly(self, count: int) -> bytes:
        """Return `count` bytes. Raises: EOFError."""
        while len(self._buffer) < count:
            await self._more()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def dotted(self, max_bytes: int) -> bytes:
        """Return a content ended by a lone dot, dots removed (RFC 5321, 4.5.2). Raises: EOFError, TooLong."""
        end, searched = self._dot(0), len(self._buffer)
        while end < 0:
            if len(self._buffer) > max_bytes:
                raise TooLong
            await self._more()
            end = self._dot(max(0, searched - 4))
            searched = len(self._buffer)
        content = bytes(self._buffer[:end])
        del self._buffer[: end + 3]
        if content.startswith(b".."):
            content = content[1:]
        return content.replace(b"\r\n..", b"\r\n.")

    def discard(self) -> None:
        """Forget what was read ahead: nothing said before TLS counts after it."""
        self._buffer.clear()

    def _dot(self, start: int) -> int:
        if self._buffer.startswith(b".\r\n"):
            return 0
        found = self._buffer.find(b"\r\n.\r\n", start)
        return found + 2 if found >= 0 else -1

    async def _more(self) -> None:
        data = await self._reader.read(CHUNK_BYTES)
        if not data:
            raise EOFError
        self._buffer += data
