"""The anomaly stage's state as bytes: exact, and equal for equal states."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.domain.anomaly.calibration import Calibration
from forewarn.domain.anomaly.norms import NORM_ARRAYS, Norms
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import CALIBRATION_ARRAYS, MEMORY_ARRAYS, AnomalyState, Baseline, ScoringMemory, take
from forewarn.domain.frames.frame import Array
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.state.packing import pack, unpack

_MAGIC: Final = b"FWANOM02"


def dump(states: Iterable[AnomalyState]) -> bytes:
    """Serialise the states of several classes."""
    arrays: dict[str, Array] = {}
    headers = [_dump_one(state, arrays) for state in sorted(states, key=lambda s: s.asset_class.name)]
    return pack(_MAGIC, headers, arrays)


def load(data: bytes, catalogue: Mapping[str, AssetClass], settings: AnomalySettings) -> dict[str, AnomalyState]:
    """Read what ``dump`` wrote, by class name.

    A class that has left the catalogue, or now has other tags or responses, starts empty. Raises ValueError if the
    bytes are no such snapshot, or were written under settings with another memory.
    """
    headers, arrays = unpack(_MAGIC, data)
    states = {}
    for header in headers:
        asset_class = catalogue.get(header["asset_class"])
        if header["history"] != settings.history:
            raise ValueError(f"snapshot remembers {header['history']} readings, the settings want {settings.history}")
        if asset_class is not None and header["shape"] == _shape(asset_class):
            states[asset_class.name] = _load_one(asset_class, header, arrays)
    return states


def _shape(asset_class: AssetClass) -> list[list[str]]:
    return [list(asset_class.column_names), list(asset_class.twin.responses)]


def _dump_one(state: AnomalyState, arrays: dict[str, Array]) -> dict[str, object]:
    name = state.asset_class.name
    assets, learners = sorted(state.positions), sorted(state.baselines)
    memory = take(state.memory, np.array([state.positions[asset_id] for asset_id in assets], dtype=np.intp))
    arrays |= {f"{name}/{item}": getattr(memory, item) for item in MEMORY_ARRAYS}
    arrays |= {f"{name}/{item}": getattr(memory.calibration, item) for item in CALIBRATION_ARRAYS}
    arrays |= {f"{name}/{item}": getattr(memory.norms, item) for item in NORM_ARRAYS}
    waiting = [Waiting.joined(state.baselines[asset_id].waiting) for asset_id in learners]
    everything = Waiting.joined([Waiting.none(FrameKind.TWIN, state.asset_class), *waiting])
    arrays |= {f"{name}/waiting/{column}": values for column, values in everything.columns.items()}
    return {
        "asset_class": name,
        "shape": _shape(state.asset_class),
        "history": state.memory.residuals.shape[1],
        "assets": assets,
        "baselines": [
            [asset_id, state.baselines[asset_id].version, part.rows]
            for asset_id, part in zip(learners, waiting, strict=True)
        ],
    }


def _load_one(asset_class: AssetClass, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> AnomalyState:
    name = asset_class.name
    calibration = Calibration(**{item: arrays[f"{name}/{item}"] for item in CALIBRATION_ARRAYS})
    norms = Norms(**{item: arrays[f"{name}/{item}"] for item in NORM_ARRAYS})
    memory = ScoringMemory(
        **{item: arrays[f"{name}/{item}"] for item in MEMORY_ARRAYS}, calibration=calibration, norms=norms
    )
    prefix = f"{name}/waiting/"
    stored = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    everything = Waiting.stored(stored, FrameKind.TWIN, asset_class)
    baselines, start = {}, 0
    for asset_id, version, rows in header["baselines"]:
        baselines[asset_id] = Baseline(version=version, waiting=(everything.part(start, start + rows),))
        start += rows
    positions = {asset_id: position for position, asset_id in enumerate(header["assets"])}
    return AnomalyState(asset_class=asset_class, positions=positions, memory=memory, baselines=baselines)
