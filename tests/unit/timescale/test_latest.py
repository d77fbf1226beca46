"""Rows of the newest readings as the API gets them."""

from datetime import UTC, datetime

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.timescale.reading_queries import latest_of
from forewarn.adapters.timescale.tables import wide_tables
from forewarn.contracts.frames import Hint, Phase

PUMP = load_catalogue()["centrifugal_pump"]
AT = datetime(2026, 11, 20, tzinfo=UTC)


def row(**changes):
    names = [name for table in wide_tables(PUMP) for name in table.column_names]
    known = {"asset_id": "P-101", "ts": AT, "received_at": AT, "_judged_at": AT, "flag": False, "regime": 0}
    codes = {"phase": Phase.LIVE, "hint": Hint.SENSOR_FAULT, "model_version": 2, "score": 100.00001}
    return {**dict.fromkeys(names), **known, **codes, **changes}


def test_a_judgement_has_words_for_its_codes_and_scores_within_their_range():
    judged = latest_of(PUMP, row()).judgement
    assert (judged.phase, judged.hint, judged.score, judged.operating_distance) == ("live", "sensor_fault", 100.0, None)


@pytest.mark.parametrize("changes", [{"hint": 7}, {"phase": None}, {"_judged_at": None}], ids=str)
def test_a_judgement_that_cannot_be_read_hides_no_reading(changes):
    latest = latest_of(PUMP, row(**changes))
    assert (latest.asset_id, latest.judgement, latest.judged_at, latest.expected) == ("P-101", None, None, {})
