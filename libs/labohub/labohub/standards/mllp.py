"""MLLP release 1: HL7 messages in a byte stream. Bytes in, frames out; no socket here.

Source: HL7 "Transport Specification: MLLP, Release 1"; CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2".
"""

from labohub.errors import Refused

START = 0x0B  # VT
END = 0x1C  # FS
CARRIAGE_RETURN = 0x0D

MAX_FRAME_BYTES = 32 * 1024 * 1024  # a report with its PDF stays below 15 MiB


class FrameTooLarge(Refused):
    """A peer sent more than the limit without an end of block."""

    code = "mllp.frame-too-large"


def write_frame(payload: bytes) -> bytes:
    """Return the payload between its block characters."""
    return b"\x0b" + payload + b"\x1c\r"


class FrameReader:
    """Cuts a byte stream into HL7 messages, whatever the chunks it is fed.

    A block ends with the pair FS CR. A lone FS inside is data (the ER7 reader warns of it), except before the VT of a
    next block. What lies between blocks is noise: counted, never a message. A VT inside a block means that the peer
    started again: what came before it is dropped and counted, since it was never answered.
    """

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES, *, end_without_cr: bool = False) -> None:
        """`end_without_cr`: FS alone ends a block (a peer known never to send the CR)."""
        self.max_frame_bytes = max_frame_bytes
        self.noise_bytes = 0  # outside blocks; CR, LF and NUL are ordinary there
        self.restarted_frames = 0  # blocks cut by a new VT
        self._end_without_cr = end_without_cr
        self._buffer = bytearray()
        self._inside = False
        self._scanned = 0  # bytes of the buffer known to hold no end of block: each byte is looked at once
        self._unbroken = 0  # bytes of the buffer known to hold no new start
        self._too_large = False

    @property
    def pending_bytes(self) -> int:
        """Return the size of the unfinished block: 0 between blocks."""
        return len(self._buffer) if self._inside else 0

    @property
    def inside(self) -> bool:
        """Return True while a block is open."""
        return self._inside

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes, in order; keep the rest.

        Empty blocks are noise: there is nothing to answer to. Once the limit is passed the reader is spent: messages
        completed before it are returned first, then every call raises.

        Raises: FrameTooLarge beyond `max_frame_bytes`.
        """
        if self._too_large:
            raise FrameTooLarge("block larger than the limit")
        frames: list[bytes] = []
        buffer = self._buffer
        buffer += data
        start = 0
        while self._inside or self._open(start):
            if not self._inside:
                start = buffer.index(START, start) + 1
                self._inside, self._scanned, self._unbroken = True, start, start
            end = self._find_end(start)
            if end < 0:
                break
            restart = buffer.rfind(START, max(start, self._unbroken), end)
            if restart >= 0:
                self._drop(restart - start)
                start = restart + 1
            if end - start > self.max_frame_bytes:
                self._too_large = True
                break
            if end > start:
                frames.append(bytes(buffer[start:end]))
            start = end + 1
            if start < len(buffer) and buffer[start] == CARRIAGE_RETURN:
                start += 1
            self._inside = False
        if self._inside:
            self._keep_from(start)
        else:
            self.noise_bytes += len(buffer) - start
            buffer.clear()
        if self._too_large and not frames:
            raise FrameTooLarge("block larger than the limit")
        return frames

    def _open(self, start: int) -> bool:
        found = self._buffer.find(START, start)
        if found < 0:
            return False
        self.noise_bytes += found - start
        return True

    def _find_end(self, start: int) -> int:
        """Return where the FS that ends the block is, or -1."""
        buffer = self._buffer
        at = max(self._scanned, start)
        while True:
            at = buffer.find(END, at)
            if at < 0:
                self._scanned = len(buffer)
                return -1
            if self._end_without_cr:
                return at
            if at + 1 == len(buffer):
                self._scanned = at  # its CR may come with the next chunk
                return -1
            if buffer[at + 1] in (CARRIAGE_RETURN, START):
                return at
            at += 1

    def _keep_from(self, start: int) -> None:
        buffer = self._buffer
        restart = buffer.rfind(START, max(start, self._unbroken))
        if restart >= 0:
            self._drop(restart - start)
            start = restart + 1
        del buffer[:start]
        self._scanned = max(0, self._scanned - start)
        self._unbroken = len(buffer)
        if len(buffer) > self.max_frame_bytes + 1:  # one byte of grace: the FS whose CR has not come
            self._too_large = True
            buffer.clear()

    def _drop(self, size: int) -> None:
        self.restarted_frames += 1
        self.noise_bytes += size
