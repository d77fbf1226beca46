import numpy as np
import pytest

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump, load
from forewarn.domain.state.packing import pack, unpack
from unit.anomaly.cases import baseline, calibrated, run_anomaly
from unit.twin.cases import COUPLED


def test_an_asset_takes_little():
    assert len(dump([calibrated()])) < 5_000


def test_a_class_with_other_responses_starts_anew():
    data, settings = dump([calibrated()]), AnomalySettings()
    spec = COUPLED.model_dump(mode="json")
    spec["twin"]["responses"] = ["a"]
    assert load(data, {"coupled": AssetClass.model_validate(spec)}, settings) == {}
    assert load(data, {}, settings) == {}


def test_a_snapshot_with_another_memory_is_refused():
    with pytest.raises(ValueError, match="remembers 14 readings, the settings want 29"):
        load(dump([calibrated()]), {"coupled": COUPLED}, AnomalySettings(window=30))


def test_other_bytes_are_refused():
    with pytest.raises(ValueError, match="no snapshot of format"):
        load(b"FWTWIN01", {}, AnomalySettings())


def test_readings_that_wait_in_a_snapshot_from_before_a_column_do_not_know_it():
    state, _ = run_anomaly([baseline(30)])
    headers, arrays = unpack(b"FWANOM02", dump([state]))
    del arrays["coupled/waiting/operating_distance"]
    back = load(pack(b"FWANOM02", headers, arrays), {"coupled": COUPLED}, AnomalySettings())["coupled"]
    (waiting,) = back.baselines["M-1"].waiting
    assert waiting.rows == 30
    assert np.isnan(waiting.columns["operating_distance"]).all()
