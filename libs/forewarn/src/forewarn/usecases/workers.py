"""Heavy work outside the event loop, bounded by kind.

Pure Python and long calls into pydantic hold the interpreter's lock, so a thread would block the event loop too:
such work runs in a separate process, a single one because each costs the memory of its imports.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Final, ParamSpec, Self, TypeVar

import pyarrow as pa
import structlog

from forewarn.usecases.errors import UnavailableError

P = ParamSpec("P")
R = TypeVar("R")

_RETRY_AFTER_S: Final = 2
#: After this time without work, the process ends to free its memory.
_IDLE_S: Final = 60.0
#: Niceness: behind the event loop, and behind other services on a small machine.
_NICENESS: Final = 5
_log = structlog.get_logger(__name__)


class Work(StrEnum):
    """Kinds of heavy work. Each runs one at a time, so none waits for more than one of another kind."""

    JUDGING = "judging"
    """Dry runs."""
    PLAYING = "playing"
    """Scenarios that are returned as data."""
    LOOKING = "looking"
    """Forecasts and long histories."""
    ASKING = "asking"
    """What-if: short, and in a thread because it needs the whole live view."""


#: Requests of one kind that may be under way; more are refused.
MAX_UNDER_WAY: Final[Mapping[Work, int]] = MappingProxyType(
    {Work.JUDGING: 8, Work.PLAYING: 8, Work.LOOKING: 8, Work.ASKING: 32}
)


def worker_thread() -> Executor:
    """Return a thread."""
    return ThreadPoolExecutor(1, thread_name_prefix="worker")


def worker_process(preload: Sequence[str] = ()) -> Executor:
    """Return a process forked from a small one that has imported the modules the work needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return ProcessPoolExecutor(1, mp_context=context, initializer=_become_worker)


class Workers:
    """Runs heavy work; an async context manager."""

    def __init__(
        self, make: Callable[[], Executor] = worker_process, on_refused: Callable[[Work], None] = lambda _work: None
    ) -> None:
        self._make = make
        self._on_refused = on_refused
        self._worker: Executor | None = None
        self._starting = asyncio.Lock()
        self._asking = worker_thread()
        self._turns = {work: asyncio.Lock() for work in Work}
        self._under_way = Counter[Work]()
        self._rest: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking.shutdown(wait=False, cancel_futures=True)
        self._dismiss()
        for process in multiprocessing.active_children():
            process.terminate()  # nobody waits for it any more

    def require_room(self, work: Work) -> None:
        """Raise ``UnavailableError`` if too much work of this kind is under way."""
        if self._under_way[work] >= MAX_UNDER_WAY[work]:
            self._on_refused(work)
            detail = f"{self._under_way[work]} requests of this kind ({work.value}) are under way: try again."
            raise UnavailableError("busy", detail, retry_after_s=_RETRY_AFTER_S)

    async def run(self, work: Work, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in the worker; it, its arguments and its result must be picklable.

        Raises ``UnavailableError`` if too much work of this kind is under way, or the worker died.
        """
        self.require_room(work)
        self._under_way[work] += 1
        try:
            async with self._turns[work]:
                call = partial(function, *args, **kwargs)
                if work is Work.ASKING:
                    return await asyncio.wrap_future(self._asking.submit(call))
                worker = await self._hired()
                return await asyncio.wrap_future(worker.submit(_tidy, call))
        except BrokenExecutor as exc:
            self._dismiss()
            _log.error("worker_died", work=work.value, reason=str(exc))
            detail = "The process that worked on this request died: try again, with less at a time."
            raise UnavailableError("worker-died", detail, retry_after_s=_RETRY_AFTER_S) from exc
        finally:
            self._under_way[work] -= 1
            self._rest_later()

    async def _hired(self) -> Executor:
        async with self._starting:
            if self._worker is None:
                # In a thread because it waits for the imports.
                self._worker = await asyncio.to_thread(self._started)
            return self._worker

    def _started(self) -> Executor:
        worker = self._make()
        worker.submit(os.getpid).result()
        return worker

    def _rest_later(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(_IDLE_S, self._rest_if_idle)

    def _rest_if_idle(self) -> None:
        if not self._under_way.total():
            self._dismiss()

    def _dismiss(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown(wait=False, cancel_futures=True)


def _tidy(call: Callable[[], R]) -> R:
    """Make a call and return its memory to the system; both allocators keep it otherwise."""
    try:
        return call()
    finally:
        pa.default_memory_pool().release_unused()
        _trim()


def _trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(0)


def _become_worker() -> None:
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the API ends its worker
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
