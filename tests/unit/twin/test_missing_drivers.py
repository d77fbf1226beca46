"""Machines that send only part of their class's tags still get a twin."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.frames import Phase, residual_column
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from support.raw_batches import columns_of, raw_batch
from unit.catalogue.operating_points import CHILLER_GATEWAY, HEALTHY

CATALOGUE = load_catalogue()
LIVE_ROWS = 60


def twin_of(name, sent, nameplate, *, shifted):
    """Live judgement of a machine that sends only some tags; ``shifted`` is 8 % off for the second half of it."""
    asset_class = CATALOGUE[name]
    rows = asset_class.twin.baseline_readings + 2 * LIVE_ROWS
    rng = np.random.default_rng(3)
    day = np.sin(np.arange(rows) / 40.0)
    columns = {tag: np.full(rows, np.nan) for tag in asset_class.tag_names}
    for tag in sent:
        columns[tag] = HEALTHY[name][tag] * (1 + 0.03 * day + 0.001 * rng.standard_normal(rows))
    columns[shifted][-LIVE_ROWS:] *= 1.08
    ts = 1_790_000_000_000_000 + np.arange(rows) * 60_000_000
    batch = raw_batch(asset_class, ts, columns_of(asset_class, columns))
    accepted = check(batch, GuardState.empty(asset_class), GuardSettings(max_age_s=1e12), {"M": nameplate})
    assert accepted.counters.rejected == 0
    _, frames, cards = step(TwinState.empty(asset_class), accepted.frame, TwinSettings())
    return cards, [frame for frame in frames if (frame.arrays["phase"] == Phase.LIVE).all()]


def tags_of(aliases):
    names = {alias: tag.name for tag in CATALOGUE["chiller"].tags for alias in (tag.name, *tag.aliases)}
    return [names[alias] for alias in aliases]


@pytest.mark.parametrize("nameplate", [{}, {"rated_chw_flow_m3_h": 172.0, "rated_cdw_flow_m3_h": 205.0}])
def test_a_chiller_without_flow_meters_and_saturation_temperatures_has_a_twin(nameplate):
    (card,), (live,) = twin_of("chiller", tags_of(CHILLER_GATEWAY), nameplate, shifted="vibration_mm_s")
    assert set(card.unjudged) >= {"evaporator_sat_temp_c", "condenser_sat_temp_c", "chw_flow_m3_h", "cdw_flow_m3_h"}
    assert ("cooling_kw" in card.unjudged) == (not nameplate)
    residual = np.abs(live.arrays[residual_column("vibration_mm_s")])
    assert np.median(residual[:LIVE_ROWS]) < 2
    assert np.median(residual[-LIVE_ROWS:]) > 5
    deviation = live.arrays["deviation"]
    assert np.median(deviation[:LIVE_ROWS]) < 10
    assert np.median(deviation[-LIVE_ROWS:]) > 25


@pytest.mark.parametrize("sent", [("temperature_c", "vibration_mm_s"), ("vibration_mm_s",)])
def test_equipment_of_unknown_kind_that_sends_one_or_two_tags_has_a_twin(sent):
    (card,), (live,) = twin_of("generic", sent, {}, shifted="vibration_mm_s")
    assert set(card.r2) == set(sent)
    assert np.isfinite(live.arrays["deviation"]).all()
