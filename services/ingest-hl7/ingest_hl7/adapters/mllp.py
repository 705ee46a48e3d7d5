"""The MLLP listeners: a place for each connection that finds room, plain or over TLS with client certificates."""

import asyncio
import socket
import ssl
from contextlib import suppress

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.conversation import READ_BYTES, Conversation
from ingest_hl7.adapters.intake import Intake
from ingest_hl7.adapters.tls import peer_of
from ingest_hl7.adapters.wire import Line, Wire
from ingest_hl7.core.peer import Peer
from ingest_hl7.settings import IngestSettings
from labohub.errors import Unavailable
from labohub.runtime.logging import get_logger

log = get_logger(__name__)

TLS_HANDSHAKE_SECONDS = 10.0
STOP_SECONDS = 10.0  # for the messages under way
GOODBYE_SECONDS = 1.0  # for a peer to take note that we close
ACCEPT_AGAIN_SECONDS = 0.5  # when the process has no descriptor left
BACKLOG = 1024
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}  # a peer that vanished is noticed in 2 minutes


class ListenerUnavailable(Unavailable):
    """The port cannot be opened."""

    code = "mllp.port-unavailable"


class MllpListener:
    """Accepts MLLP, plain or over TLS with client certificates."""

    def __init__(
        self,
        name: str,
        port: int,
        intake: Intake,
        settings: IngestSettings,
        *,
        wire: Wire,
        context: ssl.SSLContext | None = None,
        commits: bool = False,
    ) -> None:
        """`commits`: MLLP release 2, which answers each block by a commit before any message goes back."""
        self.name = name
        self.port = port
        self._intake = intake
        self._settings = settings
        self._wire = wire
        self._context = context
        self._commits = commits
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._shaking_hands: set[asyncio.Task[None]] = set()
        self._conversations: set[Conversation] = set()
        self._stopping = False

    async def start(self) -> None:
        """Return when it accepts. With port 0, `port` then tells which one. Raises: ListenerUnavailable."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._settings.mllp_host or None, self.port, type=socket.SOCK_STREAM)
            for family, _, _, _, address in dict.fromkeys(found):
                self._sockets.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
        except OSError:
            self._close_sockets()
            raise ListenerUnavailable(f"{self.name}: the port cannot be opened") from None
        for each in self._sockets:
            each.setblocking(False)
        self.port = self._sockets[0].getsockname()[1]
        self._accepting = [loop.create_task(self._accept(each)) for each in self._sockets]
        log.info("mllp.listening", name=self.name, port=self.port)

    async def stop(self) -> None:
        """Accept no more; answer the messages under way, then close."""
        self._stopping = True
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        self._close_sockets()
        for task in list(self._shaking_hands):
            task.cancel()
        for conversation in list(self._conversations):
            conversation.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._intake.close()

    def _close_sockets(self) -> None:
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listening)
            except OSError:
                log.warning("mllp.accept-failed", name=self.name)
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            task = loop.create_task(self._serve(accepted, str(address[0]) if address else ""))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, accepted: socket.socket, address: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        line = self._wire.admit(self.name, Peer(address=address, port=self.port), task.cancel)
        if line is None:
            accepted.close()
            return
        reason = "our-fault"
        try:
            reason = await self._talk(accepted, line)
        except asyncio.CancelledError:
            reason = "stopping"
            if not line.reason:  # we are stopping; otherwise it had to leave before TLS was agreed upon
                raise
        except Exception as error:
            metrics.BUGS.inc()
            log.bug("mllp.connection-failed", error, connection_id=line.number)
        finally:
            accepted.close()
            self._wire.leave(line, reason)
            log.info("mllp.closed", connection_id=line.number, name=self.name, reason=line.reason, count=line.messages)

    async def _talk(self, accepted: socket.socket, line: Line) -> str:
        """Return why the conversation ended."""
        task = asyncio.current_task()
        assert task is not None
        self._shaking_hands.add(task)
        try:
            reader, writer = await self._open(accepted)
        except (OSError, TimeoutError):  # ssl.SSLError is one
            return "tls-handshake" if self._context else "peer-reset"
        finally:
            self._shaking_hands.discard(task)
        try:
            line.established(peer_of(line.peer.address, self.port, writer.get_extra_info("ssl_object")))
            line.hangs_up_by(writer.transport.abort)
            conversation = Conversation(
                reader,
                writer,
                line,
                intake=self._intake,
                settings=self._settings,
                wire=self._wire,
                commits=self._commits,
            )
            self._conversations.add(conversation)
            try:
                if self._stopping:
                    return "stopping"
                return await conversation.run()
            except (ConnectionError, ssl.SSLError):
                return "peer-reset"
            finally:
                self._conversations.discard(conversation)
        finally:
            await _say_goodbye(writer)

    async def _open(self, accepted: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        _keep_alive(accepted)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        handshake = {"ssl_handshake_timeout": TLS_HANDSHAKE_SECONDS} if self._context else {}
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=self._context, **handshake)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _say_goodbye(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        with suppress(ConnectionError, ssl.SSLError):
            await asyncio.wait_for(writer.wait_closed(), GOODBYE_SECONDS)
    except TimeoutError:
        writer.transport.abort()


def _keep_alive(accepted: socket.socket) -> None:
    """Let the system find peers that vanished without a word."""
    with suppress(OSError):
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):
                accepted.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
