"""Import of a CSV file of one machine through the whole platform, by the command a person would use."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv

from bench.figures import Micro
from bench.installation import BenchError, Installation
from bench.offline import CLASS
from bench.options import Options
from bench.progress import say
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.pump import PUMP, PUMP_TAGS
from support.stack import wait_until

GOAL_S = 120.0
_GOAL_ROWS = 1_000_000
_SERVICES = ("sink", "alerting", "health", "anomaly", "twin", "validator")
_ASSET = "IMPORT-1"
_PATIENCE_S = 600.0
_DAY_S = 86_400
_COUNT = f"SELECT (SELECT count(*) FROM readings_{CLASS}) + (SELECT count(*) FROM results_{CLASS})"


def measure_import(directory: Path, options: Options) -> list[Micro]:
    """Time from the command's start until its end, and until every row is in both tables."""
    say(f"import: {options.import_rows:,} rows of 10 tags")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "history.csv"
    _write(path, options.import_rows)
    with Installation(directory, heap_mb=512) as installation:
        installation.start_services(_SERVICES)
        began_s = time.monotonic()
        command = [sys.executable, "-m", "forewarn_local", "import", str(path)]
        command += ["--asset", _ASSET, "--class", CLASS, "--yes"]
        environment = installation.environment() | {"FOREWARN_HOME": str(directory / "home")}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
        if done.returncode:
            raise BenchError(f"forewarn import ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        judged_s = time.monotonic() - began_s
        with psycopg.connect(installation.database.url, autocommit=True) as connection:
            wait_until(lambda: _rows(connection) == 2 * options.import_rows, _PATIENCE_S, "rows are missing", 0.5)
        stored_s = time.monotonic() - began_s
    goal = GOAL_S if options.import_rows >= _GOAL_ROWS else None
    rows = f"{options.import_rows:,} rows x 10 tags"
    return [
        Micro(name=f"import of {rows}: judged", value=judged_s, unit="s"),
        Micro(name=f"import of {rows}: queryable", value=stored_s, unit="s", goal=goal),
    ]


def _rows(connection: psycopg.Connection) -> int:
    """Readings and results that are queryable."""
    found = connection.execute(_COUNT).fetchone()
    return 0 if found is None else int(found[0])


def _write(path: Path, rows: int) -> None:
    """A healthy pump's readings, one a second, ending yesterday: retention would drop older ones."""
    seconds = int(time.time()) - _DAY_S - np.arange(rows)[::-1]
    _, values = PUMP.step(
        PUMP.design(),
        PUMP.start,
        dt_s=_DAY_S,  # each row a machine of its own that has settled
        surroundings=Profile().at(seconds.astype(np.float64)),
        faults={},
        rng=np.random.default_rng(1),
    )
    times = seconds.astype("datetime64[s]")
    columns = {tag: values[tag] for tag in PUMP_TAGS}
    pa_csv.write_csv(pa.table({"time": pa.array(np.datetime_as_string(times)), **columns}), path)
