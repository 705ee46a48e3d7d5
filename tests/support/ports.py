"""Ports of loopback."""

import socket
from random import SystemRandom

# Below those that the system gives to outgoing connections (32768 and above on Linux): a port kept for a process that
# is not started yet, or is killed and started again, must not become the other end of somebody's call meanwhile.
_OURS = range(10_240, 32_000)


def free_ports(count: int = 1) -> list[int]:
    """Return ports that nobody listens on now, all different."""
    sockets: list[socket.socket] = []
    try:
        for port in SystemRandom().sample(_OURS, len(_OURS)):
            if len(sockets) == count:
                break
            sockets.append(socket.socket())
            try:
                sockets[-1].bind(("127.0.0.1", port))
            except OSError:
                sockets.pop().close()
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
