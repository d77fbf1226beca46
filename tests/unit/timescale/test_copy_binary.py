"""Packed rows are what PostgreSQL's binary COPY format says, for any mixture of unknowns."""

import struct
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.timescale.copy_binary import HEADER, TRAILER, encode_frame_rows
from forewarn.adapters.timescale.tables import wide_table
from forewarn.contracts.frames import FrameKind
from forewarn.domain.frames.frame import MISSING, Frame, Strings
from forewarn.testing.frames import START_US
from support.sink_frames import random_frame

PUMP = load_catalogue()["centrifugal_pump"]
FORMATS = {"bigint": ">q", "double precision": ">d", "integer": ">i", "real": ">f", "smallint": ">h", "boolean": ">?"}
PG_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def decode(data, columns):
    """Read the format field by field, as its documentation describes it."""
    rows, place = [], 0
    while place < len(data):
        (count,) = struct.unpack_from(">h", data, place)
        place += 2
        assert count == len(columns)
        row = {}
        for column in columns:
            (length,) = struct.unpack_from(">i", data, place)
            place += 4
            if length == -1:
                row[column.name] = None
                continue
            raw = data[place : place + length]
            assert len(raw) == length
            place += length
            if column.pg_type == "text":
                row[column.name] = raw.decode()
            elif column.pg_type == "timestamptz":
                row[column.name] = PG_EPOCH + timedelta(microseconds=struct.unpack(">q", raw)[0])
            else:
                (row[column.name],) = struct.unpack(FORMATS[column.pg_type], raw)
        rows.append(row)
    return rows


def expected(frame, columns, keys):
    out = {}
    for column in columns:
        if column.name == "asset_key":
            out[column.name] = keys[frame.assets.codes].tolist()
        elif column.pg_type == "text":
            out[column.name] = frame.strings[column.frame_column].to_list()
        else:
            values = frame.arrays[column.frame_column]
            if column.pg_type == "timestamptz":
                plain = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=v) for v in values.tolist()]
            elif column.pg_type == "integer":
                plain = values.astype(np.uint32).view(np.int32).tolist()
            else:
                plain = values.tolist()
            unknown = {
                "never": [False] * len(plain),
                "not_finite": [isinstance(v, float) and not np.isfinite(v) for v in plain],
                "missing": [v == MISSING for v in plain],
                "good": [v == 0 for v in plain],
            }[column.null]
            out[column.name] = [None if gone else v for v, gone in zip(plain, unknown, strict=True)]
    return out


@pytest.mark.parametrize("kind", [FrameKind.VALID, FrameKind.ANOMALY])
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 60), nulls=st.sampled_from([0.0, 0.05, 0.5, 1.0]))
def test_packed_rows_decode_to_the_values_of_the_frame(kind, seed, rows, nulls):
    rng = np.random.default_rng(seed)
    names = [f"P-{n}" for n in rng.integers(0, 3, rows)]
    frame = random_frame(kind, PUMP, names, (START_US + np.arange(rows)).tolist(), rng, nulls=nulls)
    columns = wide_table(kind, PUMP).columns
    keys = np.array([7, 8, 9], dtype=np.int32)[: len(frame.assets.categories)]
    got = decode(b"".join(encode_frame_rows(frame, columns, keys)), columns)
    for name, values in expected(frame, columns, keys).items():
        assert [row[name] for row in got] == values, name


def test_a_frame_larger_than_a_block_keeps_every_row_in_order():
    rows = 10_000
    rng = np.random.default_rng(1)
    frame = random_frame(FrameKind.VALID, PUMP, ["P"] * rows, (START_US + np.arange(rows)).tolist(), rng)
    columns = wide_table(FrameKind.VALID, PUMP).columns
    got = decode(b"".join(encode_frame_rows(frame, columns, np.array([1], dtype=np.int32))), columns)
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START_US)
    assert [row["ts"] for row in got] == [start + timedelta(microseconds=n) for n in range(rows)]


def test_one_very_long_text_does_not_widen_the_others():
    rows = 5_000
    rng = np.random.default_rng(1)
    frame = random_frame(FrameKind.VALID, PUMP, ["P"] * rows, (START_US + np.arange(rows)).tolist(), rng, nulls=0.0)
    texts = Strings.of([None] * 10 + ["x" * 100_000, "", "ü"] + [None] * (rows - 13))
    strings = {**frame.strings, "findings": texts}
    frame = Frame(kind=frame.kind, asset_class=PUMP, arrays=frame.arrays, strings=strings)
    columns = wide_table(FrameKind.VALID, PUMP).columns
    data = b"".join(encode_frame_rows(frame, columns, np.array([1], dtype=np.int32)))
    assert len(data) < rows * 400 + 100_000
    assert [row["findings"] for row in decode(data, columns)] == texts.to_list()


def test_header_and_trailer_are_those_of_the_format():
    assert b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0) == HEADER
    assert struct.pack(">h", -1) == TRAILER
