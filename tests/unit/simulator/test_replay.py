import math
from pathlib import Path

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.plant_document import ReplaySource
from forewarn_simulator.replay import RecordingError, Replay, find_recording, read_recording

LOOP = load_catalogue()["pump_loop"]
PUMP = load_catalogue()["centrifugal_pump"]
T0 = 1_790_000_000.0
US = 1_000_000


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recording.csv"
    path.write_text(text, encoding="utf-8")
    return path


def replay(tmp_path: Path, rows: int = 5, **source) -> Replay:
    lines = "".join(f"2020-03-09 10:00:{2 * i:02d};{i}\n" for i in range(rows))
    recording = read_recording(written(tmp_path, "datetime;Current\n" + lines), LOOP, "datetime")
    return Replay("L-1", recording, ReplaySource(kind="replay", file="recording.csv", **source), start_s=T0)


def test_semicolons_and_aliases_of_skab_are_understood(tmp_path):
    text = "datetime;Accelerometer1RMS;Volume Flow RateRMS;anomaly\n2020-03-09 10:14:33;0.02;32.0;0.0\n"
    recording = read_recording(written(tmp_path, text), LOOP, "datetime")
    assert recording.rows == ({"accelerometer1_rms": 0.02, "flow_l_min": 32.0},)


def test_commas_time_zones_and_empty_cells_are_understood(tmp_path):
    text = "t,flow,power_kw\n2026-01-01T00:00:00Z,1.5,\n2026-01-01T01:00:02+01:00,2.5,7\n"
    recording = read_recording(written(tmp_path, text), PUMP, "t")
    assert recording.offsets_s == (0.0, 2.0)
    assert recording.rows == ({"flow_m3_h": 1.5}, {"flow_m3_h": 2.5, "power_kw": 7.0})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("time;Current\n1;2\n", "no column 'datetime'; there are time, Current"),
        ("datetime;Colour\n2020-01-01;2\n", "no column is a tag of class pump_loop"),
        ("datetime;Current\n", "no rows"),
        ("", "no column 'datetime'"),
        ("datetime;Current\nyesterday;2\n", "line 2: 'yesterday' is not an ISO 8601 time"),
        ("datetime;Current\n2020-01-01;much\n", "line 2, column Current: 'much' is not a number"),
        ("datetime;Current\n2020-01-01;nan\n", "line 2, column Current: nan is not a finite number"),
        ("datetime;Current\n2020-01-02;1\n2020-01-01;1\n", "line 3: time 2020-01-01 is not after"),
    ],
)
def test_a_wrong_recording_is_refused_with_file_line_and_problem(tmp_path, text, problem):
    with pytest.raises(RecordingError) as caught:
        read_recording(written(tmp_path, text), LOOP, "datetime")
    assert problem in str(caught.value)
    assert "recording.csv" in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "recording.csv"
    path.write_bytes(b"datetime;Current\n\xff\xfe;1\n")
    with pytest.raises(RecordingError, match="CSV in UTF-8"):
        read_recording(path, LOOP, "datetime")


def test_rows_keep_their_distances_on_the_clock_of_now(tmp_path):
    source = replay(tmp_path)
    assert [(r.ts_us - T0 * US, r.metrics["current_a"]) for r in source.due(T0 + 5)] == [
        (0, 0.0),
        (2 * US, 1.0),
        (4 * US, 2.0),
    ]
    assert source.next_due_s == T0 + 6


def test_twice_the_speed_halves_the_distances(tmp_path):
    assert [r.ts_us - T0 * US for r in replay(tmp_path, speed=2).due(T0 + 2)] == [0, US, 2 * US]


def test_a_recording_ends(tmp_path):
    source = replay(tmp_path)
    assert len(list(source.due(T0 + 50))) == 5
    assert source.next_due_s == math.inf
    assert list(source.due(T0 + 1e6)) == []


def test_a_looped_recording_starts_again_one_step_after_its_end(tmp_path):
    source = replay(tmp_path, loop=True)
    readings = list(source.due(T0 + 14))
    assert [r.metrics["current_a"] for r in readings] == [0, 1, 2, 3, 4, 0, 1, 2]
    assert [r.ts_us - T0 * US for r in readings] == [2 * US * i for i in range(8)]


def test_history_is_the_first_rows_up_to_now(tmp_path):
    source = replay(tmp_path, history_rows=3)
    past = list(source.history(T0))
    assert [r.ts_us - T0 * US for r in past] == [-4 * US, -2 * US, 0]
    assert source.next_due_s == T0 + 2
    assert [r.metrics["current_a"] for r in source.due(T0 + 2)] == [3.0]


def test_after_a_long_pause_it_goes_on_from_now_without_a_burst(tmp_path):
    source = replay(tmp_path)
    list(source.due(T0))
    assert [r.ts_us for r in source.due(T0 + 3600)] == [(T0 + 3600) * US]
    assert source.next_due_s == T0 + 3602


def test_a_recording_is_found_by_its_absolute_name_or_below_a_directory(tmp_path):
    (tmp_path / "data" / "valve1").mkdir(parents=True)
    file = tmp_path / "data" / "valve1" / "0.csv"
    file.touch()
    assert find_recording("valve1/0.csv", [tmp_path / "other", tmp_path]) == file
    assert find_recording("valve1/0.csv", [tmp_path / "data"]) == file
    assert find_recording(str(file), []) == file
    assert find_recording("valve1/1.csv", [tmp_path]) is None
