"""Predictions of a fleet model as CSV."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from forewarn.adapters.fleet_life.model_file import FleetFile
from forewarn.adapters.fleet_life.recorded_runs import RecordedRuns
from forewarn.domain.prognosis.fleet import interval


def predictions_csv(fitted: FleetFile, recorded: RecordedRuns, horizons: Sequence[float] = ()) -> str:
    """Return the remaining life at the last row of each unit, ``unit,p10,p50,p90,mean``, in the file's order of units.

    Parameters
    ----------
    horizons
        A column ``p_fail_<horizon>`` is added for each: the probability of failure within that time.
    """
    model = fitted.model
    mean = model.mean(recorded.runs, recorded.runs.last_rows)
    lives = interval(model.outlook, mean, model.cap)
    columns = {"p10": lives.p10, "p50": lives.p50, "p90": lives.p90, "mean": lives.mean}
    chances = model.failure_probability(mean, horizons)
    columns |= {f"p_fail_{horizon:g}": chance for horizon, chance in zip(horizons, chances.T, strict=True)}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["unit", *columns])
    values = np.column_stack(list(columns.values())).tolist()
    writer.writerows([name, *map(repr, row)] for name, row in zip(recorded.names, values, strict=True))
    return buffer.getvalue()
