import builtins

import numpy as np
import pytest

from forewarn.adapters.boosting.lightgbm_trees import (
    PARAMETERS,
    BoostingUnavailable,
    LightGbmTrees,
    to_forest,
)
from forewarn.domain.prognosis.trees import average


def data(seed=0, missing=0.2):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(600, 4))
    target = features[:, 0] ** 2 + np.where(features[:, 1] > 0, 3.0, -1.0) + 0.1 * rng.normal(size=600)
    features[:, :3][rng.random((600, 3)) < missing] = np.nan
    return features, target


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_arrays_predict_what_lightgbm_predicts(missing):
    import lightgbm  # heavy

    features, target = data(missing=missing)
    booster = lightgbm.train(dict(PARAMETERS, min_data_in_leaf=5), lightgbm.Dataset(features, target), 60)
    new, _ = data(seed=1, missing=0.5)
    new[0] = np.nan
    np.testing.assert_allclose(to_forest(booster.dump_model()).predict(new), booster.predict(new), rtol=1e-12)


def test_a_target_that_never_changes_is_predicted():
    features, _ = data()
    np.testing.assert_allclose(LightGbmTrees()(features, np.full(600, 7.0), seed=0).predict(features), 7.0)


def test_the_seed_decides_the_trees():
    features, target = data()
    first, again, other = (LightGbmTrees()(features, target, seed=seed).predict(features) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_average_of_forests_predicts_the_mean():
    features, target = data()
    forests = [LightGbmTrees()(features, target, seed=seed) for seed in range(2)]
    mean = np.mean([forest.predict(features) for forest in forests], axis=0)
    np.testing.assert_allclose(average(forests).predict(features), mean)


def test_a_forest_that_points_outside_itself_is_refused():
    features, target = data()
    forest = LightGbmTrees()(features, target, seed=0)
    broken = forest.left.copy()
    broken[0] = broken.size
    parts = {name: getattr(forest, name) for name in forest.__slots__}
    with pytest.raises(ValueError, match="does not have"):
        type(forest)(**{**parts, "left": broken})
    with pytest.raises(ValueError, match="3 features, the trees know 4"):
        forest.predict(features[:, :3])


@pytest.mark.parametrize(
    ("error", "message"),
    [(ImportError("no"), r"pip install 'forewarn\[ml\]'"), (OSError("libgomp.so.1: cannot open"), "libgomp1")],
)
def test_a_library_that_cannot_be_loaded_is_explained(monkeypatch, error, message):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "lightgbm":
            raise error
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BoostingUnavailable, match=message):
        LightGbmTrees()
