"""While the database is away the sink keeps its place in the group, takes nothing into memory, and says so."""

import time

import psutil
import pytest

from forewarn.adapters.timescale.migrate import migrate
from support.sink_plant import assert_every_number_once, counts
from support.stack import wait_until

pytestmark = pytest.mark.integration

_MIB = 1024 * 1024

OUTAGE_S = 60


def test_lag_grows_memory_stays_flat_and_all_is_stored_afterwards(
    dedicated_postgres, catalogue, prefix, load, start_sink
):
    server = dedicated_postgres()
    migrate(server.url, catalogue)
    sink = start_sink(server.url, prefix, SINK_RETRY_LIMIT_S="3")
    per_frame = 100
    work = load(readings=per_frame * OUTAGE_S * 2, per_frame=per_frame)
    feeds = work.feeds(per_second=24)  # 2 frames a second and partition: as long as the outage
    with feeds[0], feeds[1]:
        wait_until(lambda: sink.is_ready() and min(counts(server.url)) > 2000, 60)
        pid = sink.service.pid
        before = psutil.Process(pid).memory_info().rss
        server.stop()
        wait_until(lambda: sink.get("/readyz")[0] == 503, 20)
        first_lag = sink.metric("forewarn_sink_lag_messages")
        peak = before
        end = time.monotonic() + OUTAGE_S

        def outage_is_over():
            nonlocal peak
            peak = max(peak, psutil.Process(pid).memory_info().rss)
            assert sink.get("/livez")[0] == 200
            return time.monotonic() > end

        wait_until(outage_is_over, OUTAGE_S + 10, interval_s=0.5)
        lag = sink.metric("forewarn_sink_lag_messages")
        server.start()
    assert lag > first_lag + 10 * OUTAGE_S
    assert peak - before < 40 * _MIB, f"{(peak - before) / _MIB:.0f} MiB more during the outage"
    wait_until(lambda: counts(server.url) == (work.total, work.total), 60, lambda: f"rows: {counts(server.url)}")
    assert_every_number_once(server.url, work)
    wait_until(lambda: sink.metric("forewarn_sink_lag_messages") == 0, 30)
    assert sink.service.pid == pid
    assert sink.is_ready()
