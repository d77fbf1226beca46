"""A scenario played with one machine: its readings, and the truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass, FailureMode
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.delivery import GatewayDelivery
from forewarn.domain.simulation.growth import Curve, GrowthCourse, random_pace
from forewarn.domain.simulation.indicator import Gauge, crossing_s, mode_of, severities_for, stated_nameplate
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.run import MachineRun
from forewarn.domain.simulation.scenarios import Scenario, crossed_tags, require_tag, usual_tag
from forewarn.domain.simulation.schedule import Schedule
from forewarn.domain.simulation.sensor_effects import During, SensorEffect, SwappedWires
from forewarn.domain.time import S_PER_DAY, US_PER_S

_ONSET_SPREAD: Final = 0.2  # of the time until the onset
_POINTS: Final = 49  # extra points at which a curve of the indicator is translated into severities
_COURSE_STREAM: Final = 1  # random numbers of the growth, apart from those of the readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Input of a scenario."""

    asset_class: AssetClass
    start_s: float  #: Time of the first reading [s since 1970 UTC].
    days: float  #: Length, in days of the plant.
    severity: float = 1.0  #: Relative to the full scenario, above 0 and up to 1.
    seed: int = 0
    tag: str | None = None  #: Tag whose sensor fails; None: ``scenarios.usual_tag``.
    design: Mapping[str, float] = field(default_factory=dict)
    nameplate: Mapping[str, float] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    schedule: Schedule | None = None
    day_s: float = S_PER_DAY  #: Length of a day; a live demo shortens it.

    def __post_init__(self) -> None:
        if self.days <= 0.0 or not 0.0 < self.severity <= 1.0 or self.day_s <= 0.0:
            raise ValueError(f"days must be above 0, and severity above 0 and up to 1: {self.days}, {self.severity}")
        if self.tag is not None:
            require_tag(self.asset_class, self.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A scenario played with a machine."""

    scenario: Scenario
    run: MachineRun
    delivery: GatewayDelivery
    #: The fault from ``onset_s`` on: one of the machine model, or the scenario's name for faults of sensors or gateway;
    #: None without a fault.
    fault: str | None = None
    mode: str | None = None  #: Failure mode of the class; None without wear.
    onset_s: float | None = None
    #: When the daily mean of the mode's indicator crosses the mode's limit; None: not in this story.
    fails_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Truth:
    """Labels of readings, each of shape (n,)."""

    present: NDArray[np.bool_]  #: The fault has begun.
    severity: FloatArray  #: 0–1; for sensors and gateways that of the scenario.
    rul_days: FloatArray  #: True remaining useful life; NaN without a coming failure.


def play(scenario: Scenario, plot: Plot) -> Story:
    """Prepare a scenario; equal plots give equal stories.

    Raises UnknownScenarioError if the class lacks the sensors of the scenario.
    """
    rng = np.random.default_rng([plot.seed, _COURSE_STREAM])
    length_s = plot.days * plot.day_s
    wait_s = length_s * scenario.onset * (1.0 + _ONSET_SPREAD * rng.uniform(-1.0, 1.0))
    onset_s = plot.start_s + wait_s
    run = MachineRun(
        asset_class=plot.asset_class.name,
        design=plot.design,
        profile=plot.profile,
        schedule=plot.schedule,
        seed=plot.seed,
    )
    if scenario.wears:
        return _worn(scenario, plot, run, onset_s, random_pace(scenario.pace, rng))
    delivery = _scaled(scenario.delivery, plot.severity)
    effects = _effects(scenario, plot, During(from_s=onset_s))
    wrong = bool(effects) or not delivery.is_perfect
    return Story(
        scenario=scenario,
        run=replace(run, effects=effects),
        delivery=delivery,
        fault=scenario.name if wrong else None,
        onset_s=onset_s if wrong else None,
    )


def truth_of(story: Story, ts_us: NDArray[np.int64], *, day_s: float = S_PER_DAY) -> Truth:
    """Return the labels at these times [µs since 1970 UTC]."""
    t_s = ts_us / US_PER_S
    present = np.zeros(t_s.shape, dtype=np.bool_) if story.onset_s is None else t_s >= story.onset_s
    severity = np.zeros(t_s.shape)
    for course in story.run.courses:
        severity = np.maximum(severity, course.at(t_s))
    if not story.run.courses:
        severity = np.where(present, 1.0, 0.0)
    rul = np.full(t_s.shape, np.nan) if story.fails_s is None else np.maximum(story.fails_s - t_s, 0.0) / day_s
    return Truth(present=present, severity=severity, rul_days=np.where(present, rul, np.nan))


def _worn(scenario: Scenario, plot: Plot, run: MachineRun, onset_s: float, pace: tuple[float, ...]) -> Story:
    fault = scenario.faults[plot.asset_class.name]
    mode = mode_of(plot.asset_class, fault)
    end_s = plot.start_s + plot.days * plot.day_s
    gauge = None if mode is None else _gauge(plot, mode)
    curve = scenario.curve
    if gauge is not None and scenario.indicator_course is not None:
        curve = _severities(scenario.indicator_course, gauge, onset_s, end_s)
    course = GrowthCourse(
        fault=fault,
        onset_s=onset_s,
        end_s=end_s,
        curve=curve,
        severity=plot.severity,
        before=0.0 if scenario.indicator_course is None else plot.severity * curve[0][1],
        pace=pace,
    )
    return Story(
        scenario=scenario,
        run=replace(run, courses=(course,)),
        delivery=scenario.delivery,
        fault=fault,
        mode=None if mode is None else mode.id,
        onset_s=onset_s,
        fails_s=None if mode is None or gauge is None else crossing_s(gauge, course, mode.threshold),
    )


def _gauge(plot: Plot, mode: FailureMode) -> Gauge | None:
    """Return the gauge of the mode's indicator; None if the machine's model does not have it."""
    gauge = Gauge(
        asset_class=plot.asset_class,
        fault=mode.id,
        indicator=mode.indicator,
        design=plot.design,
        nameplate={**stated_nameplate(plot.asset_class, plot.design), **plot.nameplate},
        profile=plot.profile,
    )
    return gauge if gauge.shows else None


def _severities(indicator_course: Curve, gauge: Gauge, onset_s: float, end_s: float) -> Curve:
    """Translate a curve of the indicator into severities, point by point."""
    points = np.asarray(indicator_course)
    shares = np.unique(np.concatenate([np.linspace(0.0, 1.0, _POINTS), points[:, 0]]))
    wanted = np.interp(shares, points[:, 0], points[:, 1])
    severities = severities_for(gauge, shares, wanted, begin_s=onset_s, end_s=end_s)
    return tuple((float(share), float(severity)) for share, severity in zip(shares, severities, strict=True))


def _effects(scenario: Scenario, plot: Plot, during: During) -> tuple[SensorEffect, ...]:
    asset_class = plot.asset_class
    if scenario.swaps:
        tag, other = crossed_tags(asset_class)
        return (SwappedWires(tag=tag, other=other, during=during),)
    if scenario.effect is None:
        return ()
    name = plot.tag or usual_tag(asset_class)
    low, high = next(tag.engineering_range for tag in asset_class.tags if tag.name == name)
    return (scenario.effect(name, high - low, plot.severity, during),)


def _scaled(delivery: GatewayDelivery, severity: float) -> GatewayDelivery:
    return GatewayDelivery(
        clock_skew_s=delivery.clock_skew_s * severity,
        late_share=delivery.late_share * severity,
        late_by_s=delivery.late_by_s,
        duplicate_share=delivery.duplicate_share * severity,
    )
