import gzip
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forewarn.adapters.tables.reading import read_table
from forewarn.adapters.tables.table import TableError


def write(tmp_path, text, name="t.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_the_delimiter_is_found_and_a_byte_order_mark_is_no_part_of_a_name(tmp_path, delimiter, bom):
    lines = [["time", "a", "b"], ["1", "0.5", "7"], ["2", "", "8"]]
    table = read_table(write(tmp_path, bom + "\n".join(delimiter.join(line) for line in lines) + "\n"), ["time"])
    assert table.names == ("time", "a", "b")
    np.testing.assert_array_equal(table.numbers("a"), [0.5, np.nan])
    assert table.texts("time") == ["1", "2"]


def test_a_decimal_comma_is_read_where_commas_do_not_separate(tmp_path):
    table = read_table(write(tmp_path, "a;b\n1,5;2\n-0,25;3\n"))
    np.testing.assert_array_equal(table.numbers("a"), [1.5, -0.25])


def test_a_column_may_begin_with_whole_numbers_and_go_on_with_others(tmp_path):
    rows = "\n".join(["1"] * 2_000_000 + ["1.5", "nan", "inf", " 7 "])
    values = read_table(write(tmp_path, f"a\n{rows}\n")).numbers("a")
    assert values.size == 2_000_004
    np.testing.assert_array_equal(values[-4:], [1.5, np.nan, np.nan, 7.0])


def test_text_among_numbers_is_refused_with_row_and_column(tmp_path):
    table = read_table(write(tmp_path, "a,b\n1,2\n2,\n3,bad\n4,5\n"))
    assert table.columns["b"].kind == "mixed"
    with pytest.raises(TableError, match=r"column 'b' in row 3: 'bad'"):
        table.numbers("b")


def test_text_constant_and_empty_columns_are_told_apart(tmp_path):
    table = read_table(write(tmp_path, "a,state,c,d\n1,on,3,\n2,off,3,\n3,12,3,\n"))
    assert [table.columns[name].kind for name in table.names] == ["number", "text", "number", "empty"]
    assert np.isnan(table.numbers("d")).all()


def test_a_file_that_is_no_text_is_refused_as_that(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"PK\x03\x04\x00\x00time,a\n1,2\n")
    with pytest.raises(TableError, match="this is no text"):
        read_table(path)


def test_a_nameless_index_column_is_left_out_and_said(tmp_path):
    table = read_table(write(tmp_path, ",a\n0,1\n1,2\n"))
    assert table.names == ("a",)
    assert table.ignored


def test_gzip_is_read_as_it_is(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_table(path).numbers("b").tolist() == [2.0]


def test_names_in_latin_1_are_read(tmp_path):
    assert read_table(write(tmp_path, "temp °C;b\n1;2\n", encoding="latin-1")).names == ("temp °C", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,b\n", "no rows"),
        ("a,b", "no rows"),
        ("a,b,a\n1,2,3\n", "'a' stands twice"),
        ("1,2\n3,4\n", "must name the columns"),
        ("a,b\n1,2\n3\n", "row 2 has 1 values, the header names 2 columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        read_table(write(tmp_path, text))


def test_a_missing_file_and_a_missing_column_are_named(tmp_path):
    with pytest.raises(TableError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(TableError, match="no column 'time'; the file has a, b"):
        read_table(write(tmp_path, "a,b\n1,2\n"), ["time"])


def test_parquet_gives_the_same_as_csv(tmp_path):
    moments = [datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC) for second in range(3)]
    columns = {
        "time": pa.array(moments, pa.timestamp("ms", "UTC")),
        "whole": pa.array([1, None, 3], pa.int16()),
        "real": pa.array([0.5, float("nan"), 1.5], pa.float32()),
        "on": pa.array([True, False, None]),
        "state": pa.array(["a", "b", "a"]).dictionary_encode(),
        "view": pa.array(["1.5", None, "2"], pa.string_view()),
        "nested": pa.array([[1], [2], [3]]),
    }
    path = tmp_path / "t.bin"
    pq.write_table(pa.table(columns), path)
    table = read_table(path, ["time"])
    np.testing.assert_array_equal(table.numbers("whole"), [1, np.nan, 3])
    np.testing.assert_array_equal(table.numbers("on"), [1, 0, np.nan])
    assert np.isnan(table.numbers("real")[1])
    assert table.columns["state"].kind == "text"
    assert table.texts("time")[1].startswith("2026-01-01 00:00:01")
    np.testing.assert_array_equal(table.numbers("view"), [1.5, np.nan, 2.0])
    assert set(table.ignored) == {"nested"}


def test_a_cut_parquet_file_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TableError, match="Parquet"):
        read_table(path)


@pytest.mark.parametrize("above", ["sep=;\n", "\n\n", "\nsep=;\n"])
def test_what_stands_above_the_header_is_passed_over_and_rows_are_counted_below_it(tmp_path, above):
    assert read_table(write(tmp_path, above + "a;b\n1;2\n\n3;4\n")).numbers("b").tolist() == [2.0, 4.0]
    with pytest.raises(TableError, match="row 2 has 3 values"):
        read_table(write(tmp_path, above + "a;b\n1;2\n3;4;5\n"))


def test_a_file_that_is_latin_1_only_far_down_is_read(tmp_path):
    rows = "1;ok\n" * 60_000 + "2;grö\n"
    table = read_table(write(tmp_path, f"a;note\n{rows}", encoding="latin-1"), ["note"])
    assert (table.rows, table.texts("note")[-1]) == (60_001, "grö")


def test_a_column_of_text_is_told_with_a_sample(tmp_path):
    table = read_table(write(tmp_path, 'a,b,c\n"1,5",x,\n"2,5",x,\n'))
    reasons = table.without_numbers(["a", "c"])
    assert reasons == {"a": "text, such as '1,5' in row 1", "c": "empty"}


def test_whole_numbers_beyond_53_bits_are_read(tmp_path):
    nanoseconds = 1_774_742_400_000_000_000
    pq.write_table(pa.table({"ns": [nanoseconds, nanoseconds + 10**9]}), tmp_path / "t.parquet")
    assert np.diff(read_table(tmp_path / "t.parquet").numbers("ns")).tolist() == [1e9]


def test_parquet_columns_without_a_name_or_with_the_name_of_another_are_no_tags(tmp_path):
    values = [pa.array([1.0]), pa.array([2.0])]
    pq.write_table(pa.Table.from_arrays(values, names=["", "a"]), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.names == ("a",)
    assert table.ignored
    pq.write_table(pa.Table.from_arrays(values, names=["a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="'a' stands twice"):
        read_table(tmp_path / "t.parquet")


def test_a_wanted_column_of_a_type_that_cannot_be_used_is_refused_with_its_type(tmp_path):
    pq.write_table(pa.table({"a": [1.0], "list": [[1]]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="column 'list' cannot be used: of type list"):
        read_table(tmp_path / "t.parquet").require(["list"])
