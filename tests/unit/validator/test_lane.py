"""The validator's lanes: memory survives a restart, old snapshots are reported, refusals are complete."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import decode_frame
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
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
    assert event.explanation.startswith(
        "Chilled water return must be warmer than supply: Chilled water temperature difference is -6 K"
    )
    assert "Chilled water supply temperature 12 °C, Chilled water return temperature 6 °C" in event.explanation
    assert event.explanation.endswith("suspected: sensor")
    assert event.recommendation == "Check sensor wiring - supply and return may be swapped"


def as_list(*parts: bytes) -> Record:
    return record("CH-1", 7, {})._replace(value=b"[" + b",".join(parts) + b"]")


def rejections(message: Record) -> list[RejectedReading]:
    outputs = opened().process([message]).outputs
    return [decode_event(RejectedReading, o.value) for o in outputs if o.topic is TopicName.READINGS_REJECTED]


def test_of_many_refused_parts_the_first_are_explained_and_the_rest_are_one_with_the_list():
    message = as_list(*[b"1"] * 1_000)
    *own, rest = rejections(message)
    assert [event.original for event in own] == [b"1"] * 7
    assert (rest.rejected_id, rest.index, rest.readings) == ("readings.raw/0/7/7", 7, 993)
    assert rest.original == message.value
    assert "993 more readings of the list, from index 7 on" in rest.explanation


def test_readings_that_the_guard_refuses_are_bounded_like_parts_that_cannot_be_read():
    old = record("CH-1", -1_000_000, {"chw_supply_temp": 7.0}).value
    message = as_list(*[old] * 300, *[b"{}"] * 200)
    result = opened().process([message])
    events = rejections(message)
    assert sum(event.readings for event in events) == result.counts["rejected"] == 500
    assert len({event.rejected_id for event in events}) == len(events) <= 102
    assert sum(len(output.value) for output in result.outputs) < 6 * len(message.value)


def test_readings_beyond_the_limit_join_the_rest_and_keep_the_list_once():
    message = as_list(*[b"1"] * 2_000_000)
    *own, rest = rejections(message)
    assert (len(own), rest.reason, rest.readings) == (100, RejectionReason.TOO_LARGE, 1_999_900)
    assert "holds 2000000 readings, the limit is 5000: those from index 5000 on were not read" in rest.explanation
    assert rest.original == message.value


def test_lists_in_one_turn_are_judged_in_portions_with_signs_of_life_between():
    records = [as_list(*[b'{"a":1}'] * 5_000)._replace(offset=offset) for offset in range(20)]
    signs: list[None] = []
    result = opened().process(records, lambda: signs.append(None))
    assert result.counts["rejected"] == 100_000
    assert len(signs) >= 20
