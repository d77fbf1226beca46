"""What a turn's messages hold: machines of several partitions in one frame, and dead letters."""

import pyarrow as pa

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import MAX_ROWS, decode_frame, encode_by_partition, encode_frame
from forewarn.adapters.frames.turn import read_frames
from forewarn.contracts.frames import FrameKind
from forewarn.domain.frames.frame import concat
from forewarn.ports.lanes import Record
from forewarn.testing.examples import example_frame

CATALOGUE = load_catalogue()
PUMP, CHILLER = CATALOGUE["centrifugal_pump"], CATALOGUE["chiller"]


def record(partition: int, value: bytes | None, offset: int = 0) -> Record:
    return Record(topic="t", partition=partition, offset=offset, received_us=0, key=None, value=value)


def without_an_asset(data: bytes) -> bytes:
    with pa.ipc.open_stream(data) as reader:
        table = reader.read_all()
    nobody = pa.array([None] * table.num_rows, pa.utf8()).dictionary_encode()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.set_column(0, table.schema.field(0), nobody))
    return sink.getvalue().to_pybytes()


def test_frames_of_a_class_become_one_in_which_an_asset_is_named_by_partition_too():
    pumps = [example_frame(FrameKind.VALID, PUMP, rows) for rows in (2, 3)]
    chiller = example_frame(FrameKind.VALID, CHILLER, 2)
    records = [record(7, encode_frame(pumps[0])), record(3, encode_frame(chiller)), record(11, encode_frame(pumps[1]))]

    read = read_frames(records, CATALOGUE, FrameKind.VALID)

    assert [frame.asset_class.name for frame in read.frames] == ["centrifugal_pump", "chiller"]
    assert read.frames[0].assets.to_list() == ["7/P-101", "7/P-102", "11/P-101", "11/P-102", "11/P-101"]
    assert read.frames[1].assets.to_list() == ["3/P-101", "3/P-102"]


def test_one_unsound_message_among_others_is_the_only_dead_letter():
    good = encode_frame(example_frame(FrameKind.VALID, PUMP, 2))
    records = [record(0, good, 1), record(1, without_an_asset(good), 2), record(2, None, 3), record(3, good, 4)]

    read = read_frames(records, CATALOGUE, FrameKind.VALID)

    assert [frame.rows for frame in read.frames] == [4]
    assert {frame.assets.to_list()[0] for frame in read.frames} == {"0/P-101"}
    assert len(read.dead_letters) == 2


def test_only_unsound_messages_leave_no_frame():
    bad = without_an_asset(encode_frame(example_frame(FrameKind.VALID, PUMP, 2)))

    read = read_frames([record(0, bad)], CATALOGUE, FrameKind.VALID)

    assert read.frames == ()
    assert len(read.dead_letters) == 1


def test_a_frame_goes_back_to_its_partitions_under_the_names_of_its_assets():
    records = [record(p, encode_frame(example_frame(FrameKind.VALID, PUMP, 3))) for p in (4, 9, 4)]
    (frame,) = read_frames(records, CATALOGUE, FrameKind.VALID).frames

    messages = dict(encode_by_partition(concat([frame, frame])))

    found = {p: decode_frame(value, CATALOGUE, FrameKind.VALID) for p, value in messages.items()}
    assert {p: frame.rows for p, frame in found.items()} == {4: 12, 9: 6}
    assert found[9].assets.to_list() == ["P-101", "P-102", "P-101"] * 2
    assert found[9].assets.categories == ("P-101", "P-102")
    assert (
        found[9].strings["findings"].to_list()
        == example_frame(FrameKind.VALID, PUMP, 3).strings["findings"].to_list() * 2
    )


def test_a_large_frame_is_cut_into_messages_below_the_size_limit():
    (frame,) = read_frames(
        [record(5, encode_frame(example_frame(FrameKind.VALID, PUMP, MAX_ROWS + 1)))], CATALOGUE, FrameKind.VALID
    ).frames

    messages = encode_by_partition(frame)

    assert [partition for partition, _ in messages] == [5, 5]
    assert [decode_frame(value, CATALOGUE, FrameKind.VALID).rows for _, value in messages] == [MAX_ROWS, 1]


def test_no_rows_make_no_message():
    (frame,) = read_frames(
        [record(5, encode_frame(example_frame(FrameKind.VALID, PUMP, 0)))], CATALOGUE, FrameKind.VALID
    ).frames

    assert encode_by_partition(frame) == []
