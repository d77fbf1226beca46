"""Events of an asset: not too often, not without news, not too seldom."""

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset
from forewarn.domain.health.asset import judge
from forewarn.domain.health.profile import profile_of
from forewarn.domain.health.rows import observe_frame
from forewarn.testing.frames import anomaly_frame, timestamps_us
from forewarn_health.pacing import Pacing

PUMP = load_catalogue()["centrifugal_pump"]
PLATE = {"iso_group": 2, "iso_support": 2}
PROFILE = profile_of(PUMP, Asset(asset_id="P-1", asset_class=PUMP.name, name="P", nameplate=PLATE))


def health(vibration=1.0):
    frame = anomaly_frame(PUMP, ["P-1"], timestamps_us(1), {"speed_rpm": 1480.0, "vibration_mm_s": vibration})
    return judge(observe_frame({}, frame).states["P-1"], PUMP, PROFILE)


def offer(pacing, now_s, event):
    """What the service does on a tick."""
    reported = []
    for asset_id in pacing.due(now_s):
        if pacing.is_news(event, now_s):
            pacing.published(event, now_s)
            reported.append(asset_id)
        else:
            pacing.postpone(asset_id, now_s)
    return reported


@pytest.fixture
def pacing():
    pacing = Pacing(1.0, 60.0)
    pacing.note(["P-1"])
    assert offer(pacing, 100.0, health()) == ["P-1"]
    return pacing


def test_changes_come_at_most_once_a_second(pacing):
    reported = 0
    for tick in range(1, 41):  # 10 s of ticks, each with a change
        pacing.note(["P-1"])
        reported += len(offer(pacing, 100 + tick / 4, health(3 + tick % 7)))
    assert reported == 10


def test_a_steady_asset_is_told_of_once_a_minute(pacing):
    reported = []
    for second in range(1, 130):
        pacing.note(["P-1"])
        if offer(pacing, 100.0 + second, health()):
            reported.append(second)
    assert reported == [60, 120]


def test_a_silent_asset_is_not_repeated(pacing):
    assert [offer(pacing, 100.0 + second, health()) for second in range(1, 300)] == [[]] * 299


def test_after_a_restart_everything_is_told_once(pacing):
    pacing.restart(["P-1"])
    assert offer(pacing, 100.1, health()) == ["P-1"]
    assert offer(pacing, 100.2, health()) == []
