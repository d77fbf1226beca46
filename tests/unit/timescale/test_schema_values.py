"""The values from which schema and statements are made."""

from datetime import timedelta

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.timescale import rollups
from forewarn.adapters.timescale.connection import connection_arguments, describe
from forewarn.adapters.timescale.event_rows import rows_of_event
from forewarn.adapters.timescale.lifecycle import LifeCycle
from forewarn.adapters.timescale.reading_queries import finest_width
from forewarn.adapters.timescale.rollups import WIDTHS, RollUpSource
from forewarn.adapters.timescale.sqlfiles import statements
from forewarn.adapters.timescale.tables import wide_table, wide_tables
from forewarn.contracts.assets import AcknowledgeAlarm
from forewarn.contracts.frames import FrameKind
from forewarn.ports.history import BadQuery, HistoryQuery, Interval, Page, RollUp

CATALOGUE = load_catalogue()
DAY = timedelta(days=1)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_both_tables_of_a_class_hold_every_column_of_the_anomaly_frame_once(name):
    readings, results = wide_tables(CATALOGUE[name])
    assert {"asset_key", "ts"} == set(readings.column_names) & set(results.column_names)
    assert len(set(readings.column_names)) == len(readings.columns)
    assert all(len(column) <= 63 for table in (readings, results) for column in table.column_names)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_wide_columns_come_first_so_that_rows_have_no_padding(name):
    widths = {
        "timestamptz": 8, "bigint": 8, "double precision": 8, "integer": 4, "real": 4, "smallint": 2, "boolean": 1,
        "text": 0,
    }  # fmt: skip
    for table in wide_tables(CATALOGUE[name]):
        order = [widths[column.pg_type] for column in table.columns]
        assert order == sorted(order, reverse=True)


def test_twin_frames_have_no_table():
    with pytest.raises(ValueError, match="anomaly frames carry"):
        wide_table(FrameKind.TWIN, CATALOGUE["chiller"])


@pytest.mark.parametrize(
    "changes",
    [
        {"refresh_from": 7 * DAY},
        {"compress_after": 11 * DAY},
        {"drop_after": 14 * DAY},
        {"lateness": 10 * DAY},
    ],
)
def test_ages_out_of_order_are_refused(changes):
    with pytest.raises(ValueError, match="ages must rise"):
        LifeCycle(**changes)


def test_columns_that_came_later_are_a_part_of_their_own():
    source = RollUpSource(table="readings_x", columns=("asset_key", "ts", "a_c", "quality_a_c", "b_c"))
    first = rollups.continuous_aggregate(source, ("a_c",), WIDTHS[0], 1).as_string(None)
    assert '"readings_x_1m_part1"' in first
    assert "b_c" not in first
    coarser = rollups.continuous_aggregate(source, ("b_c",), WIDTHS[1], 2).as_string(None)
    assert 'FROM "readings_x_1m_part2"' in coarser
    assert 'sum("n_b_c")::bigint' in coarser
    view = rollups.view_over_parts(source, WIDTHS[0], [("a_c",), ("b_c",)]).as_string(None)
    assert '"readings_x_1m_part1" AS part1 LEFT JOIN (SELECT bucket, asset_key, "sum_b_c"' in view
    assert "pct_good_a_c" in view
    assert "pct_good_b_c" not in view


def test_a_view_has_the_same_columns_over_the_table_and_over_aggregates():
    readings, results = wide_tables(CATALOGUE["pump_loop"])
    for table in (readings, results):
        source = RollUpSource(table=table.name, columns=table.column_names)
        for width in WIDTHS:
            plain = rollups.view_over_table(source, width).as_string(None)
            parts = rollups.view_over_parts(source, width, [source.values]).as_string(None)
            assert plain.split("\nFROM")[0] == parts.split("\nFROM")[0]


def test_the_finest_width_with_few_enough_buckets_is_taken():
    from datetime import UTC, datetime

    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert finest_width(start, start + timedelta(minutes=99), 100) is RollUp.MINUTE
    assert finest_width(start, start + timedelta(minutes=101), 100) is RollUp.HOUR
    assert finest_width(start, start + timedelta(days=5000), 100) is RollUp.DAY


def test_every_statement_file_has_named_statements():
    for name in ("store.sql", "history.sql"):
        assert all(text and not text.startswith(b"--") for text in statements(name).values())
    assert {"claim", "advance", "alarm_event"} <= statements("store.sql").keys()


def test_an_event_without_a_table_is_a_programming_error():
    with pytest.raises(TypeError, match="no table takes a AcknowledgeAlarm"):
        rows_of_event(AcknowledgeAlarm(alarm_id="P-1/hot", occurrence_id="o1"), {})


def test_the_url_s_own_options_are_kept_and_never_shown():
    url = "postgresql://user:secret@db:5433/plant?connect_timeout=1&options=-c%20search_path%3Dx"
    arguments = connection_arguments(url, application="test", settings={"lock_timeout": "5s"})
    assert arguments["connect_timeout"] == "1"
    assert arguments["options"].startswith("-c search_path=x ")
    assert "-c lock_timeout=5s" in arguments["options"]
    assert describe(url) == "db:5433/plant"


@pytest.mark.parametrize("limit", [0, 10_001])
def test_limits_are_bounded(limit):
    from datetime import UTC, datetime

    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    with pytest.raises(BadQuery):
        Page(limit=limit)
    with pytest.raises(BadQuery):
        Interval(start=start, end=end, limit=limit)
    with pytest.raises(BadQuery):
        HistoryQuery(asset_id="A", start=start, end=end, max_points=limit)
