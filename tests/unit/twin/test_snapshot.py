import numpy as np
import pytest

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from forewarn.domain.twin.state import TwinState
from unit.twin.cases import COUPLED, DRIVEN, coupled, driven, frame, run_twin


def test_states_of_several_classes_share_a_snapshot():
    states = [run_twin([coupled(70)])[0], run_twin([driven(30)])[0]]
    back = load(dump(states), {"driven": DRIVEN, "coupled": COUPLED})
    assert set(back) == {"driven", "coupled"}
    assert set(back["coupled"].models) == {"M-1"}
    assert set(back["driven"].learning) == {"M-1"}


def test_an_asset_that_has_learned_takes_less_than_50_kb():
    wide = AssetClass.model_validate(
        {
            "name": "wide",
            "title": "Wide",
            "tags": [{"name": f"t{i}", "title": "t", "unit": "1", "engineering_range": [-10, 10]} for i in range(60)],
            "twin": {"responses": [f"t{i}" for i in range(60)], "baseline_readings": 1000},
        }
    )
    rng = np.random.default_rng(1)
    state, _, fitted = run_twin([frame(wide, {f"t{i}": rng.normal(size=1000) for i in range(60)})])
    assert fitted[0].unjudged == {}
    assert len(dump([state])) < 50_000


def test_a_class_with_other_drivers_starts_anew():
    state, _, _ = run_twin([driven(70)])
    spec = DRIVEN.model_dump(mode="json")
    spec["twin"]["drivers"] = ["load"]
    assert load(dump([state]), {"driven": AssetClass.model_validate(spec)}) == {}
    assert load(dump([state]), {}) == {}


def test_readings_that_wait_in_an_older_snapshot_were_live():
    state, _, _ = run_twin([driven(30)])
    headers, arrays = unpack(b"FWTWIN02", dump([state]))
    del arrays["driven/waiting/historical"]
    back = load(pack(b"FWTWIN02", headers, arrays), {"driven": DRIVEN})["driven"]
    assert dump([back]) == dump([state])


def test_an_empty_state_survives():
    assert load(dump([TwinState.empty(DRIVEN)]), {"driven": DRIVEN})["driven"].models == {}


@pytest.mark.parametrize("data", [b"", b"nonsense", b"FWTWIN02", b"FWTWIN02\xff\xff\xff\xff{"])
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="snapshot"):
        load(data, {})


def test_a_cut_or_lengthened_snapshot_is_refused():
    data = dump([run_twin([driven(70)], TwinSettings())[0]])
    with pytest.raises(ValueError, match="cut short"):
        load(data[:-1], {"driven": DRIVEN})
    with pytest.raises(ValueError, match="after its last"):
        load(data + b"x", {"driven": DRIVEN})


def test_only_numbers_are_unpacked():
    data = pack(b"M", None, {"x": np.array(["text"])})
    with pytest.raises(ValueError, match="only numbers"):
        unpack(b"M", data)
