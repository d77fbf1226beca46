"""Errors between a quantity and its reading, from noise to swapped wires.

Every effect is a pure function of its settings, a seed and columns of readings. All are causal, and random numbers
depend on a reading's time stamp (``chance``), so any cutting of a stream gives the same readings. Only a stuck sensor
has state, the value at which it stuck.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.chance import normal, uniform
from forewarn.domain.simulation.machine import Values
from forewarn.domain.time import S_PER_DAY, US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class During:
    """When an effect acts: from ``from_s`` until just before ``until_s`` [s since 1970 UTC]."""

    from_s: float = -np.inf
    until_s: float = np.inf

    def covers(self, ts_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each time is within."""
        at_s = ts_us / US_PER_S
        inside: NDArray[np.bool_] = (at_s >= self.from_s) & (at_s < self.until_s)
        return inside


ALWAYS: Final = During()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """An error of one tag's sensor, and when it acts."""

    tag: str
    during: During = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise(_Effect):
    """Additional normal noise; ``spread`` is its standard deviation in the tag's unit."""

    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantisation(_Effect):
    """A coarse converter: readings are whole multiples of ``resolution`` (tag's unit)."""

    resolution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation(_Effect):
    """A transmitter's range (tag's unit): values beyond read as the nearest end."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift(_Effect):
    """The reading drifts from the truth at a steady rate (tag's unit per day), from the start of ``during``."""

    per_day: float
    during: During


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout(_Effect):
    """No value for stretches of ``burst_s``; ``share`` of all stretches, 0–1."""

    share: float
    burst_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(_Effect):
    """The reading keeps its value from the start of ``during``."""

    during: During


@dataclass(frozen=True, slots=True, kw_only=True)
class Spikes(_Effect):
    """Single wild readings, up or down by ``size`` (tag's unit); ``share`` of all readings, 0–1."""

    share: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedWires(_Effect):
    """Two sensors are connected to each other's inputs."""

    other: str


SensorEffect = Noise | Quantisation | Saturation | Drift | Dropout | Stuck | Spikes | SwappedWires

#: Values at which sensors stuck, by position of the effect.
Memory = Mapping[int, float]


def affect(
    columns: Values, ts_us: NDArray[np.int64], effects: Sequence[SensorEffect], *, seed: int, memory: Memory
) -> tuple[Values, Memory]:
    """Apply effects one after the other, in the order of the signal path.

    ``columns`` are values by tag, shape (n,), NaN where missing, at rising ``ts_us``; ``memory`` comes from the
    previous chunk, empty at first. Unaffected columns are returned as they are. Raises KeyError if an effect names a
    missing tag.
    """
    out, remembered = dict(columns), dict(memory)
    for place, effect in enumerate(effects):
        acts = effect.during.covers(ts_us)
        if not acts.any():
            continue
        values = out[effect.tag]
        if isinstance(effect, SwappedWires):
            shown = out[effect.other]
            out[effect.other] = np.where(acts, values, shown)
        elif isinstance(effect, Stuck):
            remembered |= {place: remembered.get(place, _first(values[acts]))}
            shown = np.full(values.shape, remembered[place])
        else:
            shown = _measured(effect, values, ts_us, seed, f"{place}/{effect.tag}")
        out[effect.tag] = np.where(acts, shown, values)
    return out, {place: value for place, value in remembered.items() if np.isfinite(value)}


def _measured(
    effect: Noise | Quantisation | Saturation | Drift | Dropout | Spikes,
    values: FloatArray,
    ts_us: NDArray[np.int64],
    seed: int,
    stream: str,
) -> FloatArray:
    """Apply an effect as if it acted all the time."""
    match effect:
        case Noise():
            return values + effect.spread * normal(seed, stream, ts_us)
        case Quantisation():
            coarse: FloatArray = np.rint(values / effect.resolution) * effect.resolution
            return coarse
        case Saturation():
            return np.clip(values, effect.low, effect.high)
        case Drift():
            return values + effect.per_day * (ts_us / US_PER_S - effect.during.from_s) / S_PER_DAY
        case Dropout():
            stretch = np.floor_divide(ts_us, max(int(effect.burst_s * US_PER_S), 1))
            return np.where(uniform(seed, stream, stretch) < effect.share, np.nan, values)
        case Spikes():
            wild = uniform(seed, stream, ts_us) < effect.share
            sign = np.where(uniform(seed, f"{stream}/sign", ts_us) < 0.5, -1.0, 1.0)
            return np.where(wild, values + sign * effect.size, values)


def _first(values: FloatArray) -> float:
    """Return the first known value, NaN without any."""
    known = values[np.isfinite(values)]
    return float(known[0]) if known.size else float("nan")
