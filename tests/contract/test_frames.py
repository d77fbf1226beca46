"""Frames on the wire: golden files still decode, what does not fit is refused with a clear message."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import arrow_schema, decode_frame, encode_frame, join_frames, open_frame
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.quality import StatusCode
from forewarn.domain.frame import concat
from forewarn.ports.codec import InvalidFrame
from forewarn.testing.examples import GOLDEN_CLASS, content, example_frame, golden_name, write_missing

GOLDEN = Path(__file__).parents[2] / "schemas/examples/frames"
CATALOGUE = load_catalogue()
PUMP = CATALOGUE[GOLDEN_CLASS]


def _table(kind=FrameKind.VALID):
    with pa.ipc.open_stream(encode_frame(example_frame(kind, PUMP))) as reader:
        return reader.read_all()


def _bytes(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _with_metadata(**changes):
    table = _table()
    names = {f"forewarn.{name}".encode(): value.encode() for name, value in changes.items()}
    return _bytes(table.replace_schema_metadata({**table.schema.metadata, **names}))


def _assert_same(one, other):
    assert one.arrays.keys() == other.arrays.keys()
    for name, values in one.arrays.items():
        np.testing.assert_array_equal(values, other.arrays[name], err_msg=name)
    assert {n: s.to_list() for n, s in one.strings.items()} == {n: s.to_list() for n, s in other.strings.items()}


@pytest.mark.parametrize("kind", FrameKind)
def test_a_golden_frame_still_decodes(kind):
    path = GOLDEN / golden_name(kind)
    read = content(decode_frame(path.read_bytes(), CATALOGUE, kind))
    written = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert {name: values for name, values in read.items() if name in written} == written


def test_there_is_a_golden_frame_for_every_kind_and_nothing_else(tmp_path):
    assert {p.name for p in GOLDEN.glob("*.arrow")} == {golden_name(kind) for kind in FrameKind}
    assert {p.stem for p in GOLDEN.glob("*.json")} == {p.stem for p in GOLDEN.glob("*.arrow")}
    assert list(write_missing(GOLDEN)) == []
    assert len(list(write_missing(tmp_path))) == len(FrameKind)


@given(kind=st.sampled_from(list(FrameKind)), name=st.sampled_from(sorted(CATALOGUE)), rows=st.integers(1, 50))
def test_a_frame_survives_the_wire(kind, name, rows):
    frame = example_frame(kind, CATALOGUE[name], rows)
    _assert_same(decode_frame(encode_frame(frame), CATALOGUE, kind), frame)


@pytest.mark.parametrize("kind", FrameKind)
def test_the_wire_has_the_described_columns(kind):
    assert _table(kind).schema.equals(arrow_schema(kind, PUMP), check_metadata=True)


def test_a_column_of_a_newer_writer_is_ignored():
    table = _table().append_column("added_in_v2", pa.array(["x"] * 4))
    _assert_same(decode_frame(_bytes(table), CATALOGUE, FrameKind.VALID), example_frame(FrameKind.VALID, PUMP))


def test_columns_may_come_in_another_order():
    table = _table()
    table = table.select(table.column_names[::-1])
    _assert_same(decode_frame(_bytes(table), CATALOGUE, FrameKind.VALID), example_frame(FrameKind.VALID, PUMP))


@pytest.mark.parametrize("name", ["asset_id", "ts", "late", "findings"])
def test_a_missing_column_is_refused_by_name(name):
    with pytest.raises(InvalidFrame, match=f"column '{name}' is missing"):
        decode_frame(_bytes(_table().drop_columns([name])), CATALOGUE, FrameKind.VALID)


@pytest.mark.parametrize("kind", FrameKind)
def test_a_frame_from_before_there_were_imports_holds_live_readings(kind):
    read = decode_frame(_bytes(_table(kind).drop_columns(["historical"])), CATALOGUE, kind)
    assert read.arrays["historical"].tolist() == [False] * read.rows


@pytest.mark.parametrize("kind", FrameKind)
def test_what_a_class_has_gained_since_is_unknown_in_an_old_frame(kind):
    table, gained = _table(kind), "bearing_temp_c"
    new = [name for name in table.column_names if name.endswith(gained)]
    read = decode_frame(_bytes(table.drop_columns(new)), CATALOGUE, kind)
    for name in new:
        values = read.arrays[name]
        assert (values == StatusCode.BAD_NO_DATA).all() if name.startswith("quality_") else np.isnan(values).all()
    assert np.isfinite(read.arrays["flow_m3_h"]).any()
    assert len(new) == {FrameKind.VALID: 2, FrameKind.TWIN: 3, FrameKind.ANOMALY: 4}[kind]


def test_a_wrong_type_is_refused_with_both_types():
    table = _table()
    position = table.schema.get_field_index("flow_m3_h")
    changed = table.set_column(position, "flow_m3_h", table.column("flow_m3_h").cast(pa.float32()))
    with pytest.raises(InvalidFrame, match="column 'flow_m3_h' has type float, expected double"):
        decode_frame(_bytes(changed), CATALOGUE, FrameKind.VALID)


def test_a_row_without_an_asset_is_refused():
    table = _table()
    names = pa.array(["P-101", None, "P-101", "P-102"]).dictionary_encode()
    with pytest.raises(InvalidFrame, match="column 'asset_id' must not be null"):
        decode_frame(_bytes(table.set_column(0, table.schema.field(0), names)), CATALOGUE, FrameKind.VALID)


def test_a_null_among_the_categories_is_refused():
    table = _table()
    names = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1], pa.int32()), pa.array(["P-101", None]))
    with pytest.raises(InvalidFrame, match="column 'asset_id' has a null in its dictionary"):
        decode_frame(_bytes(table.set_column(0, table.schema.field(0), names)), CATALOGUE, FrameKind.VALID)


def test_many_frames_are_joined_as_one_by_one():
    frames = [example_frame(FrameKind.VALID, PUMP, rows) for rows in (1, 7, 4)]
    joined = join_frames([open_frame(encode_frame(frame), CATALOGUE, FrameKind.VALID) for frame in frames])
    _assert_same(joined, concat(frames))


def test_an_unknown_class_is_refused_with_the_known_ones():
    with pytest.raises(InvalidFrame, match=r"'teapot' is not in the catalogue \(.*centrifugal_pump"):
        decode_frame(_with_metadata(asset_class="teapot"), CATALOGUE, FrameKind.VALID)


@pytest.mark.parametrize("changes", [{"version": "2"}, {"version": ""}, {"kind": "twin"}, {"kind": "bananas"}])
def test_another_version_or_kind_is_refused(changes):
    with pytest.raises(InvalidFrame, match=r"expected a 'valid' frame of version 1, found"):
        decode_frame(_with_metadata(**changes), CATALOGUE, FrameKind.VALID)


def test_arrow_data_of_somebody_else_is_refused():
    with pytest.raises(InvalidFrame, match="expected a 'valid' frame"):
        decode_frame(_bytes(pa.table({"x": [1.0]})), CATALOGUE, FrameKind.VALID)


@pytest.mark.parametrize("junk", [b"", b"\x00" * 8, b"ARROW1\x00\x00", b'{"asset_id":"P-101"}'])
def test_bytes_that_are_no_stream_are_refused(junk):
    with pytest.raises(InvalidFrame):
        decode_frame(junk, CATALOGUE, FrameKind.VALID)


GOOD_BYTES = encode_frame(example_frame(FrameKind.VALID, PUMP))


@given(length=st.integers(0, len(GOOD_BYTES) - 1))
def test_a_truncated_frame_is_refused_and_nothing_else_happens(length):
    try:
        decode_frame(GOOD_BYTES[:length], CATALOGUE, FrameKind.VALID)
    except InvalidFrame:
        return
    missing = GOOD_BYTES[length:]
    assert missing.strip(b"\x00\xff") == b"", "a frame was accepted although data was cut off"


@given(damage=st.lists(st.tuples(st.integers(0, len(GOOD_BYTES) - 1), st.integers(1, 255)), min_size=1, max_size=4))
@settings(max_examples=500)
def test_a_damaged_frame_is_read_or_refused_and_nothing_else_happens(damage):
    damaged = bytearray(GOOD_BYTES)
    for position, bits in damage:
        damaged[position] ^= bits
    try:
        frame = decode_frame(bytes(damaged), CATALOGUE, FrameKind.VALID)
    except InvalidFrame:
        return
    assert [strings.to_list() for strings in frame.strings.values()]
