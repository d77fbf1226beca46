"""Arrow's own conversions are the reference; only pandas must stay out."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forewarn.adapters.frames.buffers import from_numpy, texts, to_numpy

TYPES = {
    np.float64: pa.float64(),
    np.float32: pa.float32(),
    np.int64: pa.int64(),
    np.int32: pa.int32(),
    np.uint32: pa.uint32(),
    np.uint8: pa.uint8(),
    np.bool_: pa.bool_(),
}
COLUMNS = st.sampled_from(list(TYPES)).flatmap(lambda kind: hnp.arrays(kind, st.integers(0, 40)))


@given(COLUMNS, st.data())
def test_a_column_becomes_what_arrow_makes_of_it(values, data):
    missing = data.draw(hnp.arrays(np.bool_, values.size))
    dtype = TYPES[values.dtype.type]
    for mask in (None, missing):
        made = from_numpy(values, dtype, mask)
        made.validate(full=True)
        # NaN is a value here; two of them are compared by their bytes.
        assert made.cast(pa.string()).equals(pa.array(values, type=dtype, mask=mask).cast(pa.string()))


@given(COLUMNS, st.data())
def test_any_slice_of_a_column_is_read_back(values, data):
    dtype = TYPES[values.dtype.type]
    start = data.draw(st.integers(0, values.size))
    stop = data.draw(st.integers(start, values.size))
    missing = data.draw(hnp.arrays(np.bool_, values.size))
    array = pa.array(values, type=dtype)
    np.testing.assert_array_equal(to_numpy(array[start:stop], values.dtype), values[start:stop])
    gaps = pa.array(values, type=dtype, mask=missing)[start:stop]
    wanted = np.where(missing, values.dtype.type(1), values)[start:stop]
    np.testing.assert_array_equal(to_numpy(gaps, values.dtype, null=1), wanted)


def test_a_column_that_does_not_lie_in_one_piece_is_copied():
    every_other = np.arange(10.0)[::2]
    assert from_numpy(every_other, pa.float64()).to_pylist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_a_column_of_another_system_without_values_is_empty():
    assert to_numpy(pa.nulls(0, pa.float64()), np.dtype(np.float64)).size == 0


@given(st.lists(st.text()))
def test_texts_are_what_arrow_makes_of_them(values):
    made = texts(values)
    made.validate(full=True)
    assert made.to_pylist() == values


WITHOUT_PANDAS = """
import sys
from forewarn.adapters.frames.codec import decode_frame, encode_by_partition, encode_frame
from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.turn import read_frames
from forewarn.adapters.frames.rows import FrameRows
from forewarn.contracts.frames import FrameKind
from forewarn.ports.lanes import Record
from forewarn.testing.examples import GOLDEN_CLASS, example_frame

catalogue = load_catalogue()
for kind in FrameKind:
    data = encode_frame(example_frame(kind, catalogue[GOLDEN_CLASS]))
    decode_frame(data, catalogue, kind)
    if kind is not FrameKind.TWIN:  # the live view reads the others
        FrameRows.read(data, catalogue, kind)
    record = Record(topic="t", partition=7, offset=0, received_us=0, key=None, value=data)
    [(partition, _)] = encode_by_partition(read_frames([record], catalogue, kind).frames[0])
    assert partition == 7
FrameRows.read(data, catalogue, FrameKind.ANOMALY).judgement(0)
print("pandas" in sys.modules)
"""


@pytest.mark.parametrize(("first", "imported"), [("", "False"), ("import pyarrow; pyarrow.array([1])", "True")])
def test_frames_are_written_and_read_without_pandas(first, imported):
    """It would cost every start of a process a second; ``first`` proves that the test would see it."""
    run = subprocess.run(
        [sys.executable, "-c", f"{first}\n{WITHOUT_PANDAS}"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == imported
