"""A sensor that the machine never had must not blind the stage to what all others say together."""

import numpy as np
import pytest

from forewarn.contracts.frames import Phase
from forewarn.domain.anomaly.course import BaselineCourse
from forewarn.domain.anomaly.learning import learn_norms
from forewarn.domain.anomaly.settings import AnomalySettings
from unit.anomaly.cases import RESPONSES, judged, run_anomaly
from unit.twin.cases import S

ROWS = 900


def coupled(rows, seed):
    """Residuals of which the first two always move together."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (rows, len(RESPONSES)))
    values[:, 1] = values[:, 0] + 0.1 * values[:, 1]
    return values


def course(values):
    """Residuals of a machine that its twin explains in part."""
    load = np.sin(np.arange(ROWS) / 40)[:, None] + np.where(np.isnan(values), np.nan, 0.0)
    return BaselineCourse(ts=np.arange(ROWS) * S, residuals=values, measured=load + values, expected=load, driven=False)


def without_last(values):
    return np.column_stack([values[:, :-1], np.full(len(values), np.nan)])


def test_the_others_are_judged_as_if_it_were_not_in_the_class():
    values = coupled(ROWS, 1)
    settings = AnomalySettings()
    absent = learn_norms(course(without_last(values)), 10.0 * S, settings)
    nowhere = learn_norms(course(values[:, :-1]), 10.0 * S, settings)
    np.testing.assert_allclose(absent.size, nowhere.size, rtol=1e-6)
    assert absent.memory.norms.flag_at[0] == pytest.approx(nowhere.memory.norms.flag_at[0])


def test_two_tags_that_part_are_flagged_and_named_without_it():
    parted = coupled(60, 2)
    parted[:, 1] -= 0.6
    frames = [
        judged(without_last(coupled(ROWS, 1)), phase=Phase.BASELINE),
        judged(without_last(parted), start=ROWS),
    ]
    _, out = run_anomaly(frames)
    assert out.arrays["flag"][ROWS + 20 :].all()
    shares = np.column_stack([out.arrays[f"contribution_{name}"] for name in RESPONSES])[ROWS + 20 :]
    np.testing.assert_allclose(np.nansum(shares, axis=1), 1.0, rtol=1e-5)
    assert np.isnan(shares[:, -1]).all()
    assert set(out.strings["culprit"].to_list()[ROWS + 20 :]) <= set(RESPONSES[:2])
