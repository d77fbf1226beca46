"""Messages of a turn become one frame a class, and what is no frame does not stop its neighbours."""

import numpy as np
import pyarrow as pa

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.frames.schema import arrow_schema
from forewarn.adapters.frames.turn import read_turn
from forewarn.contracts.frames import FrameKind
from forewarn.ports.lanes import Record
from forewarn.testing.frames import anomaly_frame, timestamps_us

CATALOGUE = load_catalogue()


def message(value, partition=0, offset=0):
    return Record("anomaly.scores", partition, offset, received_us=1_795_000_000_000_000, key=None, value=value)


def frame_of(assets, asset_class="centrifugal_pump", **columns):
    return anomaly_frame(CATALOGUE[asset_class], assets, timestamps_us(len(assets)), columns)


def with_null_time(frame):
    """Sound buffers, right columns, but a row without event time."""
    data = encode_frame(frame)
    with pa.ipc.open_stream(data) as reader:
        batch = reader.read_next_batch()
    schema = arrow_schema(FrameKind.ANOMALY, frame.asset_class)
    place = schema.get_field_index("ts")
    times = pa.array([None] * frame.rows, type=schema.field(place).type)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch.set_column(place, schema.field(place), times))
    return sink.getvalue().to_pybytes()


def read(messages):
    return read_turn(messages, CATALOGUE, FrameKind.ANOMALY)


def test_messages_of_a_class_are_joined_in_their_order_whatever_their_partition():
    first, second = frame_of(["P-1", "P-2"], score=[1.0, 2.0]), frame_of(["P-3", "P-2"], score=[3.0, 4.0])
    other = frame_of(["CH-1"], "chiller")
    turn = read([message(encode_frame(frame), k) for k, frame in enumerate([first, other, second])])
    pumps, chillers = turn.frames
    assert pumps.frame.assets.to_list() == ["P-1", "P-2", "P-3", "P-2"]
    assert pumps.frame.arrays["score"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert chillers.frame.assets.to_list() == ["CH-1"]
    assert turn.unreadable == ()


def test_each_asset_has_the_partition_its_newest_message_came_from():
    messages = [message(encode_frame(frame_of(assets)), p) for p, assets in ((3, ["P-1", "P-2"]), (7, ["P-2"]))]
    (pumps,) = read(messages).frames
    assert {name: pumps.partitions[name] for name in ("P-1", "P-2")} == {"P-1": 3, "P-2": 7}


def test_what_is_no_frame_is_told_apart_with_the_reason():
    good = message(encode_frame(frame_of(["P-1"])), offset=1)
    bad = [message(value, offset=k + 2) for k, value in enumerate([None, b"", b"x" * 100])]
    turn = read([bad[0], good, *bad[1:]])
    assert [incoming.offset for incoming, _ in turn.unreadable] == [2, 3, 4]
    assert all(reason for _, reason in turn.unreadable)
    assert turn.frames[0].frame.rows == 1


def test_a_null_where_none_may_be_costs_its_own_message_only():
    good = frame_of(["P-1"], score=[5.0])
    turn = read([message(encode_frame(good), offset=1), message(with_null_time(good), offset=2)])
    assert [(incoming.offset, reason) for incoming, reason in turn.unreadable] == [(2, "column 'ts' must not be null")]
    assert np.array_equal(turn.frames[0].frame.arrays["score"], [5.0])


def test_a_turn_of_nothing_but_nulls_has_no_frame():
    turn = read([message(with_null_time(frame_of(["P-1"])))])
    assert turn.frames == ()
    assert len(turn.unreadable) == 1
