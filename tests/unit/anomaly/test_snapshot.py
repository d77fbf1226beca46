import pytest

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump, load
from unit.anomaly.cases import calibrated
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
