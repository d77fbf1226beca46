"""Readings at any distance: each costs what its own past costs, not what lies between."""

from datetime import UTC, datetime

import numpy as np
import pytest

from forewarn.domain.simulation.machine import Kind
from forewarn.domain.simulation.run import MachineRun, simulate

START_S = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


@pytest.fixture
def steps(monkeypatch):
    """Counts the steps of all machines."""
    taken, step = [], Kind.step

    def counted(kind, *args, **options):
        taken.append(options["dt_s"])
        return step(kind, *args, **options)

    monkeypatch.setattr(Kind, "step", counted)
    return taken


def test_a_reading_a_day_for_ten_years_costs_an_hour_of_steps(steps):
    found = simulate(MachineRun(asset_class="chiller"), start_s=START_S, step_s=86_400.0, rows=3_653)

    assert found["power_kw"].shape == (3_653,)
    assert len(steps) <= 60


@pytest.mark.parametrize("step_s", [0.001, 0.05, 1.0])
def test_a_few_quick_readings_cost_no_more_than_an_hour_in_seconds(steps, step_s):
    simulate(MachineRun(asset_class="fan"), start_s=START_S, step_s=step_s, rows=20)

    assert len(steps) <= 3_620
    assert set(steps) == {1.0, step_s}


@pytest.mark.parametrize("name", ["chiller", "electric_motor"])
def test_readings_hours_apart_are_those_of_a_machine_that_was_read_in_between(name):
    run = MachineRun(asset_class=name)

    close = simulate(run, start_s=START_S, step_s=300.0, rows=14 * 288)
    apart = simulate(run, start_s=START_S, step_s=7_200.0, rows=14 * 12)

    for tag, values in apart.items():
        usual = close[tag].reshape(-1, 24)[:, 0]
        noise = np.std(np.diff(close[tag])) + 0.01 * np.ptp(close[tag])
        assert np.abs(np.mean(values - usual)) < 0.5 * noise, tag
        assert np.std(values - usual) < 3.0 * noise, tag
