"""Frames of kind TWIN with given residuals, and the whole chain from valid readings to scores."""

from collections.abc import Sequence

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, Phase, frame_columns
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step
from forewarn.domain.frames.frame import NUMPY_DTYPES, Frame, Strings, concat
from unit.twin.cases import COUPLED, T0, S, run_twin

RESPONSES = COUPLED.twin.responses

#: Four responses that a load drives; an alarm says that a high ``b`` is bad.
WATCHED = AssetClass.model_validate(
    {
        "name": "watched",
        "title": "Watched machine",
        "tags": [
            {"name": name, "title": name, "unit": unit, "engineering_range": [-10, 10]}
            for name, unit in (("load", "kW"), ("a", "V"), ("b", "Cel"), ("c", "bar"), ("d", "Cel"))
        ],
        "twin": {"drivers": ["load"], "responses": RESPONSES, "baseline_readings": 60},
        "alarms": [
            {
                "id": "b",
                "source": "threshold",
                "column": "b",
                "high": 8,
                "priority": "high",
                "message": "",
                "action": "",
            }
        ],
    }
)


def residuals(rows, seed=1):
    """Residuals of a healthy machine."""
    return np.random.default_rng(seed).normal(0, 1, (rows, len(RESPONSES)))


def judged(
    values,
    asset="M-1",
    start=0,
    phase=Phase.LIVE,
    version=1,
    every_s=1.0,
    late=None,
    ts=None,
    *,
    asset_class=COUPLED,
) -> Frame:
    """Rows that the twin has judged so."""
    rows = len(values)
    given = {f"residual_{name}": values[:, i] for i, name in enumerate(RESPONSES)}
    given |= {
        "ts": T0 + ((start + np.arange(rows)) * every_s * S).astype(np.int64) if ts is None else ts,
        "seq": start + np.arange(rows),
        "phase": np.full(rows, phase),
        "model_version": np.full(rows, version),
        "late": np.zeros(rows) if late is None else late,
    }
    arrays = {}
    for column in frame_columns(FrameKind.TWIN, asset_class):
        if column.dtype != "string":
            arrays[column.name] = np.asarray(given.get(column.name, np.zeros(rows))).astype(NUMPY_DTYPES[column.dtype])
    return Frame(
        kind=FrameKind.TWIN,
        asset_class=asset_class,
        arrays=arrays,
        strings={"asset_id": Strings(np.zeros(rows, dtype=np.int32), (asset,))},
    )


def baseline(rows=400, asset="M-1", seed=1, version=1, start=0) -> Frame:
    """A healthy baseline."""
    return judged(residuals(rows, seed), asset, start=start, phase=Phase.BASELINE, version=version)


def run_anomaly(parts: Sequence[Frame], settings: AnomalySettings | None = None, state: AnomalyState | None = None):
    """Feed frames one after another; returns state and all rows as one frame."""
    settings = settings or AnomalySettings()
    state = state or AnomalyState.empty(parts[0].asset_class, settings)
    out = []
    for part in parts:
        state, scored = step(state, part, settings)
        out.append(scored)
    return state, concat(out)


def calibrated(settings: AnomalySettings | None = None, asset="M-1") -> AnomalyState:
    """State of a machine whose baseline of 400 rows is complete."""
    first_live = judged(residuals(20, 2), asset, start=400)
    return run_anomaly([baseline(asset=asset), first_live], settings)[0]


def run_both(parts: Sequence[Frame], twin_settings=None, settings: AnomalySettings | None = None):
    """Twin and anomaly stage behind each other, as in the product; returns rows and cards."""
    _, judged_rows, cards = run_twin(parts, twin_settings)
    _, scored = run_anomaly([judged_rows], settings)
    return scored, cards
