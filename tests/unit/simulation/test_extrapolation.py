"""Physics priors of the built-in classes: learned on a day at 60 to 80 % of the demand, asked at 90 to 110 %."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from forewarn.contracts.asset_class import AssetClass, TwinSpec
from forewarn.domain.frames.frame import FloatArray, Frame
from forewarn.domain.simulation.machine import Surroundings
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.twin.fit import fit
from forewarn.domain.twin.layout import layout_of
from forewarn.domain.twin.model import bank_of, judge
from forewarn.domain.twin.settings import TwinSettings
from unit.simulation.cases import CATALOGUE, guarded, simulate

EVERY_S = 144.0  # 600 readings a day
ROWS = 600

#: Class, response, how many times closer the twin must be with the prior than without.
GAINS = [
    ("centrifugal_pump", "power_kw", 10.0),
    ("centrifugal_compressor", "power_kw", 2.0),
    ("reciprocating_compressor", "power_kw", 4.0),
    ("chiller", "power_kw", 1.5),
    ("turbine", "heat_input_kw", 2.0),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Profile):
    """A usual day whose demand runs from ``low`` to ``high``, overload included."""

    low: float
    high: float

    def at(self, t_s: float | FloatArray) -> Surroundings:
        usual = super(Loaded, self).at(t_s)
        share = (usual.demand - self.base + self.swing) / (2.0 * self.swing)
        demand = self.low + (self.high - self.low) * share
        return replace(usual, demand=demand)


def readings(asset_class: AssetClass, seed: int, low: float, high: float) -> Frame:
    columns = simulate(asset_class.name, {}, steps=ROWS, every_s=EVERY_S, seed=seed, day=Loaded(low=low, high=high))
    return guarded(asset_class, columns, EVERY_S).frame


def error_beyond(asset_class: AssetClass, response: str, learned: Frame, asked: Frame) -> float:
    """Root mean square error at the loads that were not learned."""
    layout = layout_of(asset_class)
    baseline = np.column_stack([learned.arrays[name] for name in layout.columns])[layout.is_usable(learned.arrays)]
    bank = bank_of({"": fit(baseline, layout, TwinSettings()).model})
    said = judge(bank, layout, asked.arrays, np.zeros(asked.rows, dtype=np.intp))
    difference = asked.arrays[response] - said.expected[layout.responses.index(response)]
    return float(np.sqrt(np.nanmean(difference**2)))


@pytest.mark.parametrize(("name", "response", "gain"), GAINS, ids=[f"{name}-{tag}" for name, tag, _ in GAINS])
def test_physics_carries_what_was_learned_at_part_load_to_full_load(name, response, gain):
    asset_class = CATALOGUE[name]
    plain = asset_class.model_copy(
        update={"twin": TwinSpec(**asset_class.twin.model_dump(exclude={"physics", "priors"}))}
    )
    ratios = []
    for seed in (1, 2, 3):
        learned, asked = readings(asset_class, seed, 0.6, 0.8), readings(asset_class, seed + 50, 0.9, 1.1)
        without, with_it = (error_beyond(c, response, learned, asked) for c in (plain, asset_class))
        ratios.append(without / with_it)
    assert np.median(ratios) > gain, ratios
