"""Health from rows of ``anomaly.scores``: update the state of all assets of a frame at once."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.frames import Phase
from forewarn.domain.frames.arrivals import NEVER_US, Arrivals, newer_rows, timely_rows
from forewarn.domain.frames.conditions import is_running
from forewarn.domain.frames.frame import MISSING, FloatArray, Frame, Strings
from forewarn.domain.health.asset import HealthState, JudgedHealth
from forewarn.domain.health.drift import observe_drift
from forewarn.domain.health.expectation import expected_indicators
from forewarn.domain.health.growth import UNSEEN, Growth, learn_healthy, observe
from forewarn.domain.health.index import Observation, present_health
from forewarn.domain.health.profile import HealthProfile, class_profile
from forewarn.domain.health.trend import TrendState, add_sample, wants_sample
from forewarn.domain.time import US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameResult:
    """Outcome of a frame: new states of the changed assets."""

    states: Mapping[str, HealthState]
    applied: int  #: rows that were applied
    skipped: int  #: rows that were late or seen before


def observe_frame(
    states: Mapping[str, HealthState], frame: Frame, profiles: Callable[[str], HealthProfile] | None = None
) -> FrameResult:
    """Apply the timely rows of an anomaly frame, in order of arrival, to the assets' states.

    A row not newer than all earlier rows of its asset changes nothing. So the result does not depend on how rows are
    cut into frames, and a redelivered frame is a no-op. ``profiles`` define how each asset is judged; without them all
    are judged by their class alone.
    """
    times = frame.arrays["ts"]
    found = timely_rows(frame)
    before = [_state(states, name, frame) for name in found.names]
    watermarks = np.array([NEVER_US if state is None else state.seen_us for state in before], dtype=np.int64)
    new = newer_rows(found, times, watermarks)
    running = new.keep(is_running(frame.asset_class.twin.running, frame.arrays, new.rows))
    judged = dict(zip(running.names, _judge_rows(states, frame, running, profiles or _by_class(frame)), strict=True))
    after = {
        name: HealthState(
            asset_id=name,
            asset_class=frame.asset_class.name,
            seen_us=seen_us,
            judged=judged[name] if name in judged else _judged(_state(states, name, frame)),
        )
        for name, seen_us in zip(new.names, times[new.newest].tolist(), strict=True)
    }
    return FrameResult(states=after, applied=new.rows.size, skipped=frame.rows - new.rows.size)


def _by_class(frame: Frame) -> Callable[[str], HealthProfile]:
    profile = class_profile(frame.asset_class)
    return lambda _asset_id: profile


def _state(states: Mapping[str, HealthState], asset_id: str, frame: Frame) -> HealthState | None:
    """Return the state of an asset of this class; a new one if it was of another class."""
    state = states.get(asset_id)
    return state if state is not None and state.asset_class == frame.asset_class.name else None


def _judged(state: HealthState | None) -> JudgedHealth | None:
    return None if state is None else state.judged


def _judge_rows(
    states: Mapping[str, HealthState], frame: Frame, running: Arrivals, profiles: Callable[[str], HealthProfile]
) -> list[JudgedHealth]:
    """Apply the rows with the machine running to each asset."""
    before = [_judged(_state(states, name, frame)) for name in running.names]
    newest = running.newest
    times_us = frame.arrays["ts"][newest].tolist()
    flags = frame.arrays["flag"][newest].tolist()
    historical = frame.arrays["historical"][newest].tolist()
    culprits = frame.strings["culprit"]
    codes = culprits.codes[newest].tolist()
    growths = _observe_growth(before, frame, running, [profiles(name) for name in running.names])
    observations = _observations(frame, newest)
    drifts = observe_drift([None if known is None else known.drift for known in before], frame, running)
    bounds = running.starts.tolist()
    after = []
    for k, known in enumerate(before):
        trend = TrendState() if known is None else known.trend
        if wants_sample(trend, times_us[k] / US_PER_S):
            rows = running.rows[bounds[k] : bounds[k + 1]]
            trend = _sample_trend(trend, frame, rows, profiles(running.names[k]))
        after.append(
            JudgedHealth(
                at_us=times_us[k],
                latest=observations[k],
                flag=flags[k],
                culprit=_known_tag(frame, culprits, codes[k]),
                historical=historical[k],
                trend=trend,
                growth=growths[k],
                drift=drifts[k],
            )
        )
    return after


def _known_tag(frame: Frame, culprits: Strings, code: int) -> str | None:
    """Return the culprit, if it is one of the class's columns."""
    name = None if code == MISSING else culprits.categories[code]
    return name if name in frame.asset_class.titles else None


def _observations(frame: Frame, rows: NDArray[np.intp]) -> list[Observation]:
    names = frame.asset_class.health_columns
    columns = [frame.arrays[name][rows].tolist() for name in names]
    scores = frame.arrays["score"][rows].tolist()
    deviations = frame.arrays["deviation"][rows].tolist()
    return [
        Observation(
            values={name: _known(column[k]) for name, column in zip(names, columns, strict=True)},
            anomaly_score=_percent(score),
            deviation=_percent(deviation),
        )
        for k, (score, deviation) in enumerate(zip(scores, deviations, strict=True))
    ]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _percent(value: float) -> float | None:
    """Clip a score to 0–100: a 32-bit sum can exceed it by rounding."""
    return min(100.0, max(0.0, value)) if math.isfinite(value) else None


def _sample_trend(trend: TrendState, frame: Frame, rows: NDArray[np.intp], profile: HealthProfile) -> TrendState:
    """Sample the present index: forecasts come from growth, which the trend would count again."""
    for row, time_us in zip(rows.tolist(), frame.arrays["ts"][rows].tolist(), strict=True):
        time_s = time_us / US_PER_S
        if not wants_sample(trend, time_s):
            continue
        (observation,) = _observations(frame, np.array([row]))
        health = present_health(profile, observation)
        if health is not None:
            trend = add_sample(trend, time_s, health)
    return trend


def _observe_growth(
    before: Sequence[JudgedHealth | None], frame: Frame, running: Arrivals, profiles: Sequence[HealthProfile]
) -> list[dict[str, Growth]]:
    """Update the growth of every failure mode's indicator, by asset and mode."""
    modes = frame.asset_class.failure_modes
    expected = expected_indicators(frame, running, profiles)
    unknown = np.full(running.rows.shape, np.nan)
    after: dict[str, list[Growth]] = {}
    for mode in modes:
        known = [UNSEEN if judged is None else judged.growth.get(mode.id, UNSEEN) for judged in before]
        values = np.asarray(frame.arrays[mode.indicator][running.rows], dtype=np.float64)
        after[mode.id] = _grown(known, frame, running, values, expected.get(mode.indicator, unknown))
    return [{mode.id: after[mode.id][k] for mode in modes} for k in range(len(before))]


def _grown(
    before: Sequence[Growth], frame: Frame, running: Arrivals, values: FloatArray, expected: FloatArray
) -> list[Growth]:
    """Update one mode's growth; it restarts with the baseline of a retrained twin."""
    baseline = frame.arrays["phase"][running.rows] == Phase.BASELINE
    versions = frame.arrays["model_version"][running.rows]
    usable, growths = np.ones(values.shape, dtype=np.bool_), list(before)
    for k in np.unique(running.owners[baseline]).tolist():
        rows = slice(int(running.starts[k]), int(running.starts[k + 1]))
        growths[k], first = learn_healthy(growths[k], values[rows], baseline[rows], versions[rows])
        usable[rows.start : rows.start + first] = False
    return observe(
        growths,
        running.owners[usable],
        frame.arrays["ts"][running.rows[usable]] / US_PER_S,
        values[usable],
        expected[usable],
    )
