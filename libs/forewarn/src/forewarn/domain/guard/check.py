"""The guard's step: pure, from (batch, state) to (verdicts, state)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import EARLIEST
from forewarn.contracts.frames import FrameKind, Verdict, quality_column
from forewarn.domain.frames.frame import Array, FloatArray, Frame, Strings
from forewarn.domain.guard.batch import GuardCounters, GuardResult, GuardSettings, Nameplates, RawBatch, Rejection
from forewarn.domain.guard.findings import findings_column, may_refuse
from forewarn.domain.guard.judge import GuardJudgement, judge
from forewarn.domain.guard.reasons import Reasons
from forewarn.domain.guard.sequence import Placement, place, repetitions, state_rows
from forewarn.domain.guard.state import GuardState, watched
from forewarn.domain.time import US_PER_S, to_microseconds

_EARLIEST_US: Final = to_microseconds(EARLIEST)  # later stages need hold no older times


def check(batch: RawBatch, state: GuardState, settings: GuardSettings, nameplates: Nameplates) -> GuardResult:
    """Judge a batch of readings of one class, in the order of the broker.

    Any cutting of a stream into batches gives the same verdicts and the same final state. A bad tag becomes NaN with a
    bad status code and leaves the others alone. A reading is refused as a whole only when its time is absurd, no tag is
    usable, it breaks a physics rule of severity "reject", or, in strict mode, when anything was found that is not the
    machine's fault. ``state`` is unchanged by the call. Raises ValueError if it is of another class, or the class
    cannot be computed (see ``physics.derive``).
    """
    _require_fit(batch.asset_class, state)
    inside = _inside_window(batch, settings)
    reasons = Reasons(batch, settings)
    outside = [reasons.outside_window(row) for row in np.flatnonzero(~inside).tolist()]
    rows = np.flatnonzero(inside)
    if rows.size == 0:
        return _nothing_inside(batch, state, outside)
    grown, asset = state_rows(batch.assets if rows.size == batch.rows else batch.assets.take(rows), state)
    placement = place(batch.ts[rows], asset, grown)
    rows = rows[placement.order]  # from here on rows are sorted by asset
    judgement = judge(batch, rows, placement, grown, nameplates)
    passed = ~judgement.refused
    if settings.strict:
        passed &= ~judgement.flags[:, may_refuse(batch.asset_class)].any(axis=1)
    duplicate, newest_accepted = repetitions(placement, batch.ts[rows], passed, grown)
    refused = np.flatnonzero(~passed & ~duplicate)
    condemned = [reasons.judged(judgement, position, int(rows[position])) for position in refused.tolist()]
    kept = _kept(judgement, placement, rows, np.flatnonzero(passed & ~duplicate))
    return GuardResult(
        frame=_frame(batch, kept.rows, kept),
        rows=kept.rows,
        rejections=_in_order(outside, condemned),
        state=replace(judgement.state, newest_accepted=newest_accepted),
        counters=GuardCounters(
            accepted=int(np.count_nonzero(kept.verdict == Verdict.ACCEPTED)),
            warned=int(np.count_nonzero(kept.verdict == Verdict.WARNING)),
            rejected=len(outside) + len(condemned),
            duplicate=int(np.count_nonzero(duplicate)),
            late=int(np.count_nonzero(placement.late)),
        ),
    )


def _require_fit(asset_class: AssetClass, state: GuardState) -> None:
    expected = (asset_class.name, asset_class.tag_names, watched(asset_class))
    if (state.asset_class, state.tags, state.watched) != expected:
        raise ValueError(f"the state of class {state.asset_class} does not fit a batch of {asset_class.name}")


def _nothing_inside(batch: RawBatch, state: GuardState, outside: Sequence[Rejection]) -> GuardResult:
    """Refuse a batch outside the accept window; nothing is learned from it."""
    nothing = np.zeros(0, dtype=np.intp)
    frame = _frame(batch, nothing, _Kept.none(batch.asset_class))
    counters = GuardCounters(rejected=len(outside))
    return GuardResult(frame=frame, rows=nothing, rejections=tuple(outside), state=state, counters=counters)


def _inside_window(batch: RawBatch, settings: GuardSettings) -> NDArray[np.bool_]:
    # as floats: the distance of two absurd times does not fit into an int64
    age_us = batch.received_at.astype(np.float64) - batch.ts.astype(np.float64)
    recent = (age_us <= settings.max_age_s * US_PER_S) | (batch.historical & (batch.ts >= _EARLIEST_US))
    return recent & (age_us >= -settings.max_ahead_s * US_PER_S)


def _in_order(*groups: list[Rejection]) -> tuple[Rejection, ...]:
    return tuple(sorted((rejection for group in groups for rejection in group), key=lambda rejection: rejection.row))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Kept:
    """Content of the frame: one entry, or one column of a (columns, rows) matrix, per kept row."""

    rows: NDArray[np.intp]
    late: NDArray[np.bool_]
    verdict: NDArray[np.uint8]
    findings: Strings
    tags: FloatArray
    derived: dict[str, FloatArray]
    quality: NDArray[np.uint32]

    @classmethod
    def none(cls, asset_class: AssetClass) -> "_Kept":
        return cls(
            rows=np.zeros(0, dtype=np.intp),
            late=np.zeros(0, dtype=np.bool_),
            verdict=np.zeros(0, dtype=np.uint8),
            findings=Strings.of(()),
            tags=np.zeros((len(asset_class.tags), 0)),
            derived={name: np.zeros(0) for name in asset_class.derived_names},
            quality=np.zeros((len(asset_class.tags), 0), dtype=np.uint32),
        )


def _kept(judgement: GuardJudgement, placement: Placement, rows: NDArray[np.intp], kept: NDArray[np.intp]) -> _Kept:
    kept = kept[np.argsort(rows[kept])]  # back into the order of the batch
    flags = judgement.flags[kept]
    noticed = flags.any(axis=1)
    verdict = np.where(noticed, np.uint8(Verdict.WARNING), np.uint8(Verdict.ACCEPTED))
    if judgement.estimated.shape[1]:
        flags = np.hstack([flags, judgement.estimated[kept]])
        noticed = flags.any(axis=1)
    said = np.flatnonzero(noticed)
    return _Kept(
        rows=rows[kept],
        late=placement.late[kept],
        verdict=verdict,
        findings=findings_column(judgement.asset_class, flags[said], kept.shape[0], said),
        tags=np.ascontiguousarray(judgement.values[kept].T),
        derived={name: values[kept] for name, values in judgement.derived.items()},
        quality=np.ascontiguousarray(judgement.quality[kept].T),
    )


def _frame(batch: RawBatch, rows: NDArray[np.intp], kept: _Kept) -> Frame:
    names = batch.asset_class.tag_names
    arrays: dict[str, Array] = {
        "ts": batch.ts[rows],
        "received_at": batch.received_at[rows],
        "seq": batch.seq[rows],
        "late": kept.late,
        "verdict": kept.verdict,
        "historical": batch.historical[rows],
        **dict(zip(names, kept.tags, strict=True)),
        **kept.derived,
        **dict(zip(map(quality_column, names), kept.quality, strict=True)),
    }
    strings = {"asset_id": batch.assets.take(rows), "findings": kept.findings}
    return Frame(kind=FrameKind.VALID, asset_class=batch.asset_class, arrays=arrays, strings=strings)
