"""The sender's own MLLP listener, to which ZAM go."""

import asyncio
import ssl

from ingest_hl7.core.senders import Endpoint
from ingest_hl7.ports import SourceAnswer, SourceUnreachable
from labohub.standards import er7
from labohub.standards.hl7.zam import answers_to
from labohub.standards.mllp import FrameReader, FrameTooLarge, write_frame

MAX_ANSWER_BYTES = 64 * 1024


class MllpSource:
    """Delivers one message per connection: an answer can then only be its own."""

    def __init__(self, timeout_seconds: float, context: ssl.SSLContext | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._context = context

    async def deliver(self, endpoint: Endpoint, er7_bytes: bytes, control_id: str) -> SourceAnswer:
        """Return the acknowledgement that names `control_id`.

        Raises: SourceUnreachable: no connection, no answer in time, or an answer to something else.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=self._context)
                try:
                    writer.write(write_frame(er7_bytes))
                    await writer.drain()
                    return await self._answer(reader, control_id)
                finally:
                    writer.close()
        except (OSError, TimeoutError, FrameTooLarge, er7.Er7Malformed, er7.CharsetUnknown, er7.Undecodable):
            raise SourceUnreachable("the source does not acknowledge") from None

    async def _answer(self, reader: asyncio.StreamReader, control_id: str) -> SourceAnswer:
        frames = FrameReader(MAX_ANSWER_BYTES, end_without_cr=True)
        while data := await reader.read(MAX_ANSWER_BYTES):
            for frame in frames.feed(data):
                code, answered = answers_to(er7.read(frame, fallback="iso8859-15"))
                if answered == control_id and code:
                    return SourceAnswer(code)
        raise SourceUnreachable("the source closed without acknowledging")
