"""Heavy work outside the event loop: bounded, and one kind never waits for another.

Pure Python and single long calls into pydantic keep the interpreter's lock, so a thread would starve the event loop
as well: such work runs in processes. They start when they are first needed and share what they import.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Final, ParamSpec, Self, TypeVar

import structlog

from forewarn_api.metrics import WORK_REFUSED
from forewarn_api.problems import ProblemError

P = ParamSpec("P")
R = TypeVar("R")

_RETRY_AFTER_S: Final = 2
#: Work yields to the event loop and the other services of a small machine.
_NICENESS: Final = 5
_PRELOAD: Final = ["forewarn_api.jobs"]
_log = structlog.get_logger(__name__)


class Work(StrEnum):
    """Kinds of heavy work; each has a worker of its own."""

    READING = "reading"
    """Long lists of readings that are to be ingested."""
    JUDGING = "judging"
    """Dry runs."""
    COMPUTING = "computing"
    """Scenarios, forecasts, long histories."""
    ASKING = "asking"
    """Questions to twins: short, and they need the whole live view, so a thread does them."""


#: Requests of one kind, the one that is being worked on included; more are refused.
MAX_UNDER_WAY: Final[Mapping[Work, int]] = MappingProxyType(
    {Work.READING: 16, Work.JUDGING: 8, Work.COMPUTING: 8, Work.ASKING: 32}
)


def worker_thread(work: Work) -> Executor:
    """A thread."""
    return ThreadPoolExecutor(1, thread_name_prefix=work.value)


def worker_process(work: Work) -> Executor:
    """A process, except for work that needs the memory of this one."""
    if work is Work.ASKING:
        return worker_thread(work)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return ProcessPoolExecutor(1, mp_context=context, initializer=_become_worker)


class Workers:
    """Does work of each kind in turn; use it as an async context manager."""

    def __init__(self, make: Callable[[Work], Executor] = worker_process) -> None:
        self._make = make
        self._executors: dict[Work, Executor] = {}
        self._starting = {work: asyncio.Lock() for work in Work}
        self._under_way = Counter[Work]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        executors, self._executors = list(self._executors.values()), {}
        for executor in executors:
            executor.shutdown(wait=False, cancel_futures=True)
        if any(isinstance(executor, ProcessPoolExecutor) for executor in executors):
            for process in multiprocessing.active_children():
                process.terminate()  # whoever asked has gone, or is told to ask again

    async def run(self, work: Work, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in the worker; it and what goes in and out must be picklable.

        Raises
        ------
        ProblemError
            503 if too much of this kind is under way, or the worker has died.
        """
        if self._under_way[work] >= MAX_UNDER_WAY[work]:
            WORK_REFUSED.labels(work.value).inc()
            detail = f"{self._under_way[work]} requests of this kind ({work.value}) are under way: try again."
            raise ProblemError(503, "busy", detail, retry_after_s=_RETRY_AFTER_S)
        self._under_way[work] += 1
        try:
            executor = await self._executor(work)
            return await asyncio.wrap_future(executor.submit(function, *args, **kwargs))
        except BrokenExecutor as exc:
            self._executors.pop(work, None)
            _log.error("worker_died", work=work.value, reason=str(exc))
            detail = "The process that worked on this request has died: try again, with less at a time."
            raise ProblemError(503, "worker-died", detail, retry_after_s=_RETRY_AFTER_S) from exc
        finally:
            self._under_way[work] -= 1

    async def _executor(self, work: Work) -> Executor:
        async with self._starting[work]:
            if work not in self._executors:
                # A thread starts it: that waits until the first worker has imported what all of them share.
                self._executors[work] = await asyncio.to_thread(self._started, work)
            return self._executors[work]

    def _started(self, work: Work) -> Executor:
        executor = self._make(work)
        executor.submit(os.getpid).result()
        return executor


def _become_worker() -> None:
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
