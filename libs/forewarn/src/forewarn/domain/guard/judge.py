"""Judge every value of a batch: status codes, findings, derived quantities, refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import PLATE_PREFIX, AssetClass
from forewarn.contracts.guard_rules import Cause, PhysicsRule
from forewarn.contracts.quality import SEVERITY_MASK, StatusCode
from forewarn.domain.frames.conditions import within
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.guard.batch import Nameplates, RawBatch
from forewarn.domain.guard.drift import compare
from forewarn.domain.guard.estimates import Estimates, estimate, fallbacks
from forewarn.domain.guard.findings import Check, suspects, warning_rules
from forewarn.domain.guard.limits import limits_of
from forewarn.domain.guard.memory import Recollection, recall
from forewarn.domain.guard.rules import broken
from forewarn.domain.guard.sequence import Placement
from forewarn.domain.guard.state import GuardState
from forewarn.domain.physics.derive import derive

BoolArray = NDArray[np.bool_]

_UNCERTAIN_BITS = 0x40000000

#: Code of a value by finding, in rising order of weight: the last one that applies wins.
_CODES = {
    Check.GATEWAY_UNCERTAIN: StatusCode.UNCERTAIN,
    Check.ENGINEERING_RANGE: StatusCode.UNCERTAIN_ENGINEERING_UNITS_EXCEEDED,
    Check.FROZEN: StatusCode.BAD_SENSOR_FAILURE,
    Check.SPIKE: StatusCode.BAD_SENSOR_FAILURE,
    Check.HARD_RANGE: StatusCode.BAD_OUT_OF_RANGE,
    Check.GATEWAY_BAD: StatusCode.BAD,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GuardJudgement:
    """Verdicts on rows sorted by asset."""

    asset_class: AssetClass
    values: FloatArray  #: Tags with NaN where a value is bad or absent, shape (rows, tags).
    quality: NDArray[np.uint32]  #: OPC UA status codes, shape (rows, tags).
    #: Derived quantities by name, estimated where the asset does not measure.
    derived: Mapping[str, FloatArray]
    flags: BoolArray  #: Findings; columns as in ``findings.finding_names`` without its estimates.
    #: Where derived quantities are estimates, shape (rows, ``len(estimates.estimable(asset_class))``), or (rows, 0) if
    #: nowhere.
    estimated: BoolArray
    usable: BoolArray  #: The row has at least one usable value.
    #: Rules of severity "reject" with the rows that break them.
    broken_rules: tuple[tuple[PhysicsRule, BoolArray], ...]
    state: GuardState  #: State after the rows, except ``newest_accepted``.

    @property
    def columns(self) -> dict[str, FloatArray]:
        """Return tags and derived quantities by name."""
        return {**dict(zip(self.asset_class.tag_names, self.values.T, strict=True)), **self.derived}

    @property
    def refused(self) -> BoolArray:
        """Return the rows that cannot become valid data."""
        refused = ~self.usable
        for _, rows in self.broken_rules:
            refused |= rows
        return refused


def judge(
    batch: RawBatch, rows: NDArray[np.intp], placement: Placement, state: GuardState, nameplates: Nameplates
) -> GuardJudgement:
    """Judge rows of a batch, sorted by asset as in ``placement``; ``state`` has a row for every asset."""
    asset_class = batch.asset_class
    values = batch.values[rows]
    plate = _nameplate_columns(asset_class, state, placement, nameplates)
    with np.errstate(over="ignore", invalid="ignore"):  # absurd values are expected here
        noticed = _single_values(asset_class, values, batch.gateway_quality[rows])
        usable = ~(np.isnan(values) | noticed[Check.GATEWAY_BAD] | noticed[Check.HARD_RANGE])
        memory = _remembered(asset_class, values, usable, batch.ts[rows], placement, state, plate)
        noticed[Check.SPIKE], noticed[Check.FROZEN] = memory.spike, memory.frozen
        good = usable & ~memory.spike & ~memory.frozen
        noticed[Check.ENGINEERING_RANGE] &= good
        noticed[Check.GATEWAY_UNCERTAIN] &= good
        absent = np.isnan(values)
        came_before, seen = _history(absent, placement, state)
        noticed[Check.MISSING] = absent & came_before & ~noticed[Check.GATEWAY_BAD]
        quality = _quality(noticed, absent)
        clean = np.where(good, values, np.nan)
        columns = _columns(asset_class, clean)
        measured = derive(asset_class, columns, plate)
        known = {**columns, **measured}
        rejecting, warning = _rules(asset_class, known, quality)
        drift = compare(asset_class, known, batch.ts[rows], placement, state)
        for (group, suspected), flags in zip(suspects(asset_class), drift.flags.T, strict=True):
            _doubt(asset_class, quality, flags, group.cause, suspected)
        estimates = Estimates.none(measured, rows.shape[0])
        if fallbacks(asset_class) and absent.any():
            stated = _stated_columns(asset_class, state, placement, nameplates)
            never_sent = absent & ~came_before & ~noticed[Check.GATEWAY_BAD]
            estimates = estimate(asset_class, columns, measured, plate, stated, never_sent)
    return GuardJudgement(
        asset_class=asset_class,
        values=clean,
        quality=quality,
        derived=estimates.derived,
        estimated=estimates.flags,
        flags=np.hstack([*(noticed[check] for check in Check), warning, drift.flags]),
        usable=np.logical_or.reduce(good, axis=1),
        broken_rules=rejecting,
        state=replace(memory.state, seen=seen, drift=drift.values, drift_ts=drift.ts),
    )


def _single_values(asset_class: AssetClass, values: FloatArray, gateway: NDArray[np.uint32]) -> dict[Check, BoolArray]:
    limits = limits_of(asset_class)
    severity = gateway & np.uint32(SEVERITY_MASK)
    noticed = {
        Check.GATEWAY_BAD: severity > _UNCERTAIN_BITS,
        Check.GATEWAY_UNCERTAIN: severity == _UNCERTAIN_BITS,
        Check.HARD_RANGE: (values < limits.hard_low) | (values > limits.hard_high),
        Check.ENGINEERING_RANGE: (values < limits.engineering_low) | (values > limits.engineering_high),
    }
    noticed[Check.HARD_RANGE] &= ~noticed[Check.GATEWAY_BAD]
    return noticed


def _remembered(  # the columns of the rows
    asset_class: AssetClass,
    values: FloatArray,
    usable: BoolArray,
    ts: NDArray[np.int64],
    placement: Placement,
    state: GuardState,
    plate: Mapping[str, FloatArray],
) -> Recollection:
    """Compare current rows with earlier ones; late and repeated rows are neither compared nor stored."""
    running = _running(asset_class, np.where(usable, values, np.nan), plate)
    limits, current = limits_of(asset_class), placement.current
    if current.all():
        return recall(limits, state, asset=placement.asset, ts=ts, values=values, usable=usable, running=running)
    memory = recall(
        limits,
        state,
        asset=placement.asset[current],
        ts=ts[current],
        values=values[current],
        usable=usable[current],
        running=running[current],
    )
    spike, frozen = np.zeros(values.shape, dtype=np.bool_), np.zeros(values.shape, dtype=np.bool_)
    spike[current], frozen[current] = memory.spike, memory.frozen
    return Recollection(spike=spike, frozen=frozen, state=memory.state)


def _running(asset_class: AssetClass, values: FloatArray, plate: Mapping[str, FloatArray]) -> BoolArray:
    condition = asset_class.twin.running
    if condition is None:
        return np.ones(values.shape[0], dtype=np.bool_)
    columns = _columns(asset_class, values)
    if condition.column not in columns:
        columns = derive(asset_class, columns, plate)
    return within(columns[condition.column], condition)


def _history(absent: BoolArray, placement: Placement, state: GuardState) -> tuple[BoolArray, BoolArray]:
    """Return tags that came before each row or with it (used where one is absent), and which ever came, by asset."""
    present = ~absent & placement.current[:, None]
    starts = placement.starts
    seen = state.seen.copy()
    seen[placement.asset[starts]] |= np.logical_or.reduceat(present, starts, axis=0)
    if not absent.any():
        return present, seen
    rows = np.arange(absent.shape[0])
    newest = np.maximum.accumulate(np.where(present, rows[:, None], -1), axis=0)
    start = np.repeat(starts, np.diff(np.append(starts, absent.shape[0])))
    return (newest >= start[:, None]) | state.seen[placement.asset], seen


def _quality(noticed: Mapping[Check, BoolArray], absent: BoolArray) -> NDArray[np.uint32]:
    quality = np.zeros(absent.shape, dtype=np.uint32)
    quality[absent] = StatusCode.BAD_NO_DATA
    for check, code in _CODES.items():
        if noticed[check].any():
            quality[noticed[check]] = code
    return quality


def _rules(
    asset_class: AssetClass, columns: Mapping[str, FloatArray], quality: NDArray[np.uint32]
) -> tuple[tuple[tuple[PhysicsRule, BoolArray], ...], BoolArray]:
    """Evaluate the physics rules; values blamed by a broken warning rule become uncertain in ``quality``."""
    rejecting = tuple((rule, broken(rule, columns)) for rule in asset_class.rules if rule.severity == "reject")
    warnings = warning_rules(asset_class)
    flags = np.zeros((quality.shape[0], len(warnings)), dtype=np.bool_)
    for position, rule in enumerate(warnings):
        rows = flags[:, position] = broken(rule, columns)
        _doubt(asset_class, quality, rows, rule.cause, rule.blames)
    return rejecting, flags


def _doubt(
    asset_class: AssetClass, quality: NDArray[np.uint32], rows: BoolArray, cause: Cause, suspected: Sequence[str]
) -> None:
    """Make suspected values uncertain in ``quality``, except where the machine or its operation is the cause."""
    if cause in (Cause.MACHINE, Cause.PROCESS) or not rows.any():
        return
    for name in suspected:
        if name in asset_class.tag_names:
            column = asset_class.tag_names.index(name)
            doubtful = rows & ((quality[:, column] & np.uint32(SEVERITY_MASK)) <= _UNCERTAIN_BITS)
            quality[doubtful, column] = StatusCode.UNCERTAIN_SENSOR_CALIBRATION


def _columns(asset_class: AssetClass, values: FloatArray) -> dict[str, FloatArray]:
    return dict(zip(asset_class.tag_names, np.ascontiguousarray(values.T), strict=True))


@lru_cache(maxsize=256)
def _plate_fields(asset_class: AssetClass) -> tuple[tuple[str, float], ...]:
    sources = {source for item in asset_class.derived for source in item.inputs.values()}
    used = {source.removeprefix(PLATE_PREFIX) for source in sources if source.startswith(PLATE_PREFIX)}
    return tuple((field.name, field.default) for field in asset_class.nameplate if field.name in used)


def _nameplate_columns(
    asset_class: AssetClass, state: GuardState, placement: Placement, nameplates: Nameplates
) -> dict[str, FloatArray]:
    """Return rated values of each row's asset; the class's default where not stated."""
    return _plate_columns(_plate_fields(asset_class), state, placement, nameplates)


def _stated_columns(
    asset_class: AssetClass, state: GuardState, placement: Placement, nameplates: Nameplates
) -> dict[str, FloatArray]:
    """Return fallbacks of each row's asset, NaN where not stated: a default says nothing about the machine."""
    fields = tuple((item.field, np.nan) for item in fallbacks(asset_class))
    return _plate_columns(fields, state, placement, nameplates)


def _plate_columns(
    fields: tuple[tuple[str, float], ...], state: GuardState, placement: Placement, nameplates: Nameplates
) -> dict[str, FloatArray]:
    if not fields:
        return {}
    plates = [nameplates.get(state.assets[row], {}) for row in placement.asset[placement.starts].tolist()]
    count = np.diff(placement.starts, append=placement.asset.shape[0])
    return {
        name: np.repeat(np.array([plate.get(name, default) for plate in plates], dtype=np.float64), count)
        for name, default in fields
    }
