"""What a laboratory sends: messages made beforehand, since the sender shares the processor with the hub."""

import asyncio
import base64
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from labohub.standards.mllp import FrameReader, write_frame
from labosim.day import DayMessage, day_messages

_DOCUMENT = re.compile(rb"(\^TEXT\^XML\^Base64\^)([A-Za-z0-9+/=]+)")
_seeds = itertools.count(os.getpid() % 5000 + 1)  # no two loads have a person, a number or a document in common


@dataclass(frozen=True, slots=True)
class Message:
    """One message, framed."""

    control_id: str
    frame: bytes


@dataclass(slots=True)
class Sent:
    """When each message was sent and how long its acknowledgement took."""

    at: dict[str, float] = field(default_factory=dict)  # control id: time.time()
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0


def relay(count: int, kilobytes: int = 0) -> list[Message]:
    """Return reports that the laboratory structured itself; `kilobytes` is the weight their PDF adds."""
    chosen = (message for message in _endless() if message.path == "relay" and message.story == "ordinary")
    return [_message(message, kilobytes) for message in itertools.islice(chosen, count)]


def structuring(count: int) -> list[Message]:
    """Return raw results."""
    chosen = (message for message in _endless() if message.path == "structuring" and message.story == "ordinary")
    return [_message(message) for message in itertools.islice(chosen, count)]


def mixed(count: int) -> list[Message]:
    """Return two relayed reports for each that is to be structured."""
    chosen = (message for message in _endless() if message.story == "ordinary")
    return [_message(message) for message in itertools.islice(chosen, count)]


KINDS: dict[str, Callable[[int], list[Message]]] = {
    "relay": relay,
    "relay 150 kB": lambda count: relay(count, 130),
    "structuring": structuring,
    "mixed": mixed,
}


async def push(
    messages: Sequence[Message], port: int, *, connections: int, per_second: float = 0.0, until: float = float("inf")
) -> Sent:
    """Send over several connections, as fast as answers come or at a pace; each must be accepted.

    Stops early when `time.monotonic()` reaches `until`.
    """
    sent, started = Sent(), time.monotonic()
    queue = iter(enumerate(messages))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        frames = FrameReader()
        for number, message in queue:
            if time.monotonic() > until:
                break
            if per_second:
                await asyncio.sleep(max(0.0, started + number / per_second - time.monotonic()))
            sent.at[message.control_id], begun = time.time(), time.monotonic()
            writer.write(message.frame)
            answers: list[bytes] = []
            while not answers:
                data = await reader.read(65536)
                if not data:
                    raise ConnectionResetError("the hub closed the connection")
                answers = frames.feed(data)
            sent.waits.append(time.monotonic() - begun)
            if b"\rMSA|AA|" not in answers[0]:
                raise AssertionError(f"{message.control_id} was not accepted")
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    sent.seconds = time.monotonic() - started
    return sent


def _endless() -> Iterator[DayMessage]:
    while True:
        yield from day_messages(next(_seeds), 600)


def _message(message: DayMessage, kilobytes: int = 0) -> Message:
    er7 = message.er7
    if kilobytes:
        weight = base64.b64encode(os.urandom(kilobytes * 768))  # as a PDF inside: it does not shrink

        def heavier(found: re.Match[bytes]) -> bytes:
            document = base64.b64decode(found[2]).replace(b"<component>", b"<!--" + weight + b"--><component>", 1)
            return found[1] + base64.b64encode(document)

        er7 = _DOCUMENT.sub(heavier, er7, count=1)
    return Message(message.control_id, write_frame(er7))
