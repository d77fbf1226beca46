"""Baselines no plant should have: the twin must come through with finite or unknown numbers, and say why."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step as score
from forewarn.domain.twin.settings import TwinSettings
from unit.twin.cases import coupled, driven, run_twin

KINDS = {"driven": driven, "coupled": coupled}


#: Ways to spoil the values of one tag.
SPOILERS = {
    "as_is": lambda values, rng: values,
    "missing": lambda values, rng: np.where(rng.random(values.size) < 0.5, np.nan, values),
    "absent": lambda values, rng: np.full(values.size, np.nan),
    "constant": lambda values, rng: np.full(values.size, 7.0),
    "huge": lambda values, rng: values * 1e12,
    "tiny": lambda values, rng: 60.0 + values * 1e-13,
    "two_values": lambda values, rng: np.where(rng.random(values.size) < 0.02, 30.0, 31.0),
    "spike": lambda values, rng: np.where(np.arange(values.size) == 20, 1e10, values),
}

HOW = st.sampled_from(sorted(SPOILERS))


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(how=st.lists(HOW, min_size=4, max_size=4), seed=st.integers(0, 99))
def test_spoilt_baselines_give_finite_or_unknown_numbers(kind, how, seed):
    rng = np.random.default_rng(seed)
    clean = KINDS[kind](200, seed=seed)
    tags = clean.asset_class.tag_names
    spoilt = {t: SPOILERS[h](clean.arrays[t], rng) for t, h in zip(tags, how, strict=True)}
    _, out, fitted = run_twin([KINDS[kind](200, seed=seed, **spoilt)], TwinSettings(baseline_readings=100))
    if out is None:
        return
    for name, values in out.arrays.items():
        if name.startswith(("expected_", "residual_", "deviation")):
            assert not np.isinf(values).any(), name
    assert all(np.isfinite(v) for card in fitted for v in card.r2.values())
    state = AnomalyState.empty(out.asset_class, AnomalySettings())
    _, scored = score(state, out, AnomalySettings())
    known = scored.arrays["score"][~np.isnan(scored.arrays["score"])]
    assert ((known >= 0) & (known < 100)).all()
