"""One behaviour of every reader of frames: sink, processors, event services and live view."""

import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.frames.rows import FrameRows
from forewarn.adapters.frames.turn import read_frames, read_turn
from forewarn.contracts.frames import (
    JUDGEMENT,
    FrameKind,
    contribution_column,
    expected_column,
    quality_column,
    residual_column,
)
from forewarn.contracts.quality import StatusCode
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.frame import Frame
from forewarn.domain.frames.partitions import asset_of
from forewarn.domain.time import to_microseconds
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.lanes import Record
from forewarn.testing.examples import example_frame
from forewarn_sink.decoding import ItemDecoder

CATALOGUE = load_catalogue()
PUMP = CATALOGUE["centrifugal_pump"]
TOPICS = {FrameKind.VALID: TopicName.READINGS_VALID, FrameKind.ANOMALY: TopicName.ANOMALY_SCORES}
KINDS = list(TOPICS)
GAINED = "bearing_temp_c"


def record(data, kind=FrameKind.VALID):
    return Record(topic=TOPICS[kind].value, partition=3, offset=0, received_us=0, key=b"P-101", value=data)


def codec(data, kind):
    return of_frame(decode_frame(data, CATALOGUE, kind))


def sink(data, kind):
    content = ItemDecoder(CATALOGUE, "").decode(record(data, kind)).content
    if isinstance(content, RejectedReading):
        raise InvalidFrame(content.explanation)
    assert isinstance(content, Frame)
    return of_frame(content)


def processors(data, kind):
    read = read_frames([record(data, kind)], CATALOGUE, kind)
    for letter in read.dead_letters:
        raise InvalidFrame(RejectedReading.model_validate_json(letter.value).explanation)
    return of_frame(read.frames[0])


def event_services(data, kind):
    turn = read_turn([record(data, kind)], CATALOGUE, kind)
    for _, problem in turn.unreadable:
        raise InvalidFrame(problem)
    return of_frame(turn.frames[0].frame)


def live_view(data, kind):
    rows = FrameRows.read(data, CATALOGUE, kind)
    return {asset_id: of_live(kind, rows, row) for asset_id, _, row in rows.newest}


READERS = [codec, sink, processors, event_services, live_view]
every_reader = pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def of_frame(frame):
    """Newest row of each asset, with the columns that the live view shows."""
    newest = {}
    for row in np.flatnonzero(~frame.arrays["late"]):
        name = frame.assets.to_list()[row]
        columns = {name: values[row].item() for name, values in frame.arrays.items()}
        texts = {name: strings.to_list()[row] for name, strings in frame.strings.items() if name != "asset_id"}
        shown = {**columns, **texts}
        for hidden in ("seq", "late", "verdict", "historical", *(["received_at"] if "score" in shown else [])):
            del shown[hidden]
        newest[asset_of(name) if "/" in name else name] = {
            name: None if isinstance(value, float) and math.isnan(value) else value for name, value in shown.items()
        }
    return newest


def of_live(kind, rows, row):
    if kind is FrameKind.VALID:
        reading = rows.reading(row)
        qualities = {quality_column(tag): code for tag, code in reading.quality.items()}
        times = {"ts": to_microseconds(reading.ts), "received_at": to_microseconds(reading.received_at)}
        return {**times, **reading.values, **qualities, "findings": reading.findings}
    judged = rows.judgement(row)
    per_response = {
        column(name): value
        for column, values in (
            (expected_column, judged.expected),
            (residual_column, judged.residual),
            (contribution_column, judged.contribution),
        )
        for name, value in values.items()
    }
    words = {"phase": ("baseline", "live"), "hint": ("none", "asset_fault", "sensor_fault")}
    summary = {column.name: getattr(judged, column.name) for column in JUDGEMENT}
    summary |= {name: codes.index(summary[name]) for name, codes in words.items()}
    return {"ts": to_microseconds(judged.ts), **judged.values, **per_response, **summary}


def table_of(kind=FrameKind.VALID, rows=4):
    with pa.ipc.open_stream(encode_frame(example_frame(kind, PUMP, rows))) as reader:
        return reader.read_all()


def bytes_of(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def with_metadata(table, **changes):
    names = {f"forewarn.{name}".encode(): value.encode() for name, value in changes.items()}
    return table.replace_schema_metadata({**table.schema.metadata, **names})


def with_column(table, name, values):
    position = table.schema.get_field_index(name)
    return table.set_column(position, table.schema.field(name).with_type(values.type), values)


@every_reader
@every_kind
def test_every_reader_sees_the_same(read, kind):
    data = encode_frame(example_frame(kind, PUMP))
    assert read(data, kind) == codec(data, kind)


@every_reader
@every_kind
def test_what_a_class_has_gained_since_is_unknown_in_an_old_frame(read, kind):
    """In a rolling upgrade the writers may be older than the reader; the live view showed nothing of them."""
    new = [name for name in table_of(kind).column_names if name.endswith(GAINED)]
    seen, whole = (read(bytes_of(t), kind) for t in (table_of(kind).drop_columns(new), table_of(kind)))
    assert len(new) == {FrameKind.VALID: 2, FrameKind.ANOMALY: 4}[kind]
    for asset_id, columns in whole.items():
        unknown = {name: StatusCode.BAD_NO_DATA if name.startswith("quality_") else None for name in new}
        assert seen[asset_id] == {**columns, **unknown}
    assert any(columns[GAINED] is not None for columns in whole.values())


@every_reader
@every_kind
def test_what_a_class_has_lost_since_is_ignored_in_an_old_frame(read, kind):
    """To the reader, a tag that its class lost is a column it never heard of."""
    table, values = table_of(kind), pa.array([1.0] * 4)
    old = table.append_column("lost_c", values).append_column("quality_lost_c", values.cast(pa.uint32()))
    assert read(bytes_of(old), kind) == read(bytes_of(table), kind)


@every_reader
@every_kind
def test_columns_of_a_newer_writer_are_ignored(read, kind):
    newer = table_of(kind).add_column(0, "added_in_v2", pa.array(["x"] * 4))
    assert read(bytes_of(newer), kind) == read(bytes_of(table_of(kind)), kind)


@every_reader
@every_kind
def test_columns_may_come_in_another_order(read, kind):
    table = table_of(kind)
    assert read(bytes_of(table.select(table.column_names[::-1])), kind) == read(bytes_of(table), kind)


@every_reader
@every_kind
def test_a_frame_from_before_there_were_imports_holds_live_readings(read, kind):
    old = bytes_of(table_of(kind).drop_columns(["historical"]))
    assert read(old, kind) == read(bytes_of(table_of(kind)), kind)
    assert not decode_frame(old, CATALOGUE, kind).arrays["historical"].any()


@every_reader
@pytest.mark.parametrize("name", ["asset_id", "ts", "late", "findings"])
def test_a_missing_column_is_refused_by_name(read, name):
    with pytest.raises(InvalidFrame, match=f"column '{name}' is missing"):
        read(bytes_of(table_of().drop_columns([name])), FrameKind.VALID)


@every_reader
def test_a_column_that_is_there_twice_is_refused(read):
    table = table_of()
    with pytest.raises(InvalidFrame, match="column 'flow_m3_h' is there more than once"):
        read(bytes_of(table.append_column("flow_m3_h", table.column("flow_m3_h"))), FrameKind.VALID)


@every_reader
def test_a_wrong_type_is_refused_with_both_types(read):
    changed = with_column(table_of(), "flow_m3_h", table_of().column("flow_m3_h").cast(pa.float32()))
    with pytest.raises(InvalidFrame, match="column 'flow_m3_h' has type float, expected double"):
        read(bytes_of(changed), FrameKind.VALID)


@every_reader
@pytest.mark.parametrize("name", ["asset_id", "ts", "late", "quality_flow_m3_h"])
def test_a_null_that_must_not_be_is_refused(read, name):
    table = table_of()
    values, dtype = [table.column(name)[0].as_py(), None, None, None], table.schema.field(name).type
    nulls = pa.array(values).dictionary_encode() if name == "asset_id" else pa.array(values, type=dtype)
    with pytest.raises(InvalidFrame, match=f"column '{name}' must not be null"):
        read(bytes_of(with_column(table, name, nulls)), FrameKind.VALID)


@every_reader
def test_a_null_among_the_categories_is_refused(read):
    names = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1], pa.int32()), pa.array(["P-101", None]))
    with pytest.raises(InvalidFrame, match="column 'asset_id' has a null in its dictionary"):
        read(bytes_of(with_column(table_of(), "asset_id", names)), FrameKind.VALID)


@every_reader
def test_an_unknown_class_is_refused_with_the_known_ones(read):
    with pytest.raises(InvalidFrame, match=r"'teapot' is not in the catalogue \(.*centrifugal_pump"):
        read(bytes_of(with_metadata(table_of(), asset_class="teapot")), FrameKind.VALID)


@every_reader
@pytest.mark.parametrize("changes", [{"version": "2"}, {"version": ""}, {"kind": "twin"}, {"kind": "bananas"}], ids=str)
def test_another_version_or_kind_is_refused(read, changes):
    with pytest.raises(InvalidFrame, match=r"expected a 'valid' frame of version 1, found"):
        read(bytes_of(with_metadata(table_of(), **changes)), FrameKind.VALID)


@every_reader
def test_arrow_data_of_somebody_else_is_refused(read):
    with pytest.raises(InvalidFrame, match="expected a 'valid' frame"):
        read(bytes_of(pa.table({"x": [1.0]})), FrameKind.VALID)


@every_reader
def test_two_batches_are_no_frame(read):
    table = pa.concat_tables([table_of(), table_of()])
    with pytest.raises(InvalidFrame, match="one record batch, this one has 2"):
        read(bytes_of(table), FrameKind.VALID)


@every_reader
@pytest.mark.parametrize(("column", "code"), [("verdict", 2), ("phase", 2), ("hint", 3)])
def test_a_code_without_a_meaning_is_refused(read, column, code):
    kind = FrameKind.VALID if column == "verdict" else FrameKind.ANOMALY
    codes = pa.array([code] * 4, type=pa.uint8())
    with pytest.raises(InvalidFrame, match=f"column '{column}' has the code {code}, the largest is {code - 1}"):
        read(bytes_of(with_column(table_of(kind), column, codes)), kind)


@every_reader
@pytest.mark.parametrize("year", [1969, 2200, 9000])
def test_times_that_no_plant_has_are_refused(read, year):
    times = pa.array([datetime(year, 6, 1, tzinfo=UTC)] * 4, type=pa.timestamp("us", tz="UTC"))
    with pytest.raises(InvalidFrame, match="column 'ts' has a time outside of the years 1970 to 2199"):
        read(bytes_of(with_column(table_of(), "ts", times)), FrameKind.VALID)


@every_reader
def test_a_schema_that_readers_would_remember_is_bounded(read):
    with pytest.raises(InvalidFrame, match="more than 262144 bytes"):
        read(bytes_of(with_metadata(table_of(), note="x" * 300_000)), FrameKind.VALID)


GOOD = encode_frame(example_frame(FrameKind.VALID, PUMP))


@every_reader
@pytest.mark.parametrize("name", [b"flow_m3_h", b"forewarn.kind", b"asset_id"])
def test_a_schema_whose_names_are_no_text_is_refused(read, name):
    with pytest.raises(InvalidFrame):
        read(GOOD.replace(name, b"\xff" * len(name)), FrameKind.VALID)


@every_reader
@pytest.mark.parametrize("junk", [b"", b"\x00" * 8, b"ARROW1\x00\x00", b'{"asset_id":"P-101"}'], ids=str)
def test_bytes_that_are_no_stream_are_refused(read, junk):
    with pytest.raises(InvalidFrame):
        read(junk, FrameKind.VALID)


@every_reader
@given(data=st.binary(max_size=400))
def test_any_bytes_are_refused_and_nothing_else_happens(read, data):
    with pytest.raises(InvalidFrame):
        read(data, FrameKind.VALID)


@every_reader
@given(length=st.integers(0, len(GOOD) - 1))
def test_a_truncated_frame_is_refused_and_nothing_else_happens(read, length):
    try:
        read(GOOD[:length], FrameKind.VALID)
    except InvalidFrame:
        return
    assert GOOD[length:].strip(b"\x00\xff") == b"", "a frame was accepted although data was cut off"


@every_reader
@given(damage=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(1, 255)), min_size=1, max_size=4))
@settings(max_examples=200)
def test_a_damaged_frame_is_read_or_refused_and_nothing_else_happens(read, damage):
    damaged = bytearray(GOOD)
    for position, bits in damage:
        damaged[position] ^= bits
    try:
        seen = read(bytes(damaged), FrameKind.VALID)
    except InvalidFrame:
        return
    assert all(isinstance(asset_id, str) for asset_id in seen)
