"""The MLLP listener of the software that integrates documents."""

import asyncio
import ssl

from labohub.standards import er7
from labohub.standards.hl7.mdm import LpsAnswer, read_answer
from labohub.standards.mllp import FrameReader, FrameTooLarge, write_frame
from mss_sender.core.access import Lps
from mss_sender.ports import LpsUnreachable

MAX_ANSWER_BYTES = 64 * 1024


class MllpLps:
    """Delivers one message per connection: an answer can then only be its own."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds

    async def deliver(self, lps: Lps, er7_bytes: bytes, control_id: str) -> LpsAnswer:
        """Return the acknowledgement that names `control_id`. Raises: LpsUnreachable."""
        try:
            context = await asyncio.to_thread(_context, lps) if lps.tls else None
            async with asyncio.timeout(self._timeout_seconds):
                reader, writer = await asyncio.open_connection(lps.host, lps.port, ssl=context)
                try:
                    writer.write(write_frame(er7_bytes))
                    await writer.drain()
                    return await _answer(reader, control_id)
                finally:
                    writer.close()
        except (OSError, TimeoutError, FrameTooLarge, er7.Er7Malformed, er7.CharsetUnknown, er7.Undecodable):
            raise LpsUnreachable("the software does not acknowledge") from None


async def _answer(reader: asyncio.StreamReader, control_id: str) -> LpsAnswer:
    frames = FrameReader(MAX_ANSWER_BYTES, end_without_cr=True)
    while data := await reader.read(MAX_ANSWER_BYTES):
        for frame in frames.feed(data):
            answered, answer = read_answer(er7.read(frame, fallback="iso8859-15"))
            if answered == control_id and answer.code:
                return answer
    raise LpsUnreachable("the software closed without acknowledging")


def _context(lps: Lps) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(lps.ca_file) if lps.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
