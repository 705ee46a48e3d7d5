"""Becomes another program, that ends with its parent however the parent ends: `child.py <parent> <command>…`.

A program of its own, not a hook between fork and exec: such a hook may not run Python safely when there are threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2), Linux: kept through exec; the parent is the thread that made us


def become(parent: int, command: list[str]) -> None:
    """Replace this process by `command`; SIGTERM reaches it when the parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it went before we asked
            return
    os.execv(command[0], command)  # noqa: S606 - a fixed program, no shell


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
