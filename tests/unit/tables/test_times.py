import numpy as np
import pytest

from forewarn.adapters.tables.reading import read_table
from forewarn.adapters.tables.table import TableError
from forewarn.adapters.tables.times import first_disorder, sorted_rows, times_of

NO_UNIT = np.zeros(8, dtype=np.intp)


def times(tmp_path, values):
    path = tmp_path / "t.csv"
    path.write_text("when,a\n" + "".join(f"{value},1\n" for value in values))
    return times_of(read_table(path, ["when"]), "when")


@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-01 00:00:00", "2026-01-01 00:00:01.5"],
        ["2026-01-01T00:00:00Z", "2026-01-01T01:00:01.500000+01:00"],
        ["2026-01-01", "2026-01-01T00:00:01.5Z"],
        ["20260101T000000", "20260101T000001.5"],
    ],
)
def test_moments_are_seconds_whatever_way_iso_8601_writes_them(tmp_path, values):
    found = times(tmp_path, values)
    assert found.are_moments
    np.testing.assert_allclose(found.values - 1_767_225_600, [0, 1.5])


def test_numbers_are_taken_as_they_are(tmp_path):
    found = times(tmp_path, ["1", "2.5", "1e3"])
    assert not found.are_moments
    assert found.values.tolist() == [1, 2.5, 1000]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2026-01-01", "yesterday"], "column 'when' in row 2 holds 'yesterday'"),
        (["2026-01-01", "", "2026-01-02"], "no time in column 'when' in row 2"),
        (["1", "", "3"], "no time in column 'when' in row 2"),
        (["1", "2", "x"], "column 'when' in row 3: 'x'"),
    ],
)
def test_what_is_no_time_is_refused_with_its_row(tmp_path, values, message):
    with pytest.raises(TableError, match=message):
        times(tmp_path, values)


def test_the_first_row_out_of_order_is_found_unit_by_unit():
    values = np.array([1, 1, 2, 2, 3, 2.5, 3, 4])
    units = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    found = first_disorder(values, units)
    assert (found.row, found.duplicate) == (7, True)
    assert first_disorder(values[:6], units[:6]) is None
    assert first_disorder(np.array([1.0, 3.0, 2.0]), NO_UNIT[:3]).row == 3


def test_sorting_drops_exact_duplicates_only():
    values = np.array([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    column = np.array([30.0, np.nan, 20.0, 21.0, 20.0, np.nan])
    assert sorted_rows(values, NO_UNIT[:6], [column]).tolist() == [1, 2, 3, 5, 0]
    assert sorted_rows(values, np.array([0, 0, 1, 0, 0, 1]), [column]).tolist() == [1, 3, 4, 0, 2, 5]
