"""How readings are cut into frames and mixed with other assets changes nothing, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from unit.twin.cases import COUPLED, DRIVEN, assert_same_rows, chunks, coupled, driven, interleaved, of_asset, run_twin

CATALOGUE = {"driven": DRIVEN, "coupled": COUPLED}
MAKERS = {"driven": driven, "coupled": coupled}
SETTINGS = TwinSettings(baseline_readings=50, pending_factor=2)


def messy(kind, asset, seed, rows=150):
    """Readings with gaps, stops and late rows."""
    rng = np.random.default_rng(seed)
    clean = MAKERS[kind](rows, seed=seed, asset=asset)
    changes = {}
    for name in clean.asset_class.tag_names:
        values = clean.arrays[name].copy()
        values[rng.random(rows) < 0.05] = np.nan
        changes[name] = values
    if kind == "driven":
        stop = int(rng.integers(0, 100))
        changes["load"][stop : stop + 30] = 0.0
    changes["late"] = rng.random(rows) < 0.05
    return MAKERS[kind](rows, seed=seed, asset=asset, **changes)


@pytest.mark.parametrize("kind", sorted(MAKERS))
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 450), max_size=40), mix=st.integers(0, 1000))
def test_any_chunking_and_mixing_gives_the_same_rows_and_state(kind, seed, cuts, mix):
    assets = [messy(kind, f"M-{i}", seed + i) for i in range(3)]
    state, out, fitted = run_twin(chunks(interleaved(assets, mix), cuts), SETTINGS)
    for alone in assets:
        name = alone.assets.to_list()[0]
        _, expected, cards = run_twin([alone], SETTINGS)
        assert_same_rows(of_asset(out, name), expected)
        assert [c for c in fitted if c.asset_id == name] == cards
    reference, _, _ = run_twin(assets, SETTINGS)
    assert dump([state]) == dump([reference])


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_reading_by_reading_is_the_same_as_all_at_once(kind):
    whole = messy(kind, "M-1", 5)
    _, one, _ = run_twin([whole], SETTINGS)
    state, other, _ = run_twin(chunks(whole, range(1, whole.rows)), SETTINGS)
    assert_same_rows(one, other)
    assert dump([state]) == dump([run_twin([whole], SETTINGS)[0]])


@pytest.mark.parametrize("kind", sorted(MAKERS))
@given(seed=st.integers(0, 1000), cut=st.integers(1, 449), mix=st.integers(0, 1000))
def test_a_snapshot_in_mid_stream_changes_nothing(kind, seed, cut, mix):
    whole = interleaved([messy(kind, f"M-{i}", seed + i) for i in range(3)], mix)
    first, second = chunks(whole, [cut])
    state, _, _ = run_twin([first], SETTINGS)
    revived = load(dump([state]), CATALOGUE)[kind]
    assert dump([revived]) == dump([state])
    end, out, _ = run_twin([second], SETTINGS, state)
    end_revived, out_revived, _ = run_twin([second], SETTINGS, revived)
    assert (out is None) == (out_revived is None)
    if out is not None:
        for name in ("M-0", "M-1", "M-2"):
            assert_same_rows(of_asset(out, name), of_asset(out_revived, name))
    assert dump([end]) == dump([end_revived])
