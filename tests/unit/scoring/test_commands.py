"""``forewarn fit`` and ``forewarn score`` as users call them."""

import csv
import json
import os
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from forewarn_local.cli import app
from support.plants import healthy

RUNNER = CliRunner()
TAGS = tuple("abcdef")


def moments(count):
    start = np.datetime64("2026-01-01T00:00:00")
    return [str(start + np.timedelta64(second, "s")) for second in range(count)]


def write(path, values, names=TAGS, delimiter=",", **columns):
    header = [*columns, *names]
    lines = [[*(column[row] for column in columns.values()), *values[row]] for row in range(len(values))]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *lines])
    return path


def call(*words):
    return RUNNER.invoke(app, [str(word) for word in words])


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def values():
    return healthy("autocorrelated (0.9)", 1, 1500, 6)


@pytest.fixture(scope="module")
def model(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("model")
    normal = write(folder / "normal.csv", values, when=moments(1500))
    out = folder / "model.fw"
    result = call("fit", "--normal", normal, "--time", "when", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    return out


def test_scores_have_one_line_for_each_row_in_the_promised_columns(tmp_path, model):
    new = healthy("autocorrelated (0.9)", 2, 300, 6)
    times = moments(300)
    output = tmp_path / "scores.csv"
    output.write_text("old")
    result = call("score", "--model", model, "--input", write(tmp_path / "in.csv", new, when=times), "--output", output)
    assert (result.exit_code, result.stdout) == (0, "")
    rows = read(output)
    assert list(rows[0]) == ["time", "score", "p_value", "flag", "extrapolated", *(f"contribution.{t}" for t in TAGS)]
    assert [row["time"] for row in rows] == times
    assert {row["flag"] for row in rows} <= {"0", "1"}
    for row in rows:
        assert 0 <= float(row["score"]) < 100
        assert sum(float(row[f"contribution.{tag}"]) for tag in TAGS) == pytest.approx(1.0)


def test_column_order_extra_columns_and_file_format_change_nothing(tmp_path, model):
    new = healthy("autocorrelated (0.9)", 3, 200, 6)
    plain = write(tmp_path / "plain.csv", new, when=moments(200))
    other = write(tmp_path / "other.csv", new[:, ::-1], TAGS[::-1], delimiter=";", note=["x"] * 200, when=moments(200))
    table = pa.table({"when": pa.array(moments(200)), **{n: new[:, i] for i, n in enumerate(TAGS)}})
    pq.write_table(table, tmp_path / "same.parquet")
    found = []
    for path in (plain, other, tmp_path / "same.parquet"):
        assert call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv").exit_code == 0
        found.append(read(tmp_path / "s.csv"))
    assert found[0] == found[1] == found[2]


def test_missing_values_give_scores_from_the_rest_and_empty_ones_where_nothing_is_known(tmp_path, model):
    new = healthy("autocorrelated (0.9)", 4, 100, 6).astype(object)
    new[20, 1] = ""
    new[50] = [""] * 6
    path = write(tmp_path / "in.csv", new, when=moments(100))
    assert call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv").exit_code == 0
    rows = read(tmp_path / "s.csv")
    assert len(rows) == 100
    assert (rows[50]["score"], rows[50]["p_value"], rows[50]["flag"]) == ("", "", "0")
    assert rows[20]["score"] != ""


def test_without_a_time_column_rows_are_numbered(tmp_path, values):
    normal = write(tmp_path / "n.csv", values)
    assert call("fit", "--normal", normal, "--out", tmp_path / "m.fw").exit_code == 0
    path = write(tmp_path / "in.csv", values[:50])
    assert call("score", "--model", tmp_path / "m.fw", "--input", path, "--output", tmp_path / "s.csv").exit_code == 0
    assert [row["time"] for row in read(tmp_path / "s.csv")] == [str(row) for row in range(1, 51)]


def test_the_model_remembers_drivers_units_and_numeric_time(tmp_path, values):
    unit = ["x"] * 750 + ["y"] * 750
    cycle = [*range(750), *range(750)]
    normal = write(tmp_path / "n.csv", values, machine=unit, cycle=cycle)
    words = ("fit", "--normal", normal, "--time", "cycle", "--unit", "machine", "--drivers", "a,b", "--out")
    assert call(*words, tmp_path / "m.fw").exit_code == 0
    new = values[:20].copy()
    new[7, 0] = 99.0
    path = write(tmp_path / "in.csv", new, machine=["z"] * 20, cycle=range(20))
    assert call("score", "--model", tmp_path / "m.fw", "--input", path, "--output", tmp_path / "s.csv").exit_code == 0
    rows = read(tmp_path / "s.csv")
    assert [row["extrapolated"] for row in rows].index("1") == 7
    assert "contribution.a" not in rows[0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"row": 30, "column": 2, "value": "bad"}, r"column 'b' in row 30: 'bad'"),
        ({"row": 40, "column": 0, "value": "2025-01-01T00:00:00"}, r"row 40, column 'when'"),
        ({"row": 40, "column": 0, "value": "2026-01-01T00:00:38"}, r"repeats the time"),
        ({"row": 40, "column": 0, "value": "soon"}, r"column 'when' in row 40 holds 'soon'"),
        ({"row": 0, "column": 3, "value": "renamed"}, r"no column 'c'"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_row_and_column(tmp_path, model, damage, message):
    path = write(tmp_path / "in.csv", healthy("autocorrelated (0.9)", 4, 100, 6), when=moments(100))
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines[damage["row"]][damage["column"]] = damage["value"]
    path.write_text("\n".join(",".join(line) for line in lines) + "\n")
    result = call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv")
    assert result.exit_code != 0
    assert message.split("\\")[0].replace("r'", "") in result.stderr
    assert not (tmp_path / "s.csv").exists()


def test_sorting_puts_rows_in_order_and_drops_exact_duplicates(tmp_path, model):
    new = healthy("autocorrelated (0.9)", 5, 100, 6)
    order = [*range(50), *range(80, 100), *range(50, 80), 99, 99]
    times = moments(100)
    path = write(tmp_path / "in.csv", new[order], when=[times[row] for row in order])
    refused = call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv")
    assert refused.exit_code != 0
    assert "--sort" in refused.stderr
    assert call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv", "--sort").exit_code == 0
    assert [row["time"] for row in read(tmp_path / "s.csv")] == times


def test_a_suspicious_baseline_is_named_and_refused_if_asked(tmp_path):
    values = healthy("white noise", 1, 2000, 6)
    values[700:760, 2] += 10.0
    normal = write(tmp_path / "n.csv", values, when=moments(2000))
    words = ("fit", "--normal", normal, "--time", "when", "--out", tmp_path / "m.fw")
    strict = call(*words, "--strict")
    assert strict.exit_code != 0
    assert not (tmp_path / "m.fw").exists()
    result = call(*words)
    assert result.exit_code == 0
    assert "suspicious stretch: rows 70" in result.stderr
    assert "unlike the rest in c" in result.stderr
    assert "were not learned: rows like them will be flagged" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--time", "nope"), "no column 'nope'"),
        (("--drivers", "a,zz"), "no column 'zz'"),
        (("--time", "f", "--drivers", "a,f"), "column 'f' is named for two purposes"),
        (("--time", "f", "--unit", "f"), "column 'f' is named for two purposes"),
        (("--drivers", "a,a"), "column 'a' is named for two purposes"),
        (("--far", "0.9"), "far"),
    ],
)
def test_wrong_options_of_fit_are_refused(tmp_path, values, words, message):
    normal = write(tmp_path / "n.csv", values)
    result = call("fit", "--normal", normal, "--out", tmp_path / "m.fw", *words)
    assert result.exit_code != 0
    assert message in result.stderr
    assert not (tmp_path / "m.fw").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"FWANOMALY1\x05\x00\x00\x00{}{}{", b"\x80\x04\x95"])
def test_a_file_that_is_no_model_is_refused(tmp_path, values, content):
    (tmp_path / "m.fw").write_bytes(content)
    path = write(tmp_path / "in.csv", values)
    result = call("score", "--model", tmp_path / "m.fw", "--input", path, "--output", tmp_path / "s.csv")
    assert result.exit_code == 1
    assert "forewarn fit" in result.stderr


def test_a_cut_or_altered_model_is_refused(tmp_path, values, model):
    whole = model.read_bytes()
    path = write(tmp_path / "in.csv", values, when=moments(1500))
    head = json.dumps("x").encode()
    for number, damaged in enumerate((whole[:-9], whole[:40], whole + head)):
        broken = tmp_path / f"{number}.fw"
        broken.write_bytes(damaged)
        result = call("score", "--model", broken, "--input", path, "--output", tmp_path / "s.csv")
        assert result.exit_code == 1, number


def test_a_driver_that_stood_still_is_reported_and_moving_it_is_marked_but_not_flagged(tmp_path, values):
    still = values.copy()
    still[:, 0] = 7.0
    normal = write(tmp_path / "n.csv", still, when=moments(1500))
    words = ("fit", "--normal", normal, "--time", "when", "--drivers", "a,b", "--out", tmp_path / "m.fw")
    result = call(*words)
    assert result.exit_code == 0
    assert "column 'a' is not used: constant: always 7" in result.stderr
    new = still[:100].copy()
    new[50:] += 5.0
    path = write(tmp_path / "in.csv", new, when=moments(100))
    assert call("score", "--model", tmp_path / "m.fw", "--input", path, "--output", tmp_path / "s.csv").exit_code == 0
    rows = read(tmp_path / "s.csv")
    assert [row["extrapolated"] for row in rows] == ["0"] * 50 + ["1"] * 50
    assert {row["flag"] for row in rows} == {"0"}


def test_no_value_is_too_far_out_for_a_score(tmp_path, model):
    new = healthy("autocorrelated (0.9)", 6, 30, 6)
    far = [1e6, 1e9, 1e12, 1e15, 1e300]
    scores = []
    for value in far:
        new[20:, 2] = value
        path = write(tmp_path / "in.csv", new, when=moments(30))
        assert call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv").exit_code == 0
        scores.append(float(read(tmp_path / "s.csv")[-1]["score"]))
    assert scores == sorted(set(scores))
    assert scores[-1] < 100.0


def test_a_file_of_text_is_refused_with_what_it_holds(tmp_path):
    (tmp_path / "n.csv").write_text('a,b\n"1,5","2,5"\n' * 100)
    result = call("fit", "--normal", tmp_path / "n.csv", "--out", tmp_path / "m.fw")
    assert result.exit_code == 1
    assert "'a': text, such as '1,5' in row 1" in result.stderr


def test_a_link_stays_a_link_and_a_pipe_is_written_to(tmp_path, model):
    path = write(tmp_path / "in.csv", healthy("autocorrelated (0.9)", 2, 30, 6), when=moments(30))
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    assert call("score", "--model", model, "--input", path, "--output", tmp_path / "link.csv").exit_code == 0
    assert (tmp_path / "link.csv").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    piped = []
    reader = threading.Thread(target=lambda: piped.append((tmp_path / "pipe").read_text()), daemon=True)
    reader.start()
    assert call("score", "--model", model, "--input", path, "--output", tmp_path / "pipe").exit_code == 0
    reader.join(timeout=10)
    assert piped == [(tmp_path / "target.csv").read_text()]


def test_a_directory_that_is_not_there_is_refused_before_the_work(tmp_path, values, model):
    path = write(tmp_path / "in.csv", values)
    nowhere = tmp_path / "nowhere" / "file"
    for words in (("fit", "--normal", path, "--out", nowhere), ("score", "--model", model, "--output", nowhere)):
        more = ("--input", path) if words[0] == "score" else ()
        result = call(*words, *more)
        assert result.exit_code == 1
        assert "there is no directory" in result.stderr


def test_a_small_share_of_false_alarms_wants_more_independent_readings(tmp_path, values):
    normal = write(tmp_path / "n.csv", values, when=moments(1500))
    words = ("fit", "--normal", normal, "--time", "when", "--out", tmp_path / "m.fw", "--far")
    assert "independent readings" not in call(*words, "0.01").stderr
    assert "independent readings" in call(*words, "0.001").stderr


@pytest.mark.parametrize(("every_s", "message"), [(1, ""), (4, "4 times as far apart"), (60, "nothing is flagged")])
def test_rows_at_another_pace_than_those_learned_from_are_told(tmp_path, model, every_s, message):
    times = moments(50 * every_s)[::every_s]
    path = write(tmp_path / "in.csv", healthy("autocorrelated (0.9)", 2, 50, 6), when=times)
    result = call("score", "--model", model, "--input", path, "--output", tmp_path / "s.csv")
    assert result.exit_code == 0
    assert message in result.stderr
    assert ("times as far apart" in result.stderr) == bool(message)
