"""The MLLP listeners: one reader per connection, answers in order, back-pressure by not reading."""

import asyncio
import ssl
from contextlib import suppress

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.intake import Intake
from ingest_hl7.settings import IngestSettings
from labohub.errors import Misconfigured, Unavailable
from labohub.runtime.logging import get_logger
from labohub.standards.mllp import FrameReader, FrameTooLarge, write_frame

log = get_logger(__name__)

READ_BYTES = 256 * 1024
TLS_HANDSHAKE_SECONDS = 10.0
STOP_SECONDS = 10.0  # for the messages under way


class ListenerUnavailable(Unavailable):
    """The port cannot be opened."""

    code = "mllp.port-unavailable"


class TlsMisconfigured(Misconfigured):
    """The certificate, its key or the authorities cannot be read."""

    code = "mllp.tls-misconfigured"


class Budget:
    """How many connections and buffered bytes all listeners share."""

    def __init__(self, settings: IngestSettings) -> None:
        self.max_connections = settings.max_connections
        self.max_buffered_bytes = settings.max_buffered_bytes
        self.connections = 0
        self.buffered_bytes = 0

    def change(self, connections: int = 0, buffered_bytes: int = 0) -> None:
        """Count in or out."""
        self.connections += connections
        self.buffered_bytes += buffered_bytes
        metrics.CONNECTIONS.set(self.connections)
        metrics.BUFFERED_BYTES.set(self.buffered_bytes)


class MllpListener:
    """Accepts MLLP, plain or over TLS with client certificates."""

    def __init__(
        self,
        name: str,
        port: int,
        intake: Intake,
        settings: IngestSettings,
        *,
        budget: Budget,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self._intake = intake
        self._settings = settings
        self._budget = budget
        self._context = context
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.StreamWriter] = set()
        self._stopping = False

    async def start(self) -> None:
        """Return when it accepts. With port 0, `port` then tells which one. Raises: ListenerUnavailable."""
        handshake = TLS_HANDSHAKE_SECONDS if self._context else None
        try:
            self._server = await asyncio.start_server(
                self._serve,
                self._settings.mllp_host,
                self.port,
                limit=READ_BYTES,
                backlog=256,
                ssl=self._context,
                ssl_handshake_timeout=handshake,
            )
        except OSError:
            raise ListenerUnavailable(f"{self.name}: the port cannot be opened") from None
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("mllp.listening", name=self.name, port=self.port)

    async def stop(self) -> None:
        """Accept no more; answer the messages under way, then close."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for writer in list(self._idle):
            writer.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._intake.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        frames = FrameReader(self._settings.max_frame_bytes, end_without_cr=self._settings.end_without_cr)
        try:
            if self._budget.connections >= self._budget.max_connections:
                metrics.CLOSED.labels("too-many-connections").inc()
                return
            self._budget.change(connections=1)
            try:
                reason = await self._converse(reader, writer, frames)
            finally:
                self._budget.change(connections=-1)
            metrics.CLOSED.labels(reason).inc()
        except (ConnectionError, ssl.SSLError):
            metrics.CLOSED.labels("peer-reset").inc()
        except Exception as error:
            metrics.BUGS.inc()
            log.bug("mllp.connection-failed", error)
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: FrameReader) -> str:
        """Take messages until someone ends the conversation. Return why it ended."""
        buffered = 0
        try:
            while not self._stopping:
                data = await self._read(reader, writer, frames)
                if data is None:
                    log.warning("mllp.silence", size_bytes=frames.pending_bytes)
                    return "silence"
                if not data:
                    return "cut-in-message" if frames.inside else "peer-closed"
                noise = frames.noise_bytes
                try:
                    complete = frames.feed(data)
                except FrameTooLarge as error:
                    log.warning("mllp.closed", code=error.code)
                    return "frame-too-large"
                metrics.NOISE_BYTES.inc(frames.noise_bytes - noise)
                self._budget.change(buffered_bytes=frames.pending_bytes - buffered)
                buffered = frames.pending_bytes
                if buffered and self._budget.buffered_bytes > self._budget.max_buffered_bytes:
                    log.warning("mllp.closed", code="mllp.memory-full")
                    return "memory-full"
                for frame in complete:
                    await self._answer(frame, writer)
            return "stopping"
        finally:
            self._budget.change(buffered_bytes=-buffered)

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: FrameReader
    ) -> bytes | None:
        """Return the next bytes; b"" at the end; None after too long a silence."""
        settings = self._settings
        patience = settings.frame_timeout_seconds if frames.inside else settings.idle_timeout_seconds
        self._idle.add(writer)
        try:
            async with asyncio.timeout(patience):
                return await reader.read(READ_BYTES)
        except TimeoutError:
            return None
        finally:
            self._idle.discard(writer)

    async def _answer(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        for answer in (await self._intake.take(frame, self.name)).answers:
            writer.write(write_frame(answer))
        async with asyncio.timeout(self._settings.answer_timeout_seconds):
            await writer.drain()


def tls_context(settings: IngestSettings) -> ssl.SSLContext | None:
    """Return the TLS context of the settings, client certificate required; None when no certificate is set.

    Raises: TlsMisconfigured.
    """
    if settings.tls_certificate is None:
        return None
    if settings.tls_key is None or settings.tls_client_ca is None:
        raise TlsMisconfigured("INGEST_HL7_TLS_KEY and INGEST_HL7_TLS_CLIENT_CA go with INGEST_HL7_TLS_CERTIFICATE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        context.load_verify_locations(settings.tls_client_ca)
    except (OSError, ssl.SSLError):
        raise TlsMisconfigured("the files of INGEST_HL7_TLS_* cannot be used") from None
    return context
