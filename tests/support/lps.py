"""The software that integrates documents, as a partner writes it: an MLLP listener that keeps what came and answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

VT, FS, CR = b"\x0b", b"\x1c", b"\r"


class Software:
    """Answers AA, or what it was told to: `error` is ERR-5 of an AE; `silent` closes without an answer."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[bytes] = []
        self.error = ""
        self.silent = 0  # so many messages are taken and not answered

    def fields(self, rank: int) -> dict[str, list[list[str]]]:
        """Return a message by segment name, each a list of its fields: read without the hub's own reader."""
        found: dict[str, list[list[str]]] = {}
        for line in self.messages[rank].decode().strip("\r").split("\r"):
            name, *rest = line.split("|")
            found.setdefault(name, []).append([name, *rest])
        return found

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            framed = await reader.readuntil(FS + CR)
            message = framed.removeprefix(VT).removesuffix(FS + CR)
            self.messages.append(message)
            if self.silent:
                self.silent -= 1
                return
            msh = message.split(b"\r")[0].split(b"|")
            answer = b"MSH|^~\\&|DPI|X|HUB|X|20260312||ACK^T02^ACK|1|P|2.6\rMSA|%s|%s\r" % (
                b"AE" if self.error else b"AA",
                msh[9],
            )
            if self.error:
                answer += b"ERR||PID^1^3|207^Application error^messageErrorCondition|E|%s\r" % self.error.encode()
            writer.write(VT + answer + FS + CR)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def software() -> AsyncIterator[Software]:
    """Give a listener on a free port."""
    found = Software()
    server = await asyncio.start_server(found.converse, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
