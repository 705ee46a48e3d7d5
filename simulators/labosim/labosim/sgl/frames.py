"""MLLP as its specification says it, and nothing more: written apart from the hub's reader, to check it."""

START = b"\x0b"
END = b"\x1c\x0d"
MAX_FRAME_BYTES = 64 * 1024 * 1024  # twice what the hub accepts, so that its limit is the one seen


class FrameBroken(ValueError):
    """The peer sent bytes outside a frame, a frame within a frame, or one beyond the limit."""


class StrictFrames:
    """Cuts a byte stream into messages; refuses what the protocol does not allow."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max = max_frame_bytes
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes, in order.

        Raises:
            FrameBroken: bytes before the start block, or more than the limit without an end block.
        """
        self._buffer += data
        messages: list[bytes] = []
        while self._buffer:
            if not self._buffer.startswith(START):
                raise FrameBroken("bytes outside a frame")
            end = self._buffer.find(END, self._searched)
            if end < 0:
                self._searched = max(0, len(self._buffer) - 1)
                if len(self._buffer) > self._max:
                    raise FrameBroken("frame beyond the limit")
                break
            message = bytes(self._buffer[1:end])
            if START in message:
                raise FrameBroken("start block within a frame")
            messages.append(message)
            del self._buffer[: end + len(END)]
            self._searched = 0
        return messages

    @property
    def is_between_frames(self) -> bool:
        """True when no frame has begun."""
        return not self._buffer


def frame(message: bytes) -> bytes:
    """Return the message between its start and end blocks."""
    return START + message + END
