"""Beside the pipeline: the same work per event with Faust, and Faust's transport alone."""

import subprocess
import sys
import time

from bench.figures import Rate
from bench.installation import BenchError, Installation, last_json_line
from bench.limits import create_topics, python_path
from bench.offline import Fleet
from bench.options import Options
from bench.progress import say
from support.wire import Message, produce

_ASSETS = 50
_START_S = 120.0
_PAST_S = 3_600.0
#: More than a worker can handle in its time: 10,000 events/s are out of its reach.
_MOST_PER_S = 10_000
_KINDS = {
    "transport": ("Faust, consume and send only", "one worker, uvloop, no work"),
    "domain": ("Faust, same work per event", "one worker, one agent, no database"),
}


def measure_faust(installation: Installation, options: Options) -> list[Rate]:
    """Measure one worker of each kind, one after the other."""
    source = "bench.faust.raw"
    targets = {kind: f"bench.faust.{kind}" for kind in _KINDS}
    create_topics(installation.bootstrap, (source, *targets.values()))
    start_us = round((time.time() - _PAST_S) * 1e6)
    fleet = Fleet(_ASSETS, start_us)
    fleet.baseline()
    events = fleet.live(round(_MOST_PER_S * (options.comparison_seconds + 1)))
    produce(installation.bootstrap, source, [Message(key=r.key, value=r.value) for r in events])
    found = []
    for kind, (name, remark) in _KINDS.items():
        say(f"faust: {name}, {options.comparison_seconds:g} s")
        report = _run(installation, source, targets[kind], options.comparison_seconds, start_us, kind)
        if report["events"] < 1 or report["events"] >= len(events) - 200:
            raise BenchError(f"{name}: {report['events']} of {len(events)} events handled, which measures nothing")
        rate = report["events"] / report["seconds"]
        found.append(
            Rate(name=name, readings_per_s=rate, us_per_reading=report["cpu_s"] / report["events"] * 1e6, remark=remark)
        )
    return found


def _run(
    installation: Installation, source: str, target: str, seconds: float, start_us: int, kind: str
) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.faust_worker", installation.bootstrap, source, target]
    try:
        done = subprocess.run(
            [*command, str(seconds), str(_ASSETS), str(start_us), kind],
            env=python_path(installation),
            capture_output=True,
            text=True,
            timeout=_START_S + seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchError(f"the Faust worker did not end: {exc}") from exc
    if done.returncode:
        raise BenchError(f"the Faust worker ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return last_json_line(done.stdout)
