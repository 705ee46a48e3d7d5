"""The workshop: worker processes, so that neither the rules nor lxml ever hold up the event loop."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import wait
from time import perf_counter
from typing import ParamSpec, TypeVar

from cda_builder.adapters import tasks
from cda_builder.adapters.gate import Gate
from cda_builder.adapters.metrics import VERDICTS, WORK_SECONDS, WORKERS_LOST
from cda_builder.adapters.validation import Checked
from cda_builder.core.explain import Lang
from cda_builder.ports import Made, Order, WorkshopBusy
from labohub.contracts.values import Identity

P = ParamSpec("P")
T = TypeVar("T")


class ProcessWorkshop:
    """Runs the heavy work in `processes` worker processes, or in one thread when there are none.

    With the official rules a process is always used: they take tens of milliseconds of this process's only lock.
    """

    name = "cda-workshop"

    def __init__(self, processes: int, gate: Gate, timeout_seconds: float) -> None:
        self._processes = max(processes, 1) if gate.folders else processes
        self._gate = gate
        self._timeout = timeout_seconds
        self._executor: Executor | None = None

    async def structure(self, order: Order) -> Made:
        """Return the document built from results, checked."""
        return _counted(await self._run(tasks.structure, order, self._gate))

    async def examine(self, document: bytes, identity: Identity) -> Made:
        """Return what a relayed document is, checked."""
        return _counted(await self._run(tasks.examine, document, identity, self._gate))

    async def validate(self, data: bytes, lang: Lang) -> list[Checked]:
        """Return what is wrong with a document or an archive, explained. Raises: WorkshopBusy."""
        return await self._run(tasks.validated, data, lang, self._gate)

    async def start(self) -> None:
        """Return when every worker is ready. Raises: Misconfigured when the official rules do not compile."""
        await asyncio.gather(*(self._run(tasks.warm, self._gate) for _ in range(max(self._processes, 1))))

    async def stop(self) -> None:
        """Do nothing: what is under way ends first, then `close`."""

    async def close(self) -> None:
        """End the workers."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, True, cancel_futures=True)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        assert not kwargs
        if self._executor is None:
            self._executor = self._open()
        executor = self._executor
        started = perf_counter()
        try:
            return await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(executor, work, *args), self._timeout
            )
        except (BrokenExecutor, TimeoutError):
            if self._executor is executor:
                self._executor = None
                executor.shutdown(wait=False, cancel_futures=True)
            WORKERS_LOST.inc()
            raise WorkshopBusy("a worker process ended or took too long") from None
        finally:
            WORK_SECONDS.labels(work.__name__).observe(perf_counter() - started)

    def _open(self) -> Executor:
        if not self._processes:
            return ThreadPoolExecutor(1, "cda-workshop")
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, mp_context=context, initializer=_begin)


def _counted(made: Made) -> Made:
    VERDICTS.labels(made.verdict.conformance).inc()
    return made


def _begin() -> None:
    """Leave signals to the parent, and end with it: a killed hub leaves no worker behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)
