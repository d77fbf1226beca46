"""How long the API is away after ``kill -9``."""

import subprocess
import sys
import time

import psutil
import pytest

from support.stack import SERVICE_ENV

pytestmark = pytest.mark.integration

READY_AFTER_S = 5.0  # on a machine that has nothing else to do


def _slowdown():
    """Wall clock over CPU time of the imports: how much longer everything takes here at this moment."""
    begin = time.monotonic()
    code = "import time, forewarn_api.__main__; print(time.process_time())"
    run = subprocess.run(
        [sys.executable, "-c", code], env=SERVICE_ENV, capture_output=True, text=True, check=True, timeout=120
    )
    return max(1.0, (time.monotonic() - begin) / float(run.stdout))


def test_a_killed_api_is_ready_again_within_five_seconds(api):
    api.process.kill()
    slowdown = _slowdown()
    begin = time.monotonic()
    api.process.start()
    api.wait_ready(120)
    wall_s = time.monotonic() - begin
    cpu = psutil.Process(api.process.pid).cpu_times()
    assert wall_s < READY_AFTER_S * max(slowdown, _slowdown()), f"with {cpu.user + cpu.system:.1f} s of CPU"
