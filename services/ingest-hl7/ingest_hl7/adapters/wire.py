"""The wire view: what each connection does and did, for the eyes of an operator. Bounded; nothing of a patient."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain, count
from time import monotonic
from typing import Any

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.intake import Taken
from ingest_hl7.core.peer import Peer
from ingest_hl7.settings import IngestSettings
from labohub.runtime.clock import Clock
from labohub.standards import er7

CLOSED_KEPT = 200  # connections that ended, the oldest forgotten first
DELAYS_KEPT = 256  # of one connection: its last delays of acknowledgement
_ACCEPTED = frozenset(("AA", "CA"))


class Line:
    """One connection."""

    def __init__(self, number: int, transport: str, peer: Peer, since: datetime, hang_up: Callable[[], object]) -> None:
        self.number = number
        self.transport = transport
        self.peer = peer
        self.since = since
        self.is_established = False  # False while TLS is agreed upon
        self.is_known = False  # it showed a certificate that we trust, or sent a message that was accepted
        self.messages = 0
        self.answers: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.received_bytes = 0
        self.stray_bytes = 0
        self.restarted_frames = 0
        self.unfinished_bytes = 0
        self.held_bytes = 0  # with the messages that are whole and not answered yet
        self.charset = ""
        self.last_answer = ""
        self.last_message_at: datetime | None = None
        self.closed_at: datetime | None = None
        self.reason = ""
        self._unfinished_since = 0.0
        self._delays_ms: deque[float] = deque(maxlen=DELAYS_KEPT)
        self._hang_up = hang_up

    def hangs_up_by(self, hang_up: Callable[[], object]) -> None:
        """Note how it is closed from now on."""
        self._hang_up = hang_up

    def established(self, peer: Peer) -> None:
        """Note who it is, now that TLS, if any, is agreed upon."""
        self.peer = peer
        self.is_established = True
        self.is_known = bool(peer.fingerprint)

    def heard(self, size: int, stray_bytes: int, restarted_frames: int) -> None:
        """Note bytes that came, and what of them was no message."""
        self.received_bytes += size
        self.stray_bytes += stray_bytes
        self.restarted_frames += restarted_frames
        metrics.NOISE_BYTES.inc(stray_bytes)
        metrics.RESTARTED_FRAMES.inc(restarted_frames)

    def answered(self, frame: bytes, taken: Taken, at: datetime, delay_seconds: float) -> None:
        """Note one frame, what it got and after how long."""
        self.messages += len(taken.codes)
        self.last_message_at = at
        self.charset = er7.guess(frame)
        metrics.CHARSETS.labels(self.charset).inc()
        self.answers.update(code or "none" for code in taken.codes)
        self.warnings.update(taken.warnings)
        self.last_answer = taken.codes[-1] if taken.codes else ""
        self.is_known = self.is_known or not _ACCEPTED.isdisjoint(taken.codes)
        self._delays_ms.append(delay_seconds * 1e3)

    def holds(self, unfinished_bytes: int, whole_bytes: int) -> int:
        """Note what it holds; return by how much that is more than before."""
        if unfinished_bytes and not self.unfinished_bytes:
            self._unfinished_since = monotonic()
        before, self.held_bytes = self.held_bytes, unfinished_bytes + whole_bytes
        self.unfinished_bytes = unfinished_bytes
        return self.held_bytes - before

    @property
    def unfinished_seconds(self) -> float:
        """Return the age of the message that is not whole yet; 0 between messages."""
        return monotonic() - self._unfinished_since if self.unfinished_bytes else 0.0

    def end(self, reason: str) -> None:
        """Close it from our side; the first reason stays."""
        self.reason = self.reason or reason
        self._hang_up()

    def view(self) -> dict[str, Any]:
        """Return what an operator sees."""
        delays = sorted(self._delays_ms)
        state = "closed" if self.closed_at else "open" if self.is_established else "handshake"
        return {
            "connection_id": self.number,
            "transport": self.transport,
            "state": state,
            "peer": {
                "address": self.peer.address,
                "certificate_subject": self.peer.subject or None,
                "certificate_sha256": self.peer.fingerprint or None,
            },
            "connected_at": self.since.isoformat(),
            "closed_at": self.closed_at.isoformat() if self.closed_at else None,
            "close_reason": self.reason or None,
            "messages": self.messages,
            "last_message_at": self.last_message_at.isoformat() if self.last_message_at else None,
            "last_answer": self.last_answer or None,
            "answers": dict(self.answers),
            "warnings": dict(self.warnings),
            "received_bytes": self.received_bytes,
            "stray_bytes": self.stray_bytes,
            "restarted_frames": self.restarted_frames,
            "unfinished_bytes": self.unfinished_bytes,
            "unfinished_seconds": round(self.unfinished_seconds, 3),
            "charset_guess": self.charset or None,
            "ack_delay_ms": {
                "last": round(self._delays_ms[-1], 2) if delays else None,
                "p95": round(delays[int(len(delays) * 0.95)], 2) if delays else None,
            },
        }


class Wire:
    """All connections: who may come in, who must leave when there is no room."""

    def __init__(self, settings: IngestSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._numbers = count(1)
        self._open: dict[int, Line] = {}
        self._closed: deque[Line] = deque(maxlen=CLOSED_KEPT)
        self._by_address: Counter[str] = Counter()
        self._buffered_bytes = 0
        metrics.OLDEST_UNFINISHED_SECONDS.set_function(self.oldest_unfinished_seconds)

    def admit(self, transport: str, peer: Peer, hang_up: Callable[[], object]) -> Line | None:
        """Return the new connection, or None when there is no room for it.

        When all places are taken, the oldest connection that has never sent an acceptable message makes room: silent
        visitors keep nobody out.
        """
        if self._by_address[peer.address] >= self._settings.max_connections_per_address:
            metrics.CLOSED.labels("address-full").inc()
            return None
        if len(self._open) >= self._settings.max_connections:
            stranger = next((line for line in self._open.values() if not line.is_known), None)
            if stranger is None:
                metrics.CLOSED.labels("too-many-connections").inc()
                return None
            stranger.end("made-room")
            self.leave(stranger)
        line = Line(next(self._numbers), transport, peer, self._clock(), hang_up)
        self._open[line.number] = line
        self._by_address[peer.address] += 1
        metrics.CONNECTIONS.set(len(self._open))
        return line

    def leave(self, line: Line, reason: str = "") -> None:
        """Note the end of a connection; a second time changes nothing."""
        if self._open.pop(line.number, None) is None:
            return
        self.hold(line, 0)
        line.reason = line.reason or reason
        line.closed_at = self._clock()
        self._by_address[line.peer.address] -= 1
        self._by_address += Counter()  # forgets addresses without a connection
        self._closed.append(line)
        metrics.CONNECTIONS.set(len(self._open))
        metrics.CLOSED.labels(line.reason).inc()

    def hold(self, line: Line, unfinished_bytes: int, whole_bytes: int = 0) -> None:
        """Note how much a connection holds: of a message that is not whole yet, of messages not answered yet.

        Beyond the limit the largest unfinished message is given up. Whole messages are never: they were unfinished
        before, so what all hold together stays bounded.
        """
        self._buffered_bytes += line.holds(unfinished_bytes, whole_bytes)
        while self._buffered_bytes > self._settings.max_buffered_bytes:
            largest = max(self._open.values(), key=lambda each: each.unfinished_bytes, default=line)
            if not largest.unfinished_bytes:
                break
            self._buffered_bytes += largest.holds(0, largest.held_bytes - largest.unfinished_bytes)
            largest.end("memory-full")
        metrics.BUFFERED_BYTES.set(self._buffered_bytes)

    def now(self) -> datetime:
        """Return the time at which something is noted."""
        return self._clock()

    def oldest_unfinished_seconds(self) -> float:
        """Return the age of the oldest message that is not whole yet."""
        return max((line.unfinished_seconds for line in self._open.values()), default=0.0)

    def lines(self) -> Iterator[Line]:
        """Yield the open connections, the oldest first, then those that ended, the latest first."""
        return chain(self._open.values(), reversed(self._closed))
