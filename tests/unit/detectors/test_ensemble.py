import numpy as np
import pytest

from forewarn.adapters.detectors.ensemble import MemberEnsemble
from forewarn.contracts.frames import Phase
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step
from forewarn.domain.frames.frame import concat
from unit.anomaly.cases import baseline, judged, residuals
from unit.twin.cases import COUPLED, chunks

NAMES = ("zscore", "hbos", "half_space_trees", "adwin")
SETTINGS = AnomalySettings()


def ensemble(names=NAMES):
    return MemberEnsemble(COUPLED, names, SETTINGS)


def p_values(members, parts):
    said = [members.p_values(part) for part in parts]
    return {name: np.concatenate([s[name] for s in said]) for name in said[0]}


def story(asset="M-1", rows=200, bias=0.0):
    live = residuals(rows, 5)
    live[rows // 2 :] += bias
    return concat([baseline(400, asset), judged(live, asset, start=400)])


def test_rows_of_the_baseline_have_no_p_value_and_live_ones_have():
    p = p_values(ensemble(), [story()])
    for name in NAMES:
        assert np.isnan(p[name][:400]).all()
        assert np.isfinite(p[name][420:]).all()
        assert ((p[name][420:] > 0) & (p[name][420:] <= 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_healthy_rows_are_not_called_unlikely_and_biased_ones_are(name):
    p = p_values(ensemble((name,)), [story(rows=400, bias=4.0)])[name]
    assert np.mean(p[420:600] < 0.01) < 0.15  # calibrated on no more than ten independent windows
    assert np.median(p[680:]) < 0.02


def test_chunking_does_not_matter():
    whole = story(bias=3.0)
    one = p_values(ensemble(), [whole])
    other = p_values(ensemble(), chunks(whole, [3, 100, 399, 401, 430, 431, 500]))
    for name in NAMES:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9)


@pytest.mark.parametrize("cut", [100, 400, 401, 450])
def test_a_snapshot_in_mid_stream_changes_nothing(cut):
    first, second = chunks(story(bias=3.0), [cut])
    members = ensemble()
    members.p_values(first)
    revived = ensemble()
    revived.load(members.dump())
    assert revived.dump() == members.dump()
    one, other = members.p_values(second), revived.p_values(second)
    for name in NAMES:
        np.testing.assert_array_equal(one[name], other[name])
    assert revived.dump() == members.dump()


def test_a_snapshot_of_other_detectors_is_refused():
    with pytest.raises(ValueError, match="not of"):
        ensemble(("zscore",)).load(ensemble().dump())


def test_late_and_unjudged_rows_are_not_asked():
    members = ensemble(("zscore",))
    members.p_values(story())
    late = judged(residuals(5), start=600, late=np.ones(5))
    blind = judged(np.full((5, 4), np.nan), start=600)
    assert np.isnan(members.p_values(late)["zscore"]).all()
    assert np.isnan(members.p_values(blind)["zscore"]).all()


def test_without_a_baseline_or_with_a_short_one_nothing_is_known():
    assert np.isnan(ensemble(("zscore",)).p_values(judged(residuals(50)))["zscore"]).all()
    short = concat([baseline(60), judged(residuals(50), start=60)])
    assert np.isnan(ensemble(("zscore",)).p_values(short)["zscore"]).all()


def test_a_new_model_version_fits_anew():
    members = ensemble(("zscore",))
    members.p_values(story())
    louder = judged(residuals(400, 3) * 5, start=700, phase=Phase.BASELINE, version=2)
    members.p_values(louder)
    p = members.p_values(judged(residuals(100, 4) * 5, start=1100, version=2))["zscore"]
    assert np.mean(p[15:] < 0.01) < 0.1


def test_members_and_residual_score_go_together():
    members, state = ensemble(("zscore", "hbos")), AnomalyState.empty(COUPLED, SETTINGS)
    flags = []
    for part in chunks(story(rows=400, bias=3.0), range(0, 800, 90)):
        state, out = step(state, part, SETTINGS, members.p_values(part))
        flags.append(out.arrays["flag"])
    flag = np.concatenate(flags)
    assert flag[620:].all()
    assert flag[:600].mean() < 0.02
