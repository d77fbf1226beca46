"""Twins that have learned, for APIs over stand-ins."""

from datetime import timedelta
from functools import cache

import numpy as np

from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES, Frame, Strings
from forewarn.domain.physics.derive import derive
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from forewarn.ports.history import History, RollUp, Series
from forewarn.testing.api_examples import NOW, PUMP_CLASS, microseconds, valid_rows
from forewarn_twin.announcing import artefact
from support.plant import pump_metrics

ROWS = 200


def readings(asset_id, rows=ROWS, seed=1, start=NOW - timedelta(hours=1)) -> Frame:
    """Valid readings of a healthy pump at changing load."""
    rng = np.random.default_rng(seed)
    loads = 0.5 + 0.4 * np.sin(np.arange(rows) / 9)
    metrics = [pump_metrics(rng, load=load) for load in loads]
    tags = {name: np.array([row[name] for row in metrics]) for name in PUMP_CLASS.tag_names}
    values = {**tags, **derive(PUMP_CLASS, tags, {})}
    ts = microseconds(start) + np.arange(rows) * 1_000_000
    arrays = {
        column.name: values.get(column.name, ts if column.dtype == "timestamp_us" else np.zeros(rows)).astype(
            NUMPY_DTYPES[column.dtype]
        )
        for column in frame_columns(FrameKind.VALID, PUMP_CLASS)
        if column.dtype != "string"
    }
    strings = {"asset_id": Strings.of([asset_id] * rows), "findings": Strings(np.full(rows, MISSING, np.int32), ())}
    return Frame(kind=FrameKind.VALID, asset_class=PUMP_CLASS, arrays=arrays, strings=strings)


@cache
def card(asset_id, seed=1):
    state, _, (fitted,) = step(
        TwinState.empty(PUMP_CLASS), readings(f"0/{asset_id}", seed=seed), TwinSettings(baseline_readings=ROWS)
    )
    return artefact(fitted, state.models[f"0/{asset_id}"], PUMP_CLASS)


def learn(platform, *assets):
    for seed, asset_id in enumerate(assets):
        platform.live.take_model(f"{asset_id}/twin", card(asset_id, seed))


def measure(platform, asset_id, **changes):
    newest = readings(asset_id, rows=1, seed=9)
    values = {name: float(newest.arrays[name][0]) for name in PUMP_CLASS.column_names}
    platform.live.take_readings(valid_rows([asset_id], NOW, **{**values, **changes}))
    return {**values, **changes}


def stored(frame: Frame, next_start=None) -> History:
    rows = frame.rows
    return History(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        roll_up=RollUp.RAW,
        ts=tuple(NOW - timedelta(hours=1) + timedelta(seconds=i) for i in range(rows)),
        count=(1,) * rows,
        series=tuple(
            Series(
                column=name,
                unit="",
                values=tuple(frame.arrays[name].tolist()),
                quality=(0,) * rows if name in PUMP_CLASS.tag_names else (),
            )
            for name in PUMP_CLASS.column_names
        ),
        score=(None,) * rows,
        deviation=(None,) * rows,
        flag=(None,) * rows,
        next_start=next_start,
    )
