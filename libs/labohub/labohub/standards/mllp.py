"""MLLP release 1: HL7 messages in a byte stream. Bytes in, frames out; no socket here.

Source: HL7 "Transport Specification: MLLP, Release 1"; CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2".
"""

from dataclasses import dataclass

from labohub.errors import Refused

START = 0x0B  # VT
END = 0x1C  # FS
CARRIAGE_RETURN = 0x0D
ORDINARY_NOISE = b"\r\n\x00"  # between blocks; anything else there is a message without its VT, or not HL7

MAX_FRAME_BYTES = 32 * 1024 * 1024  # a report with its PDF stays below 15 MiB
HEAD_BYTES = 4096  # enough for a MSH

STRAY_BYTES = "mllp.stray-bytes"
RESTARTED = "mllp.restarted"
END_WITHOUT_CR = "mllp.end-without-cr"


class FrameTooLarge(Refused):
    """A peer sent more than the limit without an end of block."""

    code = "mllp.frame-too-large"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, and the codes of what was tolerated to find it."""

    payload: bytes
    warnings: tuple[str, ...] = ()


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
        self.noise_bytes = 0  # outside blocks, and in blocks that were cut; CR, LF and NUL are ordinary there
        self.restarted_frames = 0  # blocks cut by a new VT
        self._end_without_cr = end_without_cr
        self._buffer = bytearray()
        self._inside = False
        self._scanned = 0  # bytes of the buffer known to hold no end of block: each byte is looked at once
        self._unbroken = 0  # bytes of the buffer known to hold no new start
        self._too_large = False
        self._tolerated: list[str] = []  # for the next frame

    @property
    def pending_bytes(self) -> int:
        """Return the size of the unfinished block: 0 between blocks."""
        return len(self._buffer) if self._inside else 0

    @property
    def inside(self) -> bool:
        """Return True while a block is open."""
        return self._inside

    @property
    def head_of_unreturned(self) -> bytes:
        """Return the first bytes of a block whose last byte so far is FS: only its CR is missing. Else b""."""
        ends = self._inside and len(self._buffer) > 1 and self._buffer[-1] == END
        return bytes(self._buffer[:HEAD_BYTES]) if ends else b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes, in order; keep the rest. Raises: as `read`."""
        return [frame.payload for frame in self.read(data)]

    def end_here(self) -> Frame:
        """Return the block of `head_of_unreturned`, though no CR has come: its sender never writes one."""
        payload = bytes(self._buffer[:-1])
        self._buffer.clear()
        self._inside = False
        return self._frame(payload, END_WITHOUT_CR)

    def read(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes, in order; keep the rest.

        Empty blocks are noise: there is nothing to answer to. Once the limit is passed the reader is spent: messages
        completed before it are returned first, then every call raises.

        Raises: FrameTooLarge beyond `max_frame_bytes`.
        """
        if self._too_large:
            raise FrameTooLarge("block larger than the limit")
        frames: list[Frame] = []
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
                start = self._drop(start, restart)
            if end - start > self.max_frame_bytes:
                self._too_large = True
                break
            returned = end + 1 < len(buffer) and buffer[end + 1] == CARRIAGE_RETURN
            if end > start:
                frames.append(self._frame(bytes(buffer[start:end]), "" if returned else END_WITHOUT_CR))
            start = end + 2 if returned else end + 1
            self._inside = False
        if self._inside:
            self._keep_from(start)
        else:
            self._skip(start, len(buffer))
            buffer.clear()
        if self._too_large:
            buffer.clear()
            if not frames:
                raise FrameTooLarge("block larger than the limit")
        return frames

    def _frame(self, payload: bytes, tolerated: str) -> Frame:
        warnings = tuple(dict.fromkeys([*self._tolerated, *([tolerated] if tolerated else [])]))
        self._tolerated.clear()
        return Frame(payload, warnings)

    def _open(self, start: int) -> bool:
        found = self._buffer.find(START, start)
        if found < 0:
            return False
        self._skip(start, found)
        return True

    def _skip(self, start: int, end: int) -> None:
        """Count what lies between blocks."""
        if end <= start:
            return
        self.noise_bytes += end - start
        if STRAY_BYTES not in self._tolerated and self._buffer[start:end].strip(ORDINARY_NOISE):
            self._tolerated.append(STRAY_BYTES)

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
            start = self._drop(start, restart)
        del buffer[:start]
        self._scanned = max(0, self._scanned - start)
        self._unbroken = len(buffer)
        if len(buffer) > self.max_frame_bytes + 1:  # one byte of grace: the FS whose CR has not come
            self._too_large = True

    def _drop(self, start: int, restart: int) -> int:
        """Count the blocks that `restart`, the last VT, cuts; return where the message begins."""
        cuts = self._buffer.count(START, start, restart + 1)
        self.restarted_frames += cuts
        self.noise_bytes += restart + 1 - start - cuts
        if RESTARTED not in self._tolerated:
            self._tolerated.append(RESTARTED)
        return restart + 1
