"""Reading single rows of frames, and what is no frame."""

import contextlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.frames.rows import FrameReader
from forewarn.contracts.frames import FrameKind
from forewarn.ports.codec import InvalidFrame
from support.api_fakes import CATALOGUE, NOW, PUMP_CLASS, frame

DATA = encode_frame(
    frame(
        FrameKind.VALID,
        ["P-1", "P-2", "P-1", "P-3"],
        NOW,
        flow_m3_h=[1.0, 2.0, 3.0, 4.0],
        late=[False, False, False, True],
        findings=[None, "frozen:power_kw", None, None],
    )
)


def rows(data, kind=FrameKind.VALID):
    return FrameReader(CATALOGUE, kind).open(data)


def changed(change):
    with pa.ipc.open_stream(DATA) as reader:
        table = reader.read_all()
    table = change(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_the_newest_row_of_each_asset_that_is_not_late():
    assert [(name, row) for name, _, row in rows(DATA).newest] == [("P-1", 2), ("P-2", 1)]


def test_a_row_equals_what_the_whole_frame_decodes_to():
    whole = decode_frame(DATA, CATALOGUE, FrameKind.VALID)
    for row in range(4):
        reading = rows(DATA).reading(row)
        assert reading.ts == NOW
        assert reading.findings == whole.strings["findings"].to_list()[row]
        assert reading.values == {name: whole.arrays[name][row] for name in PUMP_CLASS.column_names}
        assert reading.quality == {tag: whole.arrays[f"quality_{tag}"][row] for tag in PUMP_CLASS.tag_names}


def test_columns_of_a_newer_writer_are_ignored():
    data = changed(lambda table: table.append_column("novelty", pa.array([1, 2, 3, 4])))
    assert rows(data).reading(2).values["flow_m3_h"] == 3.0


def test_an_empty_frame_has_no_newest_rows():
    assert rows(encode_frame(frame(FrameKind.VALID, [], NOW))).newest == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda table: table.drop_columns(["flow_m3_h"]), "'flow_m3_h' is missing"),
        (lambda table: table.drop_columns(["late"]), "'late' is missing"),
        (lambda table: table.set_column(3, "seq", pa.array(["a"] * 4)), "'seq' has type string"),
        (lambda table: table.replace_schema_metadata({}), "expected a 'valid' frame"),
        (
            lambda table: table.replace_schema_metadata(
                {**table.schema.metadata, b"forewarn.asset_class": b"perpetuum_mobile"}
            ),
            "not in the catalogue",
        ),
        (
            lambda table: table.set_column(
                0, "asset_id", pa.array(["P-1", None, "P-1", "P-1"]).dictionary_encode()
            ).replace_schema_metadata(table.schema.metadata),
            "must not be null",
        ),
    ],
)
def test_what_lacks_something_is_no_frame(change, complaint):
    with pytest.raises(InvalidFrame, match=complaint):
        rows(changed(change))


def test_a_schema_is_recognised_by_its_bytes_and_another_one_is_not():
    reader = FrameReader(CATALOGUE, FrameKind.VALID)
    assert reader.open(DATA).newest == reader.open(DATA).newest
    shuffled = changed(lambda table: table.select(table.column_names[::-1]))
    assert reader.open(shuffled).reading(2).values == reader.open(DATA).reading(2).values
    with pytest.raises(InvalidFrame, match="missing"):
        reader.open(changed(lambda table: table.drop_columns(["late"])))


@pytest.mark.parametrize("name", [b"flow_m3_h", b"forewarn.kind", b"asset_id"])
def test_a_schema_whose_names_are_no_text_is_refused(name):
    """It was looked at outside of what turns errors into a refusal, and ended the API's feed."""
    with pytest.raises(InvalidFrame):
        rows(DATA.replace(name, b"\xff" * len(name)))


@pytest.mark.parametrize("year", [1969, 2200, 9000])
def test_times_that_no_plant_has_are_refused(year):
    at = NOW.replace(year=year)
    with pytest.raises(InvalidFrame, match="the years 1970 to 2199"):
        rows(encode_frame(frame(FrameKind.VALID, ["P-1"], at)))


def test_a_frame_of_another_kind_is_refused():
    with pytest.raises(InvalidFrame, match="expected a 'anomaly' frame"):
        rows(DATA, FrameKind.ANOMALY)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_frame_are_only_ever_an_invalid_frame(data):
    with pytest.raises(InvalidFrame):
        rows(data)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_damaged_frame_is_read_or_refused_and_nothing_else(position, change):
    damaged = bytearray(DATA)
    damaged[position] ^= change
    with contextlib.suppress(InvalidFrame):
        rows(bytes(damaged))


@given(st.integers(0, len(DATA) - 1))
def test_a_cut_frame_is_read_or_refused_and_nothing_else(size):
    with contextlib.suppress(InvalidFrame):
        rows(DATA[:size])
