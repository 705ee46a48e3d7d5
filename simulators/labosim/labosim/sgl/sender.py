"""The SGL's mouth: an MLLP client that repeats what was not acknowledged."""

import asyncio
import random
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from labosim.sgl.er7 import MessageUnreadable, first, read
from labosim.sgl.frames import StrictFrames, frame

READ_BYTES = 64 * 1024
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class NotAcknowledged(OSError):
    """The hub gave no answer within the patience of the sender."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One answer of the hub: MSA-1, MSA-2, the first ERR-3, and how long it took."""

    control_id: str
    code: str
    error: str = ""
    location: str = ""
    raw: bytes = b""
    elapsed_seconds: float = 0.0
    attempts: int = 1

    @property
    def is_positive(self) -> bool:
        """True for AA and CA."""
        return self.code in {"AA", "CA"}


def read_ack(message: bytes) -> Ack:
    """Return the answer that an ACK message holds; a message without MSA has an empty code."""
    try:
        segments = read(message)
    except MessageUnreadable:
        return Ack(control_id="", code="", raw=message)
    msa, err = first(segments, "MSA"), first(segments, "ERR")
    return Ack(
        control_id=msa.field(2) if msa else "",
        code=msa.field(1) if msa else "",
        error=err.component(3, 1) if err else "",
        location=err.field(2) if err else "",
        raw=message,
    )


@dataclass(slots=True)
class Sender:
    """One MLLP connection that is opened again when it breaks.

    A message is sent again, byte for byte, until it is answered: the hub must recognise it. AR is tried again
    `refusal_attempts` times, as the volet asks.
    """

    host: str
    port: int
    context: ssl.SSLContext | None = None
    answer_timeout_seconds: float = 30.0
    patience_seconds: float = 120.0  # for one message, all attempts together
    refusal_attempts: int = 3
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    _frames: StrictFrames = field(default_factory=StrictFrames)
    _answers: list[bytes] = field(default_factory=list)

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams, self._frames = None, StrictFrames()
        self._answers.clear()

    async def send(self, message: bytes) -> Ack:
        """Return the hub's answer to one message, repeating it through cuts and silence.

        Raises:
            NotAcknowledged: no answer within `patience_seconds`.
        """
        started, attempts, refusals, pause = time.monotonic(), 0, 0, FIRST_PAUSE_SECONDS
        while True:
            attempts += 1
            try:
                async with asyncio.timeout(self.answer_timeout_seconds):
                    ack = await self._exchange(message)
            except (OSError, ValueError, EOFError, TimeoutError):
                self.close()
            else:
                refusals += ack.code == "AR"
                if ack.code != "AR" or refusals >= self.refusal_attempts:
                    elapsed = time.monotonic() - started
                    return Ack(ack.control_id, ack.code, ack.error, ack.location, ack.raw, elapsed, attempts)
            if time.monotonic() - started + pause > self.patience_seconds:
                raise NotAcknowledged(f"no acknowledgement after {attempts} attempts")
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _exchange(self, message: bytes) -> Ack:
        writer = await self._writer()
        writer.write(frame(message))
        await writer.drain()
        return read_ack(await self._next_answer())

    async def _writer(self) -> asyncio.StreamWriter:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port, ssl=self.context)
        return self._streams[1]

    async def _next_answer(self) -> bytes:
        assert self._streams is not None
        while not self._answers:
            data = await self._streams[0].read(READ_BYTES)
            if not data:
                raise EOFError("connection closed by the hub")
            self._answers += self._frames.feed(data)
        return self._answers.pop(0)

    async def pipeline(self, messages: Sequence[bytes]) -> list[Ack]:
        """Return the answers of messages written without waiting, in order; no repetition.

        Raises:
            NotAcknowledged: the connection ended before the last answer.
        """
        started = time.monotonic()
        writer = await self._writer()

        async def write() -> None:
            for message in messages:
                writer.write(frame(message))
                await writer.drain()

        writing = asyncio.create_task(write())
        acks: list[Ack] = []
        try:
            for _ in messages:
                ack = read_ack(await self._next_answer())
                acks.append(Ack(ack.control_id, ack.code, ack.error, ack.location, ack.raw, time.monotonic() - started))
            await writing
        except (OSError, EOFError) as error:
            self.close()
            raise NotAcknowledged(str(error)) from None
        finally:
            writing.cancel()
        return acks


async def send_all(
    messages: Iterable[bytes], host: str, port: int, *, connections: int = 1, context: ssl.SSLContext | None = None
) -> list[Ack]:
    """Return one answer per message, in the order of the messages, over several connections at once."""
    queue = list(enumerate(messages))
    queue.reverse()
    answers: dict[int, Ack] = {}

    async def work() -> None:
        async with Sender(host, port, context) as sender:
            while queue:
                number, message = queue.pop()
                answers[number] = await sender.send(message)

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work())
    return [answers[number] for number in sorted(answers)]


def send(messages: Iterable[bytes], host: str, port: int) -> list[Ack]:
    """Return one answer per message, sent one after the other on one connection."""
    return asyncio.run(send_all(messages, host, port))
