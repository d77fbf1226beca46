"""Every view state is in the address and comes back out of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn_dashboard.pages.alarms.address import AlarmsView
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.timerange import PRESETS, TimeRangeError, resolve
from forewarn_dashboard.pages.overview.address import SHOWS, SORTS, OverviewView

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)

overviews = st.builds(
    OverviewView,
    search=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
    sort=st.sampled_from(list(SORTS)),
    show=st.sampled_from(list(SHOWS)),
    utc=st.booleans(),
)
assets = st.builds(
    AssetView,
    asset_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,20}", fullmatch=True),
    start=st.sampled_from([*PRESETS, "2026-11-20T20:00:00Z"]),
    end=st.sampled_from(["now", "2026-11-20T21:00:00Z"]),
    tags=st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True), unique=True, max_size=5).map(tuple),
    updating=st.booleans(),
    utc=st.booleans(),
)


@given(st.one_of(overviews, assets))
def test_a_view_survives_the_way_through_the_address(view_of, view):
    path, _, query = view.address.partition("?")
    assert view_of(path, f"?{query}" if query else "") == view


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_address_can_be_read(view_of, path, search):
    assert isinstance(view_of(path, search), OverviewView | AssetView | AlarmsView | None)


def test_defaults_leave_the_address_short():
    assert OverviewView().address == "/"
    assert AssetView(asset_id="P-101").address == "/asset/P-101"
    assert AlarmsView(priority="high", utc=True).address == "/alarms?priority=high&tz=utc"


def test_links_to_other_pages_carry_only_the_clock():
    assert OverviewView(search="x", utc=True).to(AssetView, asset_id="P-1") == "/asset/P-1?tz=utc"


def test_odd_parameters_fall_back_to_defaults(view_of):
    assert view_of("/", "?sort=evil&show=none") == OverviewView()
    assert view_of("/alarms", "?priority=urgent") == AlarmsView()
    assert view_of("/asset/P-1", "?tags=ok,No!,../x,ok") == AssetView(asset_id="P-1", tags=("ok",))


def test_unknown_paths_are_no_pages(view_of):
    assert all(view_of(path) is not None for path in ("/", "/alarms", "/asset/P-1"))
    assert all(view_of(path) is None for path in ("/asset/", "/asset/a/b", "/admin"))


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
