import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forewarn.adapters.fleet_life.recorded_runs import read_runs, read_training_runs
from forewarn.adapters.tables.table import TableError

ROWS = [
    ("pump b", "1", "0.5", "7", "on", "4"),
    ("pump a", "1", "0.1", "7", "on", "4"),
    ("pump b", "2", "0.6", "", "on", "5"),
    ("pump a", "2", "0.2", "9", "off", "5"),
    ("pump a", "4", "0.4", "8", "off", "6"),
]
HEADER = ("machine", "hour", "vib", "temp", "state", "load")


def written(tmp_path, rows=ROWS, header=HEADER, delimiter=","):
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(delimiter.join(row) for row in [header, *rows]) + "\n")
    return path


def read(path, **kwargs):
    return read_training_runs(path, unit="machine", time="hour", **{"drivers": ["load"], **kwargs})


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_rows_are_put_in_order_of_their_units_and_text_is_left_out(tmp_path, delimiter):
    training = read(written(tmp_path, delimiter=delimiter))
    recorded = training.recorded
    assert recorded.names == ("pump b", "pump a")
    assert recorded.runs.starts.tolist() == [0, 2, 5]
    assert recorded.columns.tags == ("vib", "temp")
    np.testing.assert_array_equal(recorded.runs.tags[:, 1], [7, np.nan, 7, 9, 8])
    np.testing.assert_array_equal(recorded.runs.to_the_end, [1, 0, 3, 2, 0])
    assert training.left_out == {"state": "text, such as 'on' in row 1"}
    assert training.failed.all()


def test_constant_empty_and_telltale_columns_are_left_out_with_a_reason(tmp_path):
    rows = [(f"u{u}", str(t), str(np.sin(3 * u + t)), "1", "", str(9 + u - t)) for u in range(3) for t in range(10 + u)]
    path = written(tmp_path, rows, ("machine", "hour", "vib", "const", "none", "RUL"))
    training = read(path, drivers=[])
    assert training.recorded.columns.tags == ("vib",)
    assert training.left_out.keys() == {"const", "none", "RUL"}
    assert "counts down" in training.left_out["RUL"]


def test_moments_become_days(tmp_path):
    rows = [("a", "2026-01-01T00:00:00", "1"), ("a", "2026-01-01T12:00:00", "2"), ("a", "2026-01-03T00:00:00Z", "4")]
    recorded = read(written(tmp_path, rows, ("machine", "hour", "vib")), drivers=[]).recorded
    assert recorded.columns.moments
    assert recorded.columns.life_unit == "days"
    np.testing.assert_allclose(recorded.runs.to_the_end, [2.0, 1.5, 0.0])


def test_parquet_reads_like_csv(tmp_path):
    path = tmp_path / "runs.parquet"
    columns = {"machine": [2, 2, 1, 1], "hour": [1, 2, 1, 2], "vib": [0.1, None, 0.3, 0.4]}
    pq.write_table(pa.table(columns), path)
    recorded = read(path, drivers=[]).recorded
    assert recorded.names == ("2", "1")
    np.testing.assert_array_equal(recorded.runs.tags[:, 0], [0.1, np.nan, 0.3, 0.4])


@pytest.mark.parametrize(
    ("last", "failed"), [("1", False), ("true", False), ("0", True), ("False", True), ("1.0", False), ("no", True)]
)
def test_the_last_row_of_a_unit_says_whether_it_failed(tmp_path, last, failed):
    rows = [("a", "1", "1", "1"), ("a", "2", "2", last), ("b", "1", "3", "0"), ("b", "2", "4", "0")]
    path = written(tmp_path, rows, ("machine", "hour", "vib", "alive"))
    assert read(path, drivers=[], censored="alive").failed.tolist() == [failed, True]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("pump a", "3", "x", "8", "off", "6"), "text in column 'vib' in row 6: 'x'"),
        (("pump a", "3", "0.4", "8", "off", "6"), "goes back in column 'hour' in row 6, for unit 'pump a'; --sort"),
        (("pump b", "2", "0.7", "8", "off", "6"), "stands twice in column 'hour' in row 6, for unit 'pump b'; --sort"),
        (("", "3", "0.4", "8", "off", "6"), "nothing in column 'machine' in row 6"),
        (("pump a", "", "0.4", "8", "off", "6"), "no time in column 'hour' in row 6"),
    ],
)
def test_what_cannot_be_right_is_refused_with_row_and_column(tmp_path, row, message):
    with pytest.raises(TableError, match=message):
        read(written(tmp_path, [*ROWS, row]))


def test_sorting_mends_order_and_exact_duplicates_only(tmp_path):
    mixed = [*ROWS, ("pump a", "3", "0.3", "8", "off", "6"), ROWS[0]]
    runs = read(written(tmp_path, mixed), sort=True).recorded.runs
    np.testing.assert_array_equal(runs.time, [1, 2, 1, 2, 3, 4])
    twice = [*ROWS, ("pump b", "2", "0.7", "8", "off", "6")]
    with pytest.raises(TableError, match=r"twice, with different values, in column 'hour' in row 6.* must be removed"):
        read(written(tmp_path, twice), sort=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drivers": ["speed"]}, "no column 'speed'; the file has machine, hour"),
        ({"censored": "alive"}, "no column 'alive'"),
        ({"censored": "load"}, "'load' is named for two purposes"),
        ({"drivers": [], "censored": "load"}, "column 'load' in row 3 holds '5'.* 1 or true"),
        ({"drivers": ["state"]}, "text in column 'state'"),
        ({"drivers": ["vib", "temp", "load"]}, "no column to learn from is left"),
    ],
)
def test_options_that_do_not_fit_the_file_are_refused(tmp_path, options, message):
    with pytest.raises(TableError, match=message):
        read(written(tmp_path), **options)


def test_a_prediction_reads_the_learned_columns_in_any_order_and_nothing_else(tmp_path):
    columns = read(written(tmp_path)).recorded.columns
    rows = [("new", "80", "1", "x", "2", "0.1"), ("new", "81", "2", "y", "3", "0.2")]
    recorded = read_runs(written(tmp_path, rows, ("machine", "load", "temp", "note", "hour", "vib")), columns)
    np.testing.assert_array_equal(recorded.runs.tags, [[0.1, 1.0], [0.2, 2.0]])
    np.testing.assert_array_equal(recorded.runs.drivers, [[80.0], [81.0]])
    with pytest.raises(TableError, match="no column 'load', 'temp'"):
        read_runs(written(tmp_path, [("new", "1", "0.1")], ("machine", "hour", "vib")), columns)
    moments = [("new", "2026-01-01", "1", "2", "3"), ("new", "2026-01-02", "1", "2", "3")]
    with pytest.raises(TableError, match="holds moments, the model learned from numbers"):
        read_runs(written(tmp_path, moments, ("machine", "hour", "vib", "temp", "load")), columns)
