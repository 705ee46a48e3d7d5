"""The SGL's ear: an MLLP server that answers each ZAM and keeps it."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from fastapi import APIRouter
from pydantic import BaseModel

from labosim.faults import Faults
from labosim.pki import Pki
from labosim.sgl.er7 import MessageUnreadable, read
from labosim.sgl.frames import FrameBroken, StrictFrames, frame
from labosim.sgl.zam import acknowledgement, defects

KEPT_MESSAGES = 20_000  # small texts; a day of a laboratory
READ_BYTES = 64 * 1024


class SglMessage(BaseModel):
    """A message the SGL received, as the control API lists it."""

    id: str
    message_type: str
    er7: str
    answer: str  # AA, AE, AR or "" when it stayed silent
    defects: list[str]


@dataclass(slots=True)
class SglSimulator:
    """Listens on MLLP, checks each message strictly, answers it and keeps it.

    Fault kinds of service `sgl`: `AE`, `AR` (the answer's code), `silent` (no answer), `cut` (closes instead).
    """

    host: str
    port: int
    pki: Pki
    faults: Faults
    messages: deque[SglMessage] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen; `port` 0 takes a free one and writes it back."""
        self._server = await asyncio.start_server(self._converse, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        for writer in tuple(self._writers):
            writer.close()
        await self._server.wait_closed()
        self._server = None

    def reset(self) -> None:
        """Forget every message."""
        self.messages.clear()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = StrictFrames()
        self._writers.add(writer)
        try:
            while data := await reader.read(READ_BYTES):
                for message in frames.feed(data):
                    answer = self.answer(message)
                    if answer is None:
                        return
                    if answer:
                        writer.write(frame(answer))
                await writer.drain()
        except (FrameBroken, MessageUnreadable, ConnectionError):
            return  # a peer that breaks the protocol is cut: the hub must reconnect
        finally:
            self._writers.discard(writer)
            writer.close()

    def answer(self, message: bytes) -> bytes | None:
        """Return the acknowledgement of a message, empty to stay silent, None to cut.

        Raises:
            MessageUnreadable: see `labosim.sgl.er7`.
        """
        segments = read(message)
        found = defects(segments)
        fault = self.faults.active("sgl")
        kind = fault.kind if fault else ""
        code = {"AE": "AE", "AR": "AR", "silent": "", "cut": ""}.get(kind, "AE" if found else "AA")
        number = next(self._numbers)
        self.messages.append(
            SglMessage(
                id=str(number),
                message_type=segments[0].field(9),
                er7="\r".join("|".join(segment.fields) for segment in segments),
                answer=code,
                defects=found,
            )
        )
        if kind == "cut":
            return None
        if not code:
            return b""
        at = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
        return acknowledgement(segments, code, at, f"SGL-ACK-{number:08d}", "OBX^1" if code == "AE" else "")


def routes(simulator: SglSimulator) -> APIRouter:
    """Return the SGL's part of the control API."""
    router = APIRouter(prefix="/sim/sgl", tags=["sgl"])

    @router.get("/messages")
    async def messages() -> list[SglMessage]:
        """Return what the hub sent back to the laboratory, oldest first."""
        return list(simulator.messages)

    return router
