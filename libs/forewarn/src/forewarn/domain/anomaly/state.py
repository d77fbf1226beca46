"""State of the anomaly stage for the assets of one class."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.anomaly.calibration import KNOTS, Calibration
from forewarn.domain.anomaly.norms import NORM_ARRAYS, Norms
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.frames.frame import Array
from forewarn.domain.frames.waiting import Waiting

#: "No reading yet" in times.
NEVER: Final = -(2**63)

#: Levels of a score: unknown, below the hysteresis band, within it, above it.
UNKNOWN, LOW, MIDDLE, HIGH = -1, 0, 1, 2

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ScoringMemory:
    """Calibrated assets side by side; the first axis of every array is the asset."""

    version: NDArray[np.uint32]  #: Model version that the calibration belongs to.
    #: Last residuals since the last gap, NaN before the first; shape (assets, history, responses).
    residuals: Float32Array
    levels: NDArray[np.int8]  #: Levels of the last scores, shape (assets, history).
    #: Whether the asset is flagged, and whether the flag began with a jump.
    flagged: NDArray[np.bool_]
    abrupt: NDArray[np.bool_]
    last_ts: NDArray[np.int64]  #: Event time of the newest judged reading [µs].
    calibration: Calibration
    norms: Norms

    @classmethod
    def blank(cls, assets: int, history: int, responses: int) -> "ScoringMemory":
        """Return room for assets about which nothing is known."""
        nothing = np.zeros(assets)
        return cls(
            version=np.zeros(assets, dtype=np.uint32),
            residuals=np.full((assets, history, responses), np.nan, dtype=np.float32),
            levels=np.full((assets, history), UNKNOWN, dtype=np.int8),
            flagged=np.zeros(assets, dtype=np.bool_),
            abrupt=np.zeros(assets, dtype=np.bool_),
            last_ts=np.full(assets, NEVER, dtype=np.int64),
            calibration=Calibration(
                knots=np.zeros((assets, KNOTS)), tail_start=nothing, tail_width=nothing, gap_us=nothing
            ),
            norms=Norms.blank(assets, responses),
        )

    def with_news(self, assets: NDArray[np.intp], **news: Array) -> "ScoringMemory":
        """Replace the parts of these arrays that concern some assets."""
        changed = {name: getattr(self, name).copy() for name in news}
        for name, values in news.items():
            changed[name][assets] = values
        return replace(self, **changed)


MEMORY_ARRAYS: Final = ("version", "residuals", "levels", "flagged", "abrupt", "last_ts")
CALIBRATION_ARRAYS: Final = ("knots", "tail_start", "tail_width", "gap_us")


def take(memory: ScoringMemory, assets: NDArray[np.intp]) -> ScoringMemory:
    """Copy these assets."""
    own = {name: getattr(memory, name)[assets] for name in MEMORY_ARRAYS}
    healthy = {name: getattr(memory.calibration, name)[assets] for name in CALIBRATION_ARRAYS}
    norms = {name: getattr(memory.norms, name)[assets] for name in NORM_ARRAYS}
    return ScoringMemory(**own, calibration=Calibration(**healthy), norms=Norms(**norms))


def put(memory: ScoringMemory, assets: NDArray[np.intp], news: ScoringMemory) -> ScoringMemory:
    """Replace these assets, or append those behind the last one."""
    room = max(int(assets.max(initial=-1)) + 1, memory.version.size)
    _, history, responses = memory.residuals.shape
    joined = ScoringMemory.blank(room, history, responses)
    for name in MEMORY_ARRAYS:
        _fill(getattr(joined, name), getattr(memory, name), assets, getattr(news, name))
    calibration = _joined(CALIBRATION_ARRAYS, room, assets, memory.calibration, news.calibration)
    norms = _joined(NORM_ARRAYS, room, assets, memory.norms, news.norms)
    return replace(joined, calibration=Calibration(**calibration), norms=Norms(**norms))


def _joined(
    names: tuple[str, ...],
    room: int,
    assets: NDArray[np.intp],
    old: Calibration | Norms,
    new: Calibration | Norms,
) -> dict[str, Array]:
    out = {}
    for name in names:
        before, after = getattr(old, name), getattr(new, name)
        out[name] = np.zeros((room, *before.shape[1:]), dtype=before.dtype)
        _fill(out[name], before, assets, after)
    return out


def _fill(
    target: NDArray[np.generic], old: NDArray[np.generic], assets: NDArray[np.intp], new: NDArray[np.generic]
) -> None:
    target[: old.shape[0]] = old
    target[assets] = new


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Baseline:
    """Baseline readings of an asset held until the baseline is complete, oldest first, in pieces."""

    version: int
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AnomalyState:
    """State of one class, immutable: a step returns a new one."""

    asset_class: AssetClass
    positions: Mapping[str, int]
    memory: ScoringMemory
    baselines: Mapping[str, Baseline] = field(default_factory=dict)

    @classmethod
    def empty(cls, asset_class: AssetClass, settings: AnomalySettings) -> "AnomalyState":
        """Return a state without assets."""
        memory = ScoringMemory.blank(0, settings.history, len(asset_class.twin.responses))
        return cls(asset_class=asset_class, positions={}, memory=memory)

    @property
    def assets(self) -> tuple[str, ...]:
        """Return every known asset."""
        return tuple({**self.positions, **self.baselines})

    def select(self, names: Mapping[str, str]) -> "AnomalyState":
        """Select these assets, under the names they map to."""
        kept = [name for name in self.positions if name in names]
        rows = np.array([self.positions[name] for name in kept], dtype=np.intp)
        return replace(
            self,
            positions={names[name]: position for position, name in enumerate(kept)},
            memory=take(self.memory, rows),
            baselines={names[name]: baseline for name, baseline in self.baselines.items() if name in names},
        )

    def joined(self, other: "AnomalyState") -> "AnomalyState":
        """Return the union with a state of other assets of the same class."""
        room = self.memory.version.size
        rows = np.arange(room, room + other.memory.version.size)
        return replace(
            self,
            positions={**self.positions, **{name: room + position for name, position in other.positions.items()}},
            memory=put(self.memory, rows, other.memory),
            baselines={**self.baselines, **other.baselines},
        )
