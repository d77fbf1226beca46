"""Runs of simulated machines through the real guard and the real twin."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.guard.batch import GuardResult, GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import Profile
from support.raw_batches import columns_of, raw_batch
from unit.catalogue.operating_points import STATED

CATALOGUE = load_catalogue()
DAY = Profile(period_s=1200.0)


def simulate(
    name: str,
    faults: Mapping[str, float],
    steps: int = 240,
    every_s: float = 10.0,
    seed: int = 7,
    onset: int = 0,
    day: Profile = DAY,
) -> dict[str, FloatArray]:
    """Readings of one machine; the faults are there, at these severities, from the step ``onset`` on.

    Many tests compare with the same healthy machine, so each is simulated once: its arrays are read-only.
    """
    return dict(_simulated(name, tuple(sorted(faults.items())), steps, every_s, seed, onset, day))


@cache
def _simulated(
    name: str, faults: tuple[tuple[str, float], ...], steps: int, every_s: float, seed: int, onset: int, day: Profile
) -> dict[str, FloatArray]:
    kind, state, rows = KINDS[name], KINDS[name].start, []
    rng, design = np.random.default_rng(seed), KINDS[name].design()
    severities = {fault: np.float64(severity) for fault, severity in faults}
    for i in range(steps):
        present = severities if i >= onset else {}
        state, values = kind.step(
            design, state, dt_s=every_s, surroundings=day.at(i * every_s), faults=present, rng=rng
        )
        rows.append(values)
    columns = {tag: np.array([float(row[tag]) for row in rows]) for tag in rows[0]}
    for values in columns.values():
        values.setflags(write=False)
    return columns


def guarded(asset_class: AssetClass, columns: Mapping[str, FloatArray], every_s: float) -> GuardResult:
    rows = len(columns[asset_class.tag_names[0]])
    ts = 1_790_000_000_000_000 + (np.arange(rows) * every_s * 1e6).astype(np.int64)
    batch = raw_batch(asset_class, ts, columns_of(asset_class, columns))
    nameplates = {"M": dict(STATED.get(asset_class.name, {}))}
    return check(batch, GuardState.empty(asset_class), GuardSettings(), nameplates)


def findings(result: GuardResult) -> set[str]:
    return {finding for finding in result.frame.strings["findings"].to_list() if finding}
