"""Heavy work beside the event loop: refusals, errors, and real processes that are replaced and sent home."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from forewarn.contracts.answers.problems import Fault
from forewarn.usecases.errors import NotFoundError, UnavailableError, not_found
from forewarn.usecases.workers import MAX_UNDER_WAY, Work, Workers, worker_thread
from forewarn_api.problems import ProblemError
from support.stack import wait_until

PARENT = """
import asyncio, os
from forewarn.usecases.workers import Work, Workers

async def main():
    async with Workers() as workers:
        print(await workers.run(Work.JUDGING, os.getpid), flush=True)
        await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_a_problem_survives_the_way_from_a_worker():
    error = UnavailableError("busy", "Later.", [Fault(detail="x")], extras={"a": 1}, retry_after_s=2)
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)  # it was pickled a moment ago


async def test_more_of_one_kind_than_may_wait_is_refused_and_other_kinds_are_not():
    go_on = threading.Event()
    async with Workers(worker_thread) as workers, asyncio.timeout(20):
        waiting = [
            asyncio.create_task(workers.run(Work.JUDGING, go_on.wait)) for _ in range(MAX_UNDER_WAY[Work.JUDGING])
        ]
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError) as refused:
            await workers.run(Work.JUDGING, os.getpid)
        assert refused.value.kind == "busy"
        assert await workers.run(Work.ASKING, os.getpid) == os.getpid()
        looking = asyncio.create_task(workers.run(Work.LOOKING, os.getpid))
        go_on.set()
        assert await looking == os.getpid()
        assert await asyncio.gather(*waiting) == [True] * len(waiting)


async def test_a_process_does_the_work_and_another_one_follows_when_it_dies():
    async with Workers() as workers, asyncio.timeout(60):
        first = await workers.run(Work.JUDGING, os.getpid)
        assert first != os.getpid()
        assert await workers.run(Work.PLAYING, os.getpid) == first
        with pytest.raises(NotFoundError, match="Nothing"):
            await workers.run(Work.LOOKING, _raise_not_found)
        with pytest.raises(UnavailableError) as died:
            await workers.run(Work.LOOKING, os.kill, first, signal.SIGKILL)
        assert died.value.kind == "worker-died"
        assert await workers.run(Work.LOOKING, os.getpid) not in (first, os.getpid())


def test_no_worker_outlives_a_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 20)


def _raise_not_found():
    raise not_found("Nothing.")


def test_a_problem_survives_the_way_back_from_a_worker_process():
    problem = pickle.loads(pickle.dumps(ProblemError(415, "unsupported-media-type", "Send JSON.", retry_after_s=3)))
    assert (problem.status, problem.kind, problem.detail, problem.retry_after_s) == (
        415,
        "unsupported-media-type",
        "Send JSON.",
        3,
    )
