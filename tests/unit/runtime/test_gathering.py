"""A turn holds as many bytes as it may, whatever comes; nothing is lost or reordered by the cut."""

from collections.abc import Sequence

import pytest

from forewarn.contracts.limits import MAX_TURN_BYTES, MIB
from forewarn.ports.lanes import Record
from forewarn.runtime.gathering import fitting, size_of


def record(offset: int, value: int | None, key: int | None = 0) -> Record:
    return Record("t", 0, offset, 0, None if key is None else b"k" * key, None if value is None else b"v" * value)


@pytest.mark.parametrize(
    ("sizes", "count"),
    [([], 0), ([8 * MIB] * 5, 2), ([17 * MIB, 1], 1), ([1, 17 * MIB], 1), ([1, 2, 3], 3), ([MAX_TURN_BYTES, 0], 2)],
)
def test_as_many_records_fit_as_have_the_bytes_of_a_turn_and_a_larger_one_alone(sizes: Sequence[int], count):
    assert fitting([record(offset, size) for offset, size in enumerate(sizes)]) == count


def test_keys_count_and_missing_ones_do_not():
    assert size_of([record(0, 5, 7), record(1, None, 3), record(2, 2, None)]) == 17
