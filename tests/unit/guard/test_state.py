from dataclasses import fields

import numpy as np
import pytest

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.guard.state import NEVER, GuardState, dump, load
from unit.guard.cases import FAN, HEALTHY, T0, TAGS, batch, run, with_tag


def filled() -> GuardState:
    return run(batch([("B", T0, HEALTHY), ("A", T0, with_tag("power_kw", float("nan")))])).state


def reordered() -> AssetClass:
    document = FAN.model_dump()
    document["tags"] = [*document["tags"][1:], {**document["tags"][0], "name": "noise_db"}, document["tags"][0]]
    return AssetClass.model_validate(document)


def test_a_dump_loads_to_the_same_state():
    state = filled()
    loaded = load(dump([state]), {"fan": FAN})["fan"]
    for field in fields(GuardState):
        np.testing.assert_array_equal(getattr(state, field.name), getattr(loaded, field.name))


def test_equal_states_give_equal_bytes():
    assert dump([filled()]) == dump([filled()])


def test_a_class_that_left_the_catalogue_is_forgotten():
    assert load(dump([filled()]), {}) == {}


def test_tags_follow_a_changed_class():
    changed = reordered()
    state = load(dump([filled()]), {"fan": changed})["fan"]
    assert state.tags == changed.tag_names
    assert state.raw[0].tolist()[:3] == [1.0, 5.0, 40.0]
    assert state.raw[0, 4] == 1000.0
    assert np.isnan(state.raw[0, 3])
    assert state.raw_ts[0, 3] == NEVER
    assert not state.seen[:, 3].any()
    assert state.newest_ts.tolist() == [T0, T0]


def test_a_step_leaves_the_state_it_was_given_alone():
    state = filled()
    before = dump([state])
    run(batch([("B", T0 + 1, with_tag("speed_rpm", 9.0)), ("C", T0, HEALTHY)]), state)
    assert dump([state]) == before


@pytest.mark.parametrize("data", [b"", b"something else", dump([filled()])[:-5]])
def test_foreign_bytes_are_refused(data):
    with pytest.raises(ValueError, match=r"guard state|buffer"):
        load(data, {"fan": FAN})


def test_500_assets_take_less_than_250_kb():
    state = run(batch([(f"F{i}", T0, HEALTHY) for i in range(500)])).state
    assert len(dump([state])) < 250_000
    assert len(TAGS) == 4
