"""Charts: what is drawn for which data."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn_dashboard.client import HistoryColumns
from forewarn_dashboard.formatting import zone
from forewarn_dashboard.pages.asset import figures
from forewarn_dashboard.pages.asset.timerange import resolve
from forewarn_dashboard.pages.overview.sparkline import score_sparkline

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
WINDOW = resolve("now-30m", "now", NOW)


def history(values, expected=None, step_s=1.0, times=None, reach=None):
    rows = len(values)
    stamps = times or tuple(NOW - timedelta(seconds=step_s * (rows - i)) for i in range(rows))
    columns = {"power_kw": tuple(values)}
    if expected is not None:
        columns["expected_power_kw"] = tuple(expected)
        if reach is not None:
            columns["low:power_kw"] = tuple(None if e is None else e - reach for e in expected)
            columns["high:power_kw"] = tuple(None if e is None else e + reach for e in expected)
    return HistoryColumns(times=stamps, columns=columns, resolution="raw")


def trend(past, *, predicted=True, tz=UTC):
    spec = figures.Trend(tag="power_kw", title="Power", unit="kW", predicted=predicted)
    return {trace.uid: trace for trace in figures.trend(past, spec, WINDOW, tz).data}


def test_measured_expected_and_band_are_drawn():
    traces = trend(history([1.0, 2.0], [1.5, 1.5], reach=0.3))
    assert list(traces) == ["low", "high", "expected", "value"]
    assert traces["value"].y == (1.0, 2.0)
    assert traces["low"].y == pytest.approx((1.2, 1.2))
    assert traces["high"].y == pytest.approx((1.8, 1.8))


def test_an_unpredicted_tag_has_only_its_measured_line():
    assert list(trend(history([1.0, 2.0]), predicted=False)) == ["value"]


def test_unknown_values_leave_gaps_and_are_never_zero():
    traces = trend(history([1.0, None, 3.0], [None, None, None]))
    assert traces["value"].y == (1.0, None, 3.0)
    assert not traces["value"].connectgaps
    assert set(traces["low"].y) == {None}


def test_no_line_is_drawn_across_a_hole_in_the_data():
    times = tuple(NOW - timedelta(seconds=s) for s in (600, 599, 598, 3, 2, 1))
    traces = trend(history([1.0] * 6, times=times), predicted=False)
    assert traces["value"].y == (1.0, 1.0, 1.0, None, None, 1.0, 1.0, 1.0)


def test_an_empty_history_is_an_empty_chart():
    traces = trend(HistoryColumns(times=(), columns={}, resolution="raw"))
    assert traces["value"].x == ()


def test_times_are_shown_in_the_asked_zone():
    traces = trend(history([1.0]), predicted=False, tz=zone("Asia/Kolkata"))
    assert traces["value"].x == ("2026-11-21T01:29:59.000",)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=3000))
def test_thinning_keeps_extremes_order_and_the_newest_row(values):
    times = [NOW + timedelta(seconds=i) for i in range(len(values))]
    rows = figures.thinned(times, values)
    assert rows == sorted(set(rows))
    assert rows[-1] == len(values) - 1
    assert len(rows) <= figures.TREND_POINTS + 1
    known = [value for value in values if value is not None]
    if known:
        kept = [values[i] for i in rows if values[i] is not None]
        assert (min(kept), max(kept)) == (min(known), max(known))


def test_live_columns_continue_every_line(reading):
    interval = {"expected_low": {"power_kw": 33.0}, "expected_high": {"power_kw": 45.0}}
    columns = figures.live_columns([reading(flag=True, **interval), reading(score=None)], ["power_kw"])
    assert columns[":score"] == [5.0, None]
    assert columns[":flag"] == [100.0, 0.0]
    assert columns["power_kw:value"] == [40.0, 40.0]
    assert columns["power_kw:low"] == [33.0, None]
    uids = {key.partition(":")[2] for key in columns}
    assert uids <= set(figures.TRACE_UIDS)


def test_the_anomaly_chart_shades_only_flagged_times():
    past = HistoryColumns(
        times=(NOW - timedelta(seconds=2), NOW - timedelta(seconds=1), NOW),
        columns={"score": (1.0, 90.0, None), "deviation": (2.0, 50.0, None), "flag": (0.0, 1.0, None)},
        resolution="raw",
    )
    traces = {trace.uid: trace for trace in figures.anomaly(past, WINDOW, UTC).data}
    assert traces["flag"].y == (0.0, 100.0, 0.0)
    assert traces["score"].y == (1.0, 90.0, None)


def test_a_sparkline_needs_two_known_scores_and_breaks_at_unknown_ones():
    assert score_sparkline([None, 3.0], abnormal=False) == ""
    assert score_sparkline([1.0, None, 3.0, 4.0], abnormal=True).count("M") == 2


def test_thinning_opens_no_holes_where_there_are_none():
    values = [float((i * 7919) % 1009) for i in range(3000)]
    assert None not in trend(history(values), predicted=False)["value"].y


def test_the_band_closes_where_it_is_unknown_instead_of_being_filled_across():
    traces = trend(history([1.0] * 4, [None, 1.0, None, 1.2], reach=0.3))
    assert traces["low"].y == pytest.approx((1.0, 0.7, 1.0, 0.9))
    assert traces["high"].y == pytest.approx((1.0, 1.3, 1.0, 1.5))
    assert traces["expected"].y == (None, 1.0, None, 1.2)


def test_a_coarse_past_before_quick_live_readings_is_no_row_of_holes():
    coarse = [NOW - timedelta(minutes=5 * k) for k in range(6, 0, -1)]
    quick = [NOW - timedelta(seconds=10 * k) for k in range(20, 0, -1)]
    times = (*coarse, *quick)
    assert None not in trend(history([1.0] * len(times), times=times))["value"].y


def test_a_pause_among_steady_readings_is_a_hole():
    times = tuple(NOW - timedelta(seconds=s) for s in (900, 890, 880, 870, 40, 30, 20, 10))
    assert trend(history([1.0] * 8, times=times))["value"].y == (1.0,) * 4 + (None,) * 2 + (1.0,) * 4


def test_a_single_reading_can_be_seen():
    assert trend(history([47.0]))["value"].mode == "lines+markers"
    assert trend(history([47.0, 48.0, 47.5]))["value"].mode == "lines"


def test_the_band_ends_beside_a_hole_and_does_not_reach_into_it():
    times = tuple(NOW - timedelta(seconds=s) for s in (605, 604, 603, 303, 302, 301))
    traces = trend(history([1.0] * 6, [1.0] * 6, times=times, reach=0.5))
    wide = [x for x, low, high in zip(traces["low"].x, traces["low"].y, traces["high"].y, strict=True) if low != high]
    blank = [x for x in traces["low"].x if x not in wide]
    assert [len(wide), len(blank)] == [6, 2]
    assert [blank[0][:19], blank[1][:19]] == ["2026-11-20T19:49:58", "2026-11-20T19:54:56"]
