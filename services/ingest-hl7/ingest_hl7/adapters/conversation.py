"""One MLLP connection: messages in, answers out in their order; back-pressure by not reading."""

import asyncio
from time import monotonic

from ingest_hl7.adapters.intake import Intake
from ingest_hl7.adapters.wire import Line, Wire
from ingest_hl7.settings import IngestSettings
from labohub.runtime.logging import get_logger
from labohub.standards.mllp import Frame, FrameReader, FrameTooLarge, write_frame

log = get_logger(__name__)

READ_BYTES = 128 * 1024
COMMIT, NOT_COMMITTED = b"\x06", b"\x15"  # blocks of MLLP release 2, also sent by its peers for our answers


class Conversation:
    """Takes the messages of one connection, one after the other."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: Line,
        *,
        intake: Intake,
        settings: IngestSettings,
        wire: Wire,
        commits: bool,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._line = line
        self._intake = intake
        self._settings = settings
        self._wire = wire
        self._commits = commits
        framing = intake.framing(line.peer)
        lone_end = settings.end_without_cr if framing.end_without_cr is None else framing.end_without_cr
        self._frames = FrameReader(framing.max_frame_bytes or settings.max_frame_bytes, end_without_cr=lone_end)
        self._idle_seconds = framing.idle_timeout_seconds or settings.idle_timeout_seconds
        self._frame_seconds = framing.frame_timeout_seconds or settings.frame_timeout_seconds
        self._waited_seconds = 0.0  # for the message that is not whole yet; our own delays do not count
        self._is_last_wait = False  # for the rest of a message
        self._noise_bytes = 0  # when the last message was whole
        self._is_reading = False
        self._is_stopping = False

    def stop(self) -> None:
        """End it: at once between messages, else once the messages that have come are answered."""
        self._is_stopping = True
        if self._is_reading:
            self._writer.close()

    async def run(self) -> str:
        """Take messages until someone ends the conversation. Return why it ended."""
        while not self._is_stopping:
            data = await self._read()
            if data is None:
                return "frame-too-slow" if self._is_last_wait else "silence"
            if not data:
                return "cut-in-message" if self._frames.inside else "peer-closed"
            received = monotonic()
            try:
                complete = self._cut(data)
            except FrameTooLarge:
                return FrameTooLarge.code
            whole_bytes = sum(len(frame.payload) for frame in complete)
            for frame in complete:
                self._wire.hold(self._line, self._frames.pending_bytes, whole_bytes)
                if not await self._answer(frame, received):
                    return "answer-unread"
                whole_bytes -= len(frame.payload)
            self._wire.hold(self._line, self._frames.pending_bytes)
            if self._line.reason:
                return self._line.reason
            if not complete and self._frames.noise_bytes - self._noise_bytes > self._settings.max_noise_bytes:
                return "noise"
        return "stopping"

    async def _read(self) -> bytes | None:
        """Return the next bytes; b"" at the end; None when patience ends."""
        patience, self._is_last_wait = self._idle_seconds, False
        if self._frames.inside:
            left = self._settings.whole_frame_timeout_seconds - self._waited_seconds
            self._is_last_wait = left < self._frame_seconds
            patience = max(0.0, left) if self._is_last_wait else self._frame_seconds
        started = monotonic()
        self._is_reading = True
        try:
            async with asyncio.timeout(patience):
                return await self._reader.read(READ_BYTES)
        except TimeoutError:
            return None
        finally:
            self._is_reading = False
            if self._frames.inside:
                self._waited_seconds += monotonic() - started

    def _cut(self, data: bytes) -> list[Frame]:
        """Return the messages that these bytes complete. Raises: FrameTooLarge."""
        frames, line = self._frames, self._line
        noise, restarted = frames.noise_bytes, frames.restarted_frames
        complete = frames.read(data)
        head = frames.head_of_unreturned
        if head and self._intake.ends_without_cr(head):
            complete.append(frames.end_here())
        line.heard(len(data), frames.noise_bytes - noise, frames.restarted_frames - restarted)
        if complete or frames.restarted_frames > restarted or not frames.inside:
            self._waited_seconds = 0.0
        if complete:
            self._noise_bytes = frames.noise_bytes
        return complete

    async def _answer(self, frame: Frame, received: float) -> bool:
        """Send what goes back for one frame; return False when the peer does not take it."""
        if frame.payload in (COMMIT, NOT_COMMITTED):
            return True
        line = self._line
        taken = await self._intake.take(frame.payload, line.transport, line.peer, tolerated=frame.warnings)
        if self._commits:
            self._writer.write(write_frame(COMMIT if taken.is_durable else NOT_COMMITTED))
        for answer in taken.answers:
            self._writer.write(write_frame(answer))
        try:
            async with asyncio.timeout(self._settings.answer_timeout_seconds):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            return False
        line.answered(frame.payload, taken, self._wire.now(), monotonic() - received)
        return True
