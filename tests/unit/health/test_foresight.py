"""State of the service, and looks ahead in the background."""

from concurrent.futures import wait

import numpy as np
import pytest
from pydantic import TypeAdapter

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.health.rows import observe_frame
from forewarn.ports.forecasting import ForecasterUnavailable
from forewarn.testing.frames import anomaly_frame, timestamps_us
from forewarn_health.foresight import Foresight
from forewarn_health.state import AssetState, observe
from unit.forecast.cases import simple_tune

CATALOGUE = load_catalogue()
PUMP = CATALOGUE["centrifugal_pump"]
HOUR_S = 3_600.0


class Simple:
    tune = staticmethod(simple_tune)


class Missing:
    def tune(self, training, seasons, horizon):
        raise ForecasterUnavailable("not installed")


def wearing(asset="P-1", days=25, start_s=0.0):
    count = days * 24
    vibration = 1.5 + 0.1 * np.arange(count) / 24 + 0.05 * np.random.default_rng(1).standard_normal(count)
    return anomaly_frame(
        PUMP, [asset] * count, timestamps_us(count, start_s=start_s, step_s=HOUR_S), {"vibration_mm_s": vibration}
    )


@pytest.fixture
def foresight():
    foresight = Foresight(Simple(), CATALOGUE, 60.0)
    yield foresight
    foresight.close()


def finish(foresight):
    wait([foresight._job])
    return foresight.finished()


def test_health_is_what_it_would_be_without_the_long_memory():
    frame = wearing()
    states = observe({}, frame).states
    assert {name: state.health for name, state in states.items()} == observe_frame({}, frame).states
    assert states["P-1"].memory.closed_buckets > 190


def test_the_state_survives_its_storage():
    codec = TypeAdapter(AssetState)
    (state,) = observe({}, wearing()).states.values()
    assert codec.validate_json(codec.dump_json(state)) == state


def test_a_class_without_forecast_rules_remembers_nothing():
    loop = CATALOGUE["pump_loop"]
    (state,) = observe({}, anomaly_frame(loop, ["L-1"], timestamps_us(1))).states.values()
    assert state.memory is None
    assert not state.news


def test_a_wearing_asset_is_foreseen_once_for_each_complete_bucket(foresight):
    states = dict(observe({}, wearing()).states)
    foresight.note(states)
    foresight.begin(states, 0.0)
    foreseen = finish(foresight)["P-1"]
    assert [item.rule for item in foreseen.forecasts] == ["vibration_high_ahead"]
    states["P-1"] = states["P-1"].with_forecasts(foreseen)
    assert not states["P-1"].news
    foresight.note(states)
    foresight.begin(states, 1e6)
    assert foresight._job is None


def test_an_asset_whose_time_runs_fast_is_not_looked_at_more_often(foresight):
    states = dict(observe({}, wearing()).states)
    foresight.note(states)
    foresight.begin(states, 0.0)
    states["P-1"] = states["P-1"].with_forecasts(finish(foresight)["P-1"])
    states |= observe(states, wearing(days=1, start_s=25 * 24 * HOUR_S)).states
    assert states["P-1"].news
    foresight.note(states)
    foresight.begin(states, 30.0)
    assert foresight._job is None
    foresight.begin(states, 60.0)
    assert finish(foresight)["P-1"].index == states["P-1"].memory.index


def test_a_restart_looks_at_everything_and_drops_what_was_under_way(foresight):
    states = dict(observe({}, wearing()).states)
    foresight.note(states)
    foresight.begin(states, 0.0)
    foresight.restart(states)
    assert foresight.finished() == {}
    foresight.begin(states, 0.0)
    assert set(finish(foresight)) == {"P-1"}


def test_without_the_library_nothing_is_foreseen_and_the_service_goes_on():
    foresight = Foresight(Missing(), CATALOGUE, 60.0)
    states = dict(observe({}, wearing()).states)
    foresight.note(states)
    foresight.begin(states, 0.0)
    assert finish(foresight)["P-1"].forecasts == ()
    foresight.close()


def test_an_unexpected_failure_is_not_swallowed():
    class Broken:
        def tune(self, training, seasons, horizon):
            raise ZeroDivisionError

    foresight = Foresight(Broken(), CATALOGUE, 60.0)
    states = dict(observe({}, wearing()).states)
    foresight.note(states)
    foresight.begin(states, 0.0)
    with pytest.raises(ZeroDivisionError):
        finish(foresight)
    foresight.close()
