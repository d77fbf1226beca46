"""The validator's lanes: memory survives a restart, old snapshots are told, refusals say everything."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from forewarn.adapters.arrow_codec import decode_frame
from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.event_codec import decode_event
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.simulation.kinds import KINDS
from forewarn.ports.lanes import Record, StaleSnapshot
from forewarn_validator.lane import ValidatorLanes
from unit.simulation.cases import simulate

CATALOGUE = load_catalogue()
ASSETS = {
    "ST-1": Asset(asset_id="ST-1", asset_class="turbine", name="Turbine"),
    "CH-1": Asset(asset_id="CH-1", asset_class="chiller", name="Chiller"),
}
T0_S = 1_790_000_000
EVERY_S = 60
STEPS = 300


def opened(snapshot: bytes | None = None) -> ValidatorLanes:
    lanes = ValidatorLanes(CATALOGUE, find_asset=ASSETS.get, settings=GuardSettings())
    lanes.open(0, snapshot)
    return lanes


def record(asset_id: str, i: int, metrics: dict[str, float]) -> Record:
    ts = datetime.fromtimestamp(T0_S + i * EVERY_S, UTC)
    body = {"asset_id": asset_id, "ts": ts.isoformat(), "metrics": metrics}
    return Record(
        topic="readings.raw",
        partition=0,
        offset=i,
        received_us=int(ts.timestamp() * 1e6),
        key=asset_id.encode(),
        value=json.dumps(body).encode(),
    )


@pytest.fixture(scope="module")
def drifting() -> list[Record]:
    """A turbine whose second speed sensor drifts."""
    assert "turbine" in KINDS
    columns = simulate("turbine", {}, steps=STEPS, every_s=EVERY_S)
    columns["speed_b_rpm"] = columns["speed_b_rpm"] + np.linspace(0.0, 30.0, STEPS)
    return [record("ST-1", i, {tag: float(values[i]) for tag, values in columns.items()}) for i in range(STEPS)]


def outputs(lanes: ValidatorLanes, records: list[Record], batch: int) -> list[bytes]:
    return [o.value for i in range(0, len(records), batch) for o in lanes.process(records[i : i + batch]).outputs]


def findings(frames: list[bytes]) -> list[str | None]:
    texts = (decode_frame(frame, CATALOGUE, FrameKind.VALID).strings["findings"].to_list() for frame in frames)
    return [text for batch in texts for text in batch]


def test_a_restart_in_the_middle_of_a_drift_changes_no_verdict(drifting):
    whole = opened()
    undisturbed = findings(outputs(whole, drifting, batch=37))
    first = opened()
    before = findings(outputs(first, drifting[:150], batch=11))
    second = opened(first.dump(0))
    after = findings(outputs(second, drifting[150:], batch=50))
    assert before + after == undisturbed
    assert set(undisturbed) == {None, "turbine.speed_sensors_agree:speed_b_rpm"}
    assert second.dump(0) == whole.dump(0)


@pytest.mark.parametrize("old", [b"FWGUARD1\x02\x00\x00\x00[]", b"", b"garbage"])
def test_a_snapshot_of_another_format_is_told_as_stale(old):
    with pytest.raises(StaleSnapshot, match="not a guard state"):
        opened(old)


def test_a_refused_reading_is_published_with_rule_words_values_and_cure():
    lanes = opened()
    (output,) = lanes.process([record("CH-1", 0, {"chw_supply_temp": 12.0, "chw_return_temp": 6.0})]).outputs
    assert output.topic is TopicName.READINGS_REJECTED
    event = decode_event(RejectedReading, output.value)
    assert event.rule == "chiller.return_warmer_than_supply"
    assert event.explanation.startswith("Chilled water return must be warmer than supply: chw_delta_t_k is -6 K")
    assert "chw_supply_temp_c = 12 Cel, chw_return_temp_c = 6 Cel" in event.explanation
    assert event.explanation.endswith("suspected: sensor")
    assert event.recommendation == "Check sensor wiring - supply and return may be swapped"
