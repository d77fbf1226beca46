"""What-if questions: the same model at another operating point."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.questions import CautionItem, ChangeRequest, Reach
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.derive import derive
from forewarn.domain.twin.layout import IMMATERIAL, TwinLayout, layout_of
from forewarn.domain.twin.predict import INTERVAL_Z, Prediction, Predictor
from forewarn.domain.twin.report import Operating

#: Widths of its learned range by which a driver may be outside before the answer is a guess.
TOO_FAR: Final = 1.0

#: A model's uncertainty grows with the cube of the distance from the middle in half widths.
_WIDENED_TOO_FAR: Final = (1.0 + 2.0 * TOO_FAR) ** 3

_GRID: Final = 257
_REFINED: Final = 3  # grids, each laid through the best interval of the last one
_EXACT: Final = 1e-3  # of the target value


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A response now and after the change, in its unit.

    ``low`` and ``high`` bound 90 % of a healthy machine's measurements, None where the question is too far from the
    learned range. ``projected`` is this machine's value if its present deviation continues; None without a present
    measurement.
    """

    now: float
    then: float
    low: float | None
    high: float | None
    projected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfOutcome:
    """The answer.

    ``before`` and ``after`` hold every column (tags and derived quantities) of the machine now and after the change,
    NaN unknown. ``healthy`` is ``after`` of a machine without any deviation.
    """

    drivers: Mapping[str, float]
    responses: Mapping[str, Expected]
    before: Mapping[str, float]
    after: Mapping[str, float]
    healthy: Mapping[str, float]
    reach: Reach
    cautions: tuple[CautionItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine in question."""

    asset_class: AssetClass
    #: Newest tags, NaN or missing where unknown: the middle of the learned range stands in.
    measured: Mapping[str, float]
    operating: Mapping[str, Operating]  #: Range of each driver and response while the twin learned.
    nameplate: Mapping[str, float]  #: Rated values; missing fields have the class's default.


def changeable(asset_class: AssetClass) -> tuple[str, ...]:
    """Return the columns that can be changed: the drivers, or any response of a class without."""
    layout = layout_of(asset_class)
    return layout.drivers or layout.responses


def what_if(machine: Machine, predictor: Predictor, changes: Sequence[ChangeRequest]) -> WhatIfOutcome:
    """Answer a question.

    Raises ValueError if a change names a column that is no driver, names one twice, or is relative to an unknown value.
    """
    asset_class = machine.asset_class
    before = complete(machine)
    wanted = _wanted(asset_class, changes, before)
    moved = {**before, **wanted}
    derived = {name: moved[name] for name in changeable(asset_class) if name in asset_class.derived_names}
    cautions = [*_settle(machine, layout_of(asset_class), moved, derived), *_outside(machine, wanted)]
    fixed = frozenset(wanted)
    now, then = predictor.predict(before, fixed), predictor.predict(moved, fixed)
    reach = _reach(then, cautions)
    cautions += _of_the_whole(then, reach)
    responses = _responses(machine.measured, now, then, fixed, known=reach != "too_far")
    healthy = {**moved, **{name: item.then for name, item in responses.items()}}
    after = {**moved, **{n: item.then if item.projected is None else item.projected for n, item in responses.items()}}
    return WhatIfOutcome(
        drivers={name: moved[name] for name in changeable(asset_class)},
        responses=responses,
        before=before,
        after=_with_derived(machine, after, derived),
        healthy=_with_derived(machine, healthy, derived),
        reach=reach,
        cautions=tuple(cautions),
    )


def _reach(then: Prediction, cautions: Sequence[CautionItem]) -> Reach:
    farthest = max((caution.outside_by for caution in cautions), default=0.0)
    if farthest > TOO_FAR or then.widening > _WIDENED_TOO_FAR:
        return "too_far"
    return "extrapolated" if then.extrapolated or farthest > 0.0 else "learned"


def _of_the_whole(then: Prediction, reach: Reach) -> list[CautionItem]:
    texts = []
    if not then.expected:
        texts.append("No expectation: the machine would not run or is not judged.")
    elif reach == "too_far":
        texts.append("Too far outside what was learned: expected values are guesses, effects are left out.")
    elif then.extrapolated:
        texts.append("This combination of drivers was never learned: intervals are wider.")
    return [CautionItem(column="", message=text, outside_by=0.0) for text in texts]


def complete(machine: Machine) -> dict[str, float]:
    """Return every column now, NaN unknown; the middle of the learned range stands in for drivers and responses."""
    tags = {}
    for name in machine.asset_class.tag_names:
        value = machine.measured.get(name, np.nan)
        usual = machine.operating.get(name)
        tags[name] = usual.middle if np.isnan(value) and usual is not None else value
    state = _with_derived(machine, tags, {})
    for name, usual in machine.operating.items():  # a driver that is derived from unmeasured tags
        if np.isnan(state[name]):
            state[name] = usual.middle
    return state


def _with_derived(machine: Machine, state: Mapping[str, float], held: Mapping[str, float]) -> dict[str, float]:
    """Recompute derived quantities from tags by physics; those in ``held`` keep their value."""
    columns = {name: np.array([state[name]]) for name in machine.asset_class.tag_names}
    derived = {name: float(value[0]) for name, value in derive(machine.asset_class, columns, machine.nameplate).items()}
    tags = {name: float(state[name]) for name in machine.asset_class.tag_names}
    return {**tags, **derived, **{name: value for name, value in held.items() if name in derived}}


def _wanted(asset_class: AssetClass, changes: Sequence[ChangeRequest], before: Mapping[str, float]) -> dict[str, float]:
    wanted: dict[str, float] = {}
    for change in changes:
        if change.column not in changeable(asset_class):
            known = ", ".join(changeable(asset_class))
            raise ValueError(f"{change.column} cannot be changed: {asset_class.name} is driven by {known}")
        if change.column in wanted:
            raise ValueError(f"{change.column} is changed twice")
        value = change.of(before[change.column])
        if not np.isfinite(value):
            raise ValueError(f"{change.column} is unknown now: give its value instead of a factor or a shift")
        wanted[change.column] = value
    return wanted


def _settle(
    machine: Machine, layout: TwinLayout, moved: dict[str, float], goals: Mapping[str, float]
) -> list[CautionItem]:
    """Move the tags behind derived drivers, so that physics gives the drivers' values.

    Drivers are independent: chilled water is set colder at the same load, so it returns colder too.
    """
    asset_class, cautions = machine.asset_class, []
    for item in asset_class.derived:
        if item.name not in goals or np.isnan(goals[item.name]):
            continue
        held = {*layout.drivers, *layout.responses}
        free = [name for name in item.inputs.values() if name in asset_class.tag_names and name not in held]
        if not free or not _shifted(machine, moved, item.name, goals[item.name], free):
            text = "None of the tags it is computed from can be changed; what is derived from them stays as it is."
            cautions.append(CautionItem(column=item.name, message=text, outside_by=0.0))
    return cautions


def _shifted(machine: Machine, moved: dict[str, float], name: str, goal: float, free: Sequence[str]) -> bool:
    """Shift the free tags equally until the derived quantity reaches the goal; return whether that is possible."""
    asset_class = machine.asset_class

    def miss(shifts: FloatArray) -> FloatArray:
        columns = {tag: np.full(shifts.shape, moved[tag]) for tag in asset_class.tag_names}
        columns |= {tag: moved[tag] + shifts for tag in free}
        return derive(asset_class, columns, machine.nameplate)[name] - goal

    ranges = {tag.name: tag.engineering_range for tag in asset_class.tags}
    reach = max(high - low for low, high in (ranges[tag] for tag in free))
    interval: tuple[float, float] | None = (-reach, reach)
    for _ in range(_REFINED):
        interval = None if interval is None else _narrowed(miss, *interval)
    if interval is None:
        return False
    shift = sum(interval) / 2.0
    if abs(float(miss(np.array([shift]))[0])) > _EXACT * max(abs(goal), 1.0):
        return False
    for tag in free:
        moved[tag] += shift
    return True


def _narrowed(miss: Callable[[FloatArray], FloatArray], low: float, high: float) -> tuple[float, float] | None:
    """Return the smallest shifts between which the sign changes."""
    shifts = np.linspace(low, high, _GRID)
    crossing = np.flatnonzero(np.diff(np.sign(miss(shifts))) != 0)
    if not crossing.size:
        return None
    nearest = crossing[np.argmin(np.abs(shifts[crossing]))]
    return float(shifts[nearest]), float(shifts[nearest + 1])


def _outside(machine: Machine, wanted: Mapping[str, float]) -> list[CautionItem]:
    """Return a caution for each changed driver outside its learned range."""
    asset_class, cautions = machine.asset_class, []
    ranges = {tag.name: tag.engineering_range for tag in asset_class.tags}
    for name, value in wanted.items():
        usual, limits = machine.operating.get(name), ranges.get(name)
        if limits is not None and not limits[0] <= value <= limits[1]:
            text = f"{value:.4g} is outside the engineering range {limits[0]:.4g} to {limits[1]:.4g}."
            cautions.append(CautionItem(column=name, message=text, outside_by=0.0))
        if usual is None:
            cautions.append(CautionItem(column=name, message="The twin has no learned range of it.", outside_by=0.0))
        elif not usual.low <= value <= usual.high:
            by = max(usual.low - value, value - usual.high) / _width(usual, limits)
            text = (
                f"{value:.4g} is outside the learned range {usual.low:.4g} to {usual.high:.4g} "
                f"by {100 * by:.0f} % of its width: the model extrapolates."
            )
            cautions.append(CautionItem(column=name, message=text, outside_by=by))
    return cautions


def _width(usual: Operating, limits: tuple[float, float] | None) -> float:
    span = limits[1] - limits[0] if limits is not None else max(abs(usual.middle), 1.0)
    return max(usual.high - usual.low, IMMATERIAL * span)


def _responses(
    measured: Mapping[str, float], now: Prediction, then: Prediction, fixed: frozenset[str], *, known: bool
) -> dict[str, Expected]:
    out = {}
    for name, expected in then.expected.items():
        if name not in now.expected or name in fixed:
            continue
        half = INTERVAL_Z * then.scale[name]
        value = measured.get(name, np.nan)
        out[name] = Expected(
            now=now.expected[name],
            then=expected,
            low=expected - half if known else None,
            high=expected + half if known else None,
            projected=None if np.isnan(value) else float(value) + expected - now.expected[name],
        )
    return out
