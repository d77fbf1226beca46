"""What every detector must do, whatever is inside."""

import numpy as np
import pytest

from forewarn.adapters.detectors.registry import DETECTORS, make_detector
from forewarn.ports.detector import DetectorUnavailable

ROWS = 300


def healthy(rows=ROWS, seed=1, features=4):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 1))
    return 0.6 * hidden + rng.normal(0, 0.8, (rows, features))


@pytest.fixture(params=DETECTORS)
def name(request):
    try:
        make_detector(request.param)
    except DetectorUnavailable as exc:  # only the extra that nobody installs by default
        assert request.param == "autoencoder"
        pytest.skip(str(exc))
    return request.param


@pytest.fixture
def fitted(name):
    detector = make_detector(name, seed=3)
    detector.fit(healthy())
    return detector


def scored_in_turn(detector, rows):
    """Score before learning, row by row."""
    scores = []
    for number in range(len(rows)):
        scores.append(detector.score(rows[number : number + 1])[0])
        detector.learn(rows[number : number + 1])
    return np.array(scores)


def test_it_says_who_it_is(name):
    assert make_detector(name).name == name


def test_before_it_has_learned_it_does_not_know(name):
    assert np.isnan(make_detector(name).score(healthy(3))).all()


def test_scores_are_finite_one_per_row(fitted):
    scores = fitted.score(healthy(50, 2))
    assert scores.shape == (50,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


def test_outliers_score_higher(fitted):
    outliers = healthy(40, 4) + np.array([5.0, -5.0, 4.0, 5.0])
    calm, wild = scored_in_turn(fitted, healthy(40, 2)), scored_in_turn(fitted, outliers)
    assert np.median(wild) > np.quantile(calm, 0.9)


def test_the_same_seed_gives_the_same_scores(name):
    pair = [make_detector(name, seed=7) for _ in range(2)]
    for detector in pair:
        detector.fit(healthy())
    np.testing.assert_array_equal(*[scored_in_turn(d, healthy(30, 5)) for d in pair])


def test_fitting_again_forgets(name):
    one, other = make_detector(name), make_detector(name)
    one.fit(healthy(ROWS, 8) * 100 + 50)
    for detector in (one, other):
        detector.fit(healthy())
    np.testing.assert_array_equal(one.score(healthy(20, 2)), other.score(healthy(20, 2)))


def test_a_round_trip_changes_nothing(name, fitted):
    scored_in_turn(fitted, healthy(150, 2))
    revived = make_detector(name, seed=3)
    revived.load(fitted.dump())
    assert revived.dump() == fitted.dump()
    rows = healthy(150, 6)
    np.testing.assert_array_equal(scored_in_turn(revived, rows), scored_in_turn(fitted, rows))
    assert revived.dump() == fitted.dump()


def test_a_round_trip_of_nothing_is_nothing(name):
    revived = make_detector(name)
    revived.load(make_detector(name).dump())
    assert np.isnan(revived.score(healthy(2))).all()


def test_its_snapshot_is_small(fitted):
    assert len(fitted.dump()) < 250_000


def test_other_bytes_are_refused(name):
    with pytest.raises(ValueError, match="snapshot"):
        make_detector(name).load(b"nonsense")


def test_it_leaves_its_arguments_alone(fitted):
    rows = healthy(20, 2)
    kept = rows.copy()
    fitted.score(rows)
    fitted.learn(rows)
    fitted.fit(rows)
    np.testing.assert_array_equal(rows, kept)


def test_learning_changes_only_what_learns_online(fitted):
    before = fitted.dump()
    fitted.learn(healthy(120, 9) + 1.0)
    assert (fitted.dump() != before) == fitted.online


def test_features_that_never_varied_are_left_out(name):
    detector = make_detector(name)
    rows = healthy()
    rows[:, 2] = 0.0
    detector.fit(rows)
    assert np.isfinite(detector.score(rows[:5])).all()


def test_rows_that_never_varied_cannot_be_scored(name):
    detector = make_detector(name)
    detector.fit(np.zeros((ROWS, 4)))
    assert np.isnan(detector.score(healthy(3))).all()


def test_no_rows_give_no_scores(fitted):
    assert fitted.score(np.empty((0, 4))).shape == (0,)
