"""How readings are cut into frames and mixed with other assets changes nothing, to the last bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forewarn.contracts.frames import Phase
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump, load
from forewarn.domain.frames.frame import concat
from forewarn.domain.twin.settings import TwinSettings
from unit.anomaly.cases import baseline, judged, residuals, run_anomaly
from unit.twin.cases import COUPLED, T0, S, assert_same_rows, chunks, coupled, interleaved, of_asset, run_twin

CATALOGUE = {"coupled": COUPLED}


def eventful(asset, seed):
    """A machine with a fault, gaps, stops, late rows, unknown tags and a second baseline."""
    rng = np.random.default_rng(seed)
    live = residuals(160, seed)
    onset = int(rng.integers(10, 120))
    live[onset : onset + 40, int(rng.integers(4))] += rng.choice([2.0, 15.0])
    live[rng.random(live.shape) < 0.05] = np.nan
    live[rng.random(160) < 0.05] = np.nan
    pauses = np.cumsum(np.where(rng.random(160) < 0.03, 30, 1))
    ts = T0 + (400 + pauses) * S
    late = rng.random(160) < 0.05
    again = int(ts[-1] - T0) // S + 5
    return concat(
        [
            judged(np.full((3, 4), np.nan), asset, phase=Phase.BASELINE, version=0),
            baseline(100, asset, seed=seed, start=3),
            judged(live, asset, ts=ts, late=late),
            baseline(80, asset, seed=seed + 1, version=2, start=again),
            judged(residuals(30, seed), asset, start=again + 80, version=2),
        ]
    )


@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 1100), max_size=40), mix=st.integers(0, 1000))
def test_any_chunking_and_mixing_gives_the_same_rows_and_state(seed, cuts, mix):
    assets = [eventful(f"M-{i}", seed + i) for i in range(3)]
    state, out = run_anomaly(chunks(interleaved(assets, mix), cuts))
    for number, alone in enumerate(assets):
        assert_same_rows(of_asset(out, f"M-{number}"), run_anomaly([alone])[1])
    assert dump([state]) == dump([run_anomaly(assets)[0]])


def test_row_by_row_is_the_same_as_all_at_once():
    whole = eventful("M-1", 4)
    one, expected = run_anomaly([whole])
    other, rows = run_anomaly(chunks(whole, range(1, whole.rows)))
    assert_same_rows(rows, expected)
    assert dump([one]) == dump([other])


@given(seed=st.integers(0, 1000), cut=st.integers(1, 1100), mix=st.integers(0, 1000))
def test_a_snapshot_in_mid_stream_changes_nothing(seed, cut, mix):
    settings = AnomalySettings()
    first, second = chunks(interleaved([eventful(f"M-{i}", seed + i) for i in range(3)], mix), [cut])
    state, _ = run_anomaly([first])
    revived = load(dump([state]), CATALOGUE, settings)["coupled"]
    assert dump([revived]) == dump([state])
    end, rows = run_anomaly([second], state=state)
    end_revived, rows_revived = run_anomaly([second], state=revived)
    for number in range(3):
        assert_same_rows(of_asset(rows, f"M-{number}"), of_asset(rows_revived, f"M-{number}"))
    assert dump([end]) == dump([end_revived])


@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 300), max_size=20))
def test_twin_and_anomaly_together_do_not_depend_on_chunking(seed, cuts):
    whole = interleaved([coupled(150, seed + i, asset=f"M-{i}") for i in range(2)], seed)
    settings = TwinSettings(baseline_readings=60)
    _, once, _ = run_twin([whole], settings)
    _, parts, _ = run_twin(chunks(whole, cuts), settings)
    one, other = run_anomaly([once])[1], run_anomaly(chunks(parts, cuts))[1]
    for name in ("M-0", "M-1"):
        assert_same_rows(of_asset(one, name), of_asset(other, name))
