"""Every view state is in the address and comes back out of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn_dashboard.pages.asset.timerange import PRESETS, TimeRangeError, resolve
from forewarn_dashboard.urls import SHOWS, SORTS, View, is_page, parse

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)

overviews = st.builds(
    View,
    page=st.just("overview"),
    search=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
    sort=st.sampled_from(list(SORTS)),
    show=st.sampled_from(list(SHOWS)),
    utc=st.booleans(),
)
assets = st.builds(
    View,
    page=st.just("asset"),
    asset_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,20}", fullmatch=True),
    start=st.sampled_from([*PRESETS, "2026-11-20T20:00:00Z"]),
    end=st.sampled_from(["now", "2026-11-20T21:00:00Z"]),
    tags=st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True), unique=True, max_size=5).map(tuple),
    live=st.booleans(),
    utc=st.booleans(),
)


@given(st.one_of(overviews, assets))
def test_a_view_survives_the_way_through_the_address(view):
    path, _, query = view.href().partition("?")
    assert parse(path, f"?{query}" if query else "") == view


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_address_can_be_read(path, search):
    assert parse(path, search).page in {"overview", "asset", "alarms", "missing"}


def test_defaults_leave_the_address_short():
    assert View(page="overview").href() == "/"
    assert View(page="asset", asset_id="P-101").href() == "/asset/P-101"
    assert View(page="alarms", priority="high", utc=True).href() == "/alarms?priority=high&tz=utc"


def test_links_to_other_pages_carry_only_the_clock():
    assert View(page="overview", search="x", utc=True).to("asset", asset_id="P-1") == "/asset/P-1?tz=utc"


def test_odd_parameters_fall_back_to_defaults():
    assert parse("/", "?sort=evil&show=none") == View(page="overview")
    assert parse("/alarms", "?priority=urgent") == View(page="alarms")
    assert parse("/asset/P-1", "?tags=ok,No!,../x,ok") == View(page="asset", asset_id="P-1", tags=("ok",))


def test_unknown_paths_are_no_pages():
    assert [is_page(path) for path in ("/", "/alarms", "/asset/P-1", "/asset/", "/asset/a/b", "/admin")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_relative_ranges_follow_the_clock_and_fixed_ones_stand_still():
    live = resolve("now-6h", "now", NOW)
    assert live.start == NOW - timedelta(hours=6)
    assert live.follows_now
    standing = resolve("2026-11-20T18:00:00", "2026-11-20T20:00:00+01:00", NOW)
    assert standing.span == timedelta(hours=1)
    assert not standing.follows_now


@pytest.mark.parametrize(
    ("start", "end"),
    [("now", "now"), ("now", "now-1h"), ("yesterday", "now"), ("now-999999w", "now"), ("now-400d", "now"), ("", "")],
)
def test_ranges_that_cannot_be_are_refused_with_a_reason(start, end):
    with pytest.raises(TimeRangeError, match=r"range|time"):
        resolve(start, end, NOW)
