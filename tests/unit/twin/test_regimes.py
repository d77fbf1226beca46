"""Operating regimes: found from gaps of the drivers, each with its own spread, and no faults hidden by the noisier."""

import numpy as np
import pytest

from forewarn.contracts.frames import Phase
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.twin.model import Regime
from forewarn.domain.twin.parameters import dump_model, load_model
from forewarn.domain.twin.regimes import CODES, find_regimes, levels
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from forewarn.domain.twin.step import step
from unit.simulation.cases import CATALOGUE, simulate
from unit.twin.cases import DRIVEN, assert_same_rows, chunks, driven, frame, interleaved, of_asset, run_twin

LEARNED = TwinSettings(baseline_readings=600)
CALM, NOISY = 0.3, 1.5


def standardised(*columns):
    z = np.column_stack(columns)
    return (z - z.mean(axis=0)) / z.std(axis=0)


def products(rows, seed=1, asset="M-1", start=0, **shifts):
    """A machine that makes two products in turn, the second one rarer and rougher; and which one it makes."""
    rng = np.random.default_rng(seed)
    runs = [np.full(rng.integers(40, 120) // (1 + k % 2), k % 2) for k in range(rows // 20)]
    other = np.concatenate(runs)[:rows] == 1
    load = np.where(other, 70.0, 40.0) + rng.normal(0, 2, rows)
    air = 20 + 3 * np.cos(np.arange(start, start + rows) / 111) + rng.normal(0, 0.2, rows)
    noise = np.where(other, NOISY, CALM)
    power = np.where(other, 30 + 0.2 * load, 10 + 0.8 * load) + noise * rng.normal(size=rows)
    columns = {"load": load, "air": air, "power": power, "heat": 30 + 0.3 * load + 0.9 * air + rng.normal(0, 0.4, rows)}
    columns |= {name: columns[name] + shift for name, shift in shifts.items()}
    return other, frame(DRIVEN, columns, asset=asset, start=start)


@pytest.mark.parametrize("rows", [400, 5000])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_settings_of_a_driver_are_regimes_whatever_the_other_drivers_do(count, rows):
    rng = np.random.default_rng(count)
    setting = rng.integers(count, size=rows)
    z = standardised(3.0 * setting + 0.2 * rng.normal(size=rows), rng.normal(size=rows), np.sin(np.arange(rows) / 90))
    found = find_regimes(z)
    assert len(found.centres) == count
    assert all(np.unique(found.label[setting == k]).size == 1 for k in range(count))
    assert (np.diff(np.bincount(found.label)) <= 0).all()


@pytest.mark.parametrize(
    "shape",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.uniform(size=n),
        lambda rng, n: np.sin(np.arange(n) / 50) + 0.02 * rng.normal(size=n),
        lambda rng, n: rng.exponential(size=n),
        lambda rng, n: np.cumsum(rng.normal(size=n)),
        lambda rng, n: np.where(np.arange(n) % 100 < 2, 8.0, 0.0) + rng.normal(size=n),  # too rare for a regime
        lambda rng, n: np.zeros(n),
    ],
    ids=["normal", "uniform", "sine", "exponential", "walk", "rare", "rest"],
)
@pytest.mark.parametrize("rows", [60, 600, 5000])
def test_a_load_that_has_no_gap_is_one_regime(shape, rows):
    rng = np.random.default_rng(rows)
    z = np.column_stack([shape(rng, rows), rng.normal(size=rows)])
    found = find_regimes((z - z.mean(axis=0)) / np.maximum(z.std(axis=0), 1e-9))
    assert not len(found.centres)
    assert not found.label.any()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_simulated_day_is_one_regime(name):
    asset_class = CATALOGUE[name]
    drivers = [n for n in asset_class.twin.drivers if n in asset_class.tag_names]
    columns = simulate(name, {}, steps=360, seed=3)
    assert not len(find_regimes(standardised(*(columns[n] for n in drivers))).centres)


def test_each_regime_has_its_own_spread_share_and_interval():
    other, whole = products(600)
    state, out, (card,) = run_twin([whole], LEARNED)
    calm, noisy = card.report.regimes
    assert (calm.code, noisy.code) == (0, 4)
    assert noisy.share == pytest.approx(other.mean())
    assert calm.centre["load"] == pytest.approx(40.0, abs=1.0)
    assert noisy.intervals["power"].high > 1.5 * calm.intervals["power"].high
    assert np.array_equal(out.arrays["regime"] == CODES[1], other)
    assert state.models["M-1"].spreads.shape == (2, 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_healthy_readings_of_the_rough_regime_deviate_as_seldom_as_those_of_the_calm_one(seed):
    state, _, _ = run_twin([products(600, seed)[1]], LEARNED)
    other, live = products(3000, seed + 10, start=600)
    _, (said,), _ = step(state, live, LEARNED)
    assert (said.arrays["phase"] == Phase.LIVE).all()
    for regime in (other, ~other):
        assert (said.arrays["deviation"][regime] > 10.0).mean() < 0.05
        assert np.std(said.arrays["residual_power"][regime]) == pytest.approx(1.0, abs=0.25)


def test_between_the_regimes_nothing_was_learned():
    state, _, _ = run_twin([products(600)[1]], LEARNED)
    between = driven(20, start=600, load=np.full(20, 55.0), air=np.full(20, 20.0))
    _, (said,), _ = step(state, between, LEARNED)
    assert set(said.arrays["regime"].tolist()) == {Regime.EXTRAPOLATED}


def test_assets_with_and_without_regimes_stand_side_by_side_in_any_order_and_cut():
    two = products(700, asset="A")[1]
    one = driven(700, seed=5, asset="B")
    mixed = interleaved([two, one], seed=1)
    _, whole, _ = run_twin([mixed], LEARNED)
    _, cut, _ = run_twin(chunks(mixed, [1, 650, 1205, 1300]), LEARNED)
    for name, alone in (("A", two), ("B", one)):
        assert_same_rows(of_asset(whole, name), run_twin([alone], LEARNED)[1])
        assert_same_rows(of_asset(whole, name), of_asset(cut, name))


@pytest.mark.parametrize("load", [np.nan, 1e300, -1e300])
def test_absurd_drivers_give_finite_or_unknown_numbers(load):
    whole = interleaved([products(700, asset="A")[1], driven(700, seed=5, asset="B")], seed=1)
    state, _, _ = run_twin([whole], LEARNED)
    absurd = interleaved([driven(9, load=np.full(9, load), asset=asset, start=900) for asset in "AB"], seed=1)
    _, (said,), _ = step(state, absurd, LEARNED)
    columns = [name for name in said.arrays if name.startswith(("expected_", "residual_", "deviation"))]
    assert not any(np.isinf(said.arrays[name]).any() for name in columns)
    assert set(said.arrays["regime"].tolist()) <= {Regime.EXTRAPOLATED, Regime.STOPPED, Regime.UNKNOWN}


def test_regimes_survive_snapshot_and_card():
    state, _, _ = run_twin([products(600)[1]], LEARNED)
    back = load(dump([state]), {"driven": DRIVEN})["driven"]
    model = load_model(dump_model(state.models["M-1"], DRIVEN), DRIVEN)
    live = products(50, 2, start=600)[1]
    _, (said,), _ = step(state, live, LEARNED)
    assert_same_rows(step(back, live, LEARNED)[1][0], said)
    assert model.spreads == pytest.approx(state.models["M-1"].spreads)


def test_a_level_is_kept_only_where_left_out_blocks_are_told_better_with_it():
    rng = np.random.default_rng(4)
    label = np.arange(1000) // 25 % 2
    residuals = np.column_stack([label + 0.1 * rng.normal(size=1000), rng.normal(size=1000)])
    residuals[::7, 0] = np.nan
    found, held_out = levels(residuals, label, 2, 10)
    assert found[:, 0] == pytest.approx([0.0, 1.0], abs=0.02)
    assert held_out[:, 0] == pytest.approx(label, abs=0.05)
    assert np.abs(found[:, 1]).max() < 0.1


def test_the_operating_distance_says_how_far_outside_of_what_was_learned_a_reading_is():
    learned = driven(700)
    state, _, _ = run_twin([learned], LEARNED)
    load = learned.arrays["load"]
    middle, half = (load.max() + load.min()) / 2, (load.max() - load.min()) / 2
    loads = middle + half * np.array([0.0, 1.0, 2.0, 4.0, np.nan])
    _, (said,), _ = step(state, driven(5, start=800, load=loads, air=np.full(5, 20.0)), LEARNED)
    distance = said.arrays["operating_distance"]
    assert (np.diff(distance[1:4]) > 0).all()
    assert distance[2] == pytest.approx(2.0, rel=0.3)
    assert np.isnan(distance[4])
    np.testing.assert_array_equal(said.arrays["regime"][:4] == Regime.EXTRAPOLATED, distance[:4] > 1.25)
    assert distance[0] < 1.25 < distance[2]
