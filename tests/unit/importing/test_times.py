"""Times of historians: every usual way to write them, zones, and hours that a clock shows twice or never."""

import numpy as np
import pyarrow as pa
import pytest

from forewarn.adapters.importing.source import Piece
from forewarn.adapters.importing.times import MISSING, NO_SUCH_TIME, UNREADABLE, Dates, TimeReader
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.importing import TimeColumns
from forewarn.domain.importing.clocks import DateEvidence, number_format


def read(texts, *, descending=False, series=None, comma=False, **columns):
    array = texts if isinstance(texts, pa.Array) else pa.array(texts)
    piece = Piece(columns={"t": array}, numbers=np.arange(1, len(array) + 1))
    reader = TimeReader(TimeColumns(columns=("t",), **columns), decimal_comma=comma, descending=descending)
    return reader.read(piece, series)


def moments(found):
    return [str(np.datetime64(us, "us")) for us in found.us.tolist()]


@pytest.mark.parametrize(
    ("text", "time_format", "moment"),
    [
        ("2026-02-01T10:33:05", "text", "2026-02-01T10:33:05.000000"),
        ("2026-02-01 10:33:05.1234567", "text", "2026-02-01T10:33:05.123456"),
        ("2026-02-01T10:33:05Z", "text", "2026-02-01T10:33:05.000000"),
        ("2026-02-01T10:33:05+05:30", "text", "2026-02-01T05:03:05.000000"),
        ("2026-02-01", "text", "2026-02-01T00:00:00.000000"),
        ("2026/02/01 10:33", "text", "2026-02-01T10:33:00.000000"),
        ("01-Feb-26 10:33:05", "text", "2026-02-01T10:33:05.000000"),
        ("1 Mär 2026 10:33", "text", "2026-03-01T10:33:00.000000"),
        ("01.02.2026 10:33:05,5", "day-first", "2026-02-01T10:33:05.500000"),
        ("1/2/2026 1:05 PM", "day-first", "2026-02-01T13:05:00.000000"),
        ("1/2/2026 12:05:00 AM", "month-first", "2026-01-02T00:05:00.000000"),
        ("01/02/98", "day-first", "1998-02-01T00:00:00.000000"),
        ("1770000000", "epoch-s", "2026-02-02T02:40:00.000000"),
        ("1770000000123", "epoch-ms", "2026-02-02T02:40:00.123000"),
        ("1770000000123456", "epoch-us", "2026-02-02T02:40:00.123456"),
        ("1770000000000000000", "epoch-ns", "2026-02-02T02:40:00.000000"),
        ("46054.5", "excel", "2026-02-01T12:00:00.000000"),
    ],
)
def test_a_time_is_read_as_it_was_meant(text, time_format, moment):
    found = read([text], format=time_format)
    assert found.problems == {}
    assert moments(found) == [moment]


def test_elapsed_seconds_count_from_a_start():
    found = read(["0", "1.5"], format="elapsed-s", start="2026-02-01T10:00:00+01:00")
    assert moments(found) == ["2026-02-01T09:00:00.000000", "2026-02-01T09:00:01.500000"]


def test_what_is_no_time_is_named_and_the_others_are_read():
    found = read(["01.02.2026", None, "soon", "31.02.2026", "01.02.2026 24:00", "2026-02-01"], format="day-first")
    assert found.problems == {1: MISSING, 2: UNREADABLE, 3: UNREADABLE, 4: UNREADABLE}
    assert moments(found)[0] == moments(found)[5] == "2026-02-01T00:00:00.000000"


def test_typed_times_of_parquet_keep_their_zone_or_get_one():
    summer = np.datetime64("2026-07-01T12:00:00", "ns")
    assert moments(read(pa.array([summer]), timezone="Europe/Berlin")) == ["2026-07-01T10:00:00.000000"]
    zoned = pa.array([summer]).cast(pa.timestamp("ns", "UTC"))
    assert moments(read(zoned, timezone="Europe/Berlin")) == ["2026-07-01T12:00:00.000000"]


@pytest.mark.parametrize("step", [15, 60])
@pytest.mark.parametrize("descending", [False, True])
def test_the_hour_that_comes_twice_is_told_apart_by_the_order_of_rows(step, descending):
    utc = np.arange(np.datetime64("2026-10-24T22:00"), np.datetime64("2026-10-25T04:00"), np.timedelta64(step, "m"))
    berlin = utc + np.where(utc < np.datetime64("2026-10-25T01:00"), np.timedelta64(2, "h"), np.timedelta64(1, "h"))
    order = slice(None, None, -1 if descending else 1)
    found = read([str(t) for t in berlin[order]], timezone="Europe/Berlin", descending=descending)
    assert found.us.astype("datetime64[us]").tolist() == utc[order].astype("datetime64[us]").tolist()
    assert found.doubled == 2 * 60 // step


def test_the_hour_that_comes_twice_is_told_apart_machine_by_machine():
    found = read(["2026-10-25T02:30", "2026-10-25T02:10"], timezone="Europe/Berlin", series=["P-1", "P-2"])
    assert moments(found) == ["2026-10-25T00:30:00.000000", "2026-10-25T00:10:00.000000"]


def test_a_time_that_clocks_never_showed_is_refused():
    found = read(["2026-03-29T01:59", "2026-03-29T02:30", "2026-03-29T03:00"], timezone="Europe/Berlin")
    assert found.problems == {1: NO_SUCH_TIME}


def test_an_unknown_zone_is_refused_with_examples():
    with pytest.raises(TableError, match="'Middle/Earth' is not known: write it as Europe/Berlin"):
        read(["2026-03-29"], timezone="Middle/Earth")


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["31/12/2026", "01/02/2026"], "day-first"),
        (["12/31/2026", "01/02/2026"], "month-first"),
        (["01/02/2026", "03/04/2026"], None),
        (["31/12/2026", "12/31/2026"], None),
        (["01.02.2026"], "day-first"),
        (["2026/02/01"], "text"),
        (["01-Feb-2026"], "text"),
        (["nothing"], "text"),
    ],
)
def test_the_order_of_day_and_month_is_known_only_where_it_is_certain(texts, order):
    assert Dates.of(pa.array(texts)).evidence.order == order


def test_evidence_of_two_pieces_counts_together():
    assert (DateEvidence(first=3, second=4, dotted=False) | DateEvidence(first=13, second=1)).order == "day-first"


@pytest.mark.parametrize(
    ("low", "high", "time_format"),
    [
        (1.7e9, 1.8e9, "epoch-s"),
        (1.7e12, 1.8e12, "epoch-ms"),
        (1.7e15, 1.8e15, "epoch-us"),
        (1.7e18, 1.8e18, "epoch-ns"),
        (45_000, 46_500.5, "excel"),
        (0, 5_000, None),
        (20_260_101, 20_261_231, None),
    ],
)
def test_numbers_are_moments_only_where_they_can_mean_one_thing(low, high, time_format):
    assert number_format(low, high) == time_format
