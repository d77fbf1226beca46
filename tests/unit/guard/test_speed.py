import time

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.frame import Strings
from forewarn.domain.guard.batch import GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState

PUMP = load_catalogue()["centrifugal_pump"]
TYPICAL = np.array([120, 1.5, 6, 1480, 40, 60, 2, 55, 20, 22.0])
ROWS = 1000


def batches(count: int, assets: int) -> list[RawBatch]:
    rng = np.random.default_rng(0)
    names = tuple(f"P-{i}" for i in range(assets))
    out = []
    for number in range(count):
        ts = 1_790_000_000_000_000 + (number * ROWS + np.arange(ROWS, dtype=np.int64)) * 20
        out.append(
            RawBatch(
                asset_class=PUMP,
                assets=Strings((np.arange(ROWS) % assets).astype(np.int32), names),
                ts=ts,
                received_at=ts,
                seq=np.arange(ROWS),
                values=TYPICAL * (1 + 0.002 * rng.standard_normal((ROWS, 10))),
                gateway_quality=np.zeros((ROWS, 10), dtype=np.uint32),
            )
        )
    return out


@pytest.mark.parametrize("assets", [1, 42, 500])
def test_a_reading_of_ten_tags_costs_a_few_microseconds(assets):
    """1.2 to 1.7 µs on an idle machine; the bar leaves room for neighbours on its cores."""
    state, settings = GuardState.empty(PUMP), GuardSettings()
    costs = []
    for batch in batches(15, assets):
        begin = time.process_time()
        result = check(batch, state, settings, {})
        costs.append((time.process_time() - begin) / ROWS * 1e6)
        state = result.state
        assert result.counters.accepted == ROWS
    assert np.median(costs) < 6.0, f"{np.median(costs):.1f} µs"
