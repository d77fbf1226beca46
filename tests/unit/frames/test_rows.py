"""Reading single rows of frames."""

import pyarrow as pa
import pytest

from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.frames.rows import FrameRows
from forewarn.contracts.frames import FrameKind
from forewarn.ports.codec import InvalidFrame
from forewarn.testing.api_examples import CATALOGUE, NOW, PUMP_CLASS, frame

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
    return FrameRows.read(data, CATALOGUE, kind)


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


def test_an_empty_frame_has_no_newest_rows():
    assert rows(encode_frame(frame(FrameKind.VALID, [], NOW))).newest == ()


def test_a_schema_is_recognised_by_its_bytes_and_another_one_is_not():
    assert rows(DATA).newest == rows(DATA).newest
    shuffled = changed(lambda table: table.select(table.column_names[::-1]))
    assert rows(shuffled).reading(2).values == rows(DATA).reading(2).values
    with pytest.raises(InvalidFrame, match="missing"):
        rows(changed(lambda table: table.drop_columns(["late"])))
