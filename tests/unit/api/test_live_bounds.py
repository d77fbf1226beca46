"""What the live state keeps in memory, whatever is sent: rows instead of frames, so many assets, alarms and models."""

import gc
import weakref
from datetime import timedelta

import numpy as np
import pytest

from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.frames.rows import FrameRows
from forewarn.adapters.live.state import LiveState
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.limits import MAX_ALARMS_PER_ASSET
from forewarn.ports.codec import InvalidEvent, InvalidFrame
from forewarn.testing.api_examples import (
    CATALOGUE,
    NOW,
    PUMP_CLASS,
    alarm,
    health,
    judged_rows,
    latest,
    model_card,
    valid_rows,
)
from support.sink_frames import random_frame

START_US = 1_750_000_000_000_000


def frame_bytes(kind, asset_ids, at_us=START_US, rows=1):
    names = [name for name in asset_ids for _ in range(rows)]
    times = [at_us + n * 1_000_000 for _ in asset_ids for n in range(rows)]
    rng = np.random.default_rng(len(names))
    frame = random_frame(kind, PUMP_CLASS, names, times, rng, nulls=0.2)
    # Only values that a frame may hold.
    return encode_frame(frame)


def opened(kind, *args, **options):
    return FrameRows.read(frame_bytes(kind, *args, **options), CATALOGUE, kind)


def test_an_import_leaves_rows_behind_and_not_its_frames():
    """100 assets × 4,000 old readings kept 2.6 MB an asset: every frame stayed alive for its last row."""
    live = LiveState(max_frame_bytes=200_000)
    alive = []
    for number in range(20):
        for kind, take in ((FrameKind.VALID, live.take_readings), (FrameKind.ANOMALY, live.take_judgements)):
            frame = opened(kind, [f"P-{number}"], rows=400)
            alive.append((weakref.ref(frame), frame.size_bytes))
            take(frame)
            del frame
    gc.collect()
    assert sum(size for frame, size in alive if frame() is not None) <= 200_000
    assert sum(size for _, size in alive) > 2_000_000
    assert all(live.asset(f"P-{number}").reading is not None for number in range(20))


@pytest.mark.parametrize("max_frame_bytes", [0, 10**9])
def test_a_row_says_the_same_before_and_after_it_was_copied(max_frame_bytes):
    live = LiveState(max_frame_bytes=max_frame_bytes)
    names = ["P-1", "P-2", "P-3"]
    live.take_readings(opened(FrameKind.VALID, names, rows=3))
    live.take_judgements(opened(FrameKind.ANOMALY, names, rows=3))
    valid, judged = (
        decode_frame(frame_bytes(kind, names, rows=3), CATALOGUE, kind) for kind in (FrameKind.VALID, FrameKind.ANOMALY)
    )
    for number, name in enumerate(names):
        row = 3 * number + 2
        asset = live.asset(name)
        assert asset.reading.findings == valid.strings["findings"].to_list()[row]
        assert asset.reading.values == known(valid, PUMP_CLASS.column_names, row)
        assert asset.reading.quality == {t: valid.arrays[f"quality_{t}"][row] for t in PUMP_CLASS.tag_names}
        responses = PUMP_CLASS.twin.responses
        for part in ("expected", "residual", "contribution"):
            found = getattr(asset.judgement, part)
            assert found == known(judged, [f"{part}_{r}" for r in responses], row, names=responses)
        assert asset.judgement.culprit == judged.strings["culprit"].to_list()[row]
        assert asset.judgement.flag == bool(judged.arrays["flag"][row])


def known(frame, columns, row, names=None):
    values = [frame.arrays[column][row].item() for column in columns]
    return {name: value if np.isfinite(value) else None for name, value in zip(names or columns, values, strict=True)}


def test_a_value_that_was_read_stays_the_same_object_when_its_frame_goes():
    """Else clients would be sent what they have."""
    live = LiveState(max_frame_bytes=10**6)
    live.take_readings(opened(FrameKind.VALID, ["P-1"]))
    before = live.asset("P-1")
    live.take_readings(opened(FrameKind.VALID, ["P-2"], rows=4_000))  # pushes the first frame out
    live.take_alarm("P-1/hot", alarm("P-1", "hot"))
    after = live.asset("P-1")
    assert after.version > before.version
    assert after.reading is before.reading


def test_of_too_many_assets_the_one_that_changed_longest_ago_is_forgotten_unless_it_has_an_alarm():
    live = LiveState(max_assets=3)
    live.take_alarm("P-1/hot", alarm("P-1", "hot"))
    for n in range(2, 9):
        live.take_readings(valid_rows([f"P-{n}"], NOW + timedelta(seconds=n)))
    assert [live.asset(f"P-{n}") is not None for n in range(1, 9)] == [True, *[False] * 5, True, True]
    live.take_alarm("P-7/hot", alarm("P-7", "hot"))
    live.take_alarm("P-8/hot", alarm("P-8", "hot"))
    live.take_readings(valid_rows(["P-9"], NOW))
    live.take_health("P-9", b"{}", 0)
    live.seed([latest("P-9")], [health("P-9")])
    assert live.asset("P-9") is None
    with pytest.raises(InvalidEvent, match="no room"):
        live.take_alarm("P-9/hot", alarm("P-9", "hot"))
    live.take_alarm("P-9/hot", None)
    assert len(live.alarms()) == 3


@pytest.mark.parametrize("name", ["x" * 1_000, "a\nb", ""])
def test_names_that_are_no_identifiers_take_no_place(name):
    live = LiveState()
    live.take_health(name, b"{}", 0)
    with pytest.raises(InvalidEvent):
        live.take_alarm(f"{name}/hot", alarm("P-1", "hot"))
    assert live.asset(name) is None


def test_an_asset_has_only_so_many_alarms_and_models():
    live = LiveState(max_assets=1)
    for n in range(MAX_ALARMS_PER_ASSET):
        live.take_alarm(f"P-1/r{n}", alarm("P-1", f"r{n}"))
    with pytest.raises(InvalidEvent, match="500 open alarms"):
        live.take_alarm("P-1/one_more", alarm("P-1", "one_more"))
    live.take_alarm("P-1/r0", alarm("P-1", "r0"))  # a change of one that is known
    live.take_alarm("P-1/r0", None)
    live.take_alarm("P-1/one_more", alarm("P-1", "one_more"))
    for n in range(4):
        live.take_model(f"P-1/kind{n}", model_card())
    with pytest.raises(InvalidEvent, match="4 models"):
        live.take_model("P-1/one_more", model_card())
    live.take_model("P-1/kind0", model_card(version=2))


def test_a_row_that_cannot_be_shown_leaves_the_rest_of_its_asset():
    live = LiveState(max_frame_bytes=0)
    live.take_readings(valid_rows(["P-1"], NOW, flow_m3_h=5.0))
    with pytest.raises(InvalidFrame, match="phase"):
        live.take_judgements(judged_rows(["P-1"], NOW, phase=77))
    live.take_health("P-1", b"\xff{", 0)
    asset = live.asset("P-1")
    assert (asset.judgement, asset.health) == (None, None)
    assert asset.reading.values["flow_m3_h"] == 5.0


def test_what_the_database_holds_is_shown_as_it_was_stored():
    live = LiveState()
    stored = latest()
    live.seed([stored], [health()])
    asset = live.asset(stored.asset_id)
    assert (asset.reading.values, asset.reading.quality) == (stored.values, stored.quality)
    assert (asset.judgement.expected, asset.judgement.residual) == (stored.expected, stored.residual)
    assert asset.health == health()
