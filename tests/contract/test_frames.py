"""Frames on the wire: golden files still decode, what does not fit is refused with a clear message."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import decode_frame, encode_frame, join_frames, open_frame
from forewarn.adapters.frames.schema import arrow_schema
from forewarn.adapters.timescale.rollups import RollUpSource
from forewarn.adapters.timescale.tables import wide_table
from forewarn.contracts.frames import JUDGEMENT, FrameKind, JudgementOverTime, frame_columns, is_reserved
from forewarn.domain.frames.frame import concat
from forewarn.ports.live import LiveJudgement
from forewarn.testing.examples import GOLDEN_CLASS, content, example_frame, golden_name, write_missing
from forewarn_api.models.assets import HistoryAnswer, Judgement, LatestState

GOLDEN = Path(__file__).parents[2] / "schemas/examples/frames"
CATALOGUE = load_catalogue()
PUMP = CATALOGUE[GOLDEN_CLASS]


def _table(kind=FrameKind.VALID):
    with pa.ipc.open_stream(encode_frame(example_frame(kind, PUMP))) as reader:
        return reader.read_all()


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


def test_many_frames_are_joined_as_one_by_one():
    frames = [example_frame(FrameKind.VALID, PUMP, rows) for rows in (1, 7, 4)]
    joined = join_frames([open_frame(encode_frame(frame), CATALOGUE, FrameKind.VALID) for frame in frames])
    _assert_same(joined, concat(frames))


@pytest.mark.parametrize("column", JUDGEMENT, ids=lambda column: column.name)
def test_a_column_of_a_judgement_is_described_once_and_known_everywhere(column):
    assert column in frame_columns(FrameKind.ANOMALY, PUMP)
    assert is_reserved(column.name)
    results = wide_table(FrameKind.ANOMALY, PUMP)
    assert column.name in results.column_names
    rolled = RollUpSource(table=results.name, columns=results.column_names).values
    assert (column.name in rolled) == column.dtype.startswith("float")
    assert column.name in LiveJudgement.model_fields
    assert column.name in Judgement.model_fields
    assert LatestState.model_fields[column.name].default is None


def test_what_a_history_shows_of_judgements_are_columns_of_them():
    assert JudgementOverTime.model_fields.keys() <= {column.name for column in JUDGEMENT}
    assert JudgementOverTime.model_fields.keys() <= HistoryAnswer.model_fields.keys()
