"""Processes that end with the test run, however that ends."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The kernel's "end with your parent" means the thread that started the process: this one stays until the very end.
_starter = ThreadPoolExecutor(1, thread_name_prefix="process-starter")


def spawn(command: list[str], log: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """Return a process started in `folder`, whose output goes to the end of `log`."""

    def start() -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)

    return _starter.submit(start).result()
