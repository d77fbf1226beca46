import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from forewarn.adapters.fleet_life.model_file import FleetModelFileError, read_model
from forewarn_local.cli import app
from support.fleets import cut_off, worn_fleet


def write(path, runs, header="unit;hour;vib;temp"):
    names = np.char.add("u", runs.unit_of_row.astype(str))
    rows = zip(names, runs.time, runs.tags[:, 0], runs.tags[:, 1], strict=True)
    path.write_text("\n".join([header, *(";".join(map(str, row)) for row in rows)]) + "\n")
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["rul", *map(str, arguments)])


def fit(path, out, *more):
    return run("fit", "--runs", path, "--unit", "unit", "--time", "hour", "--out", out, *more)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    result = fit(write(folder / "runs.csv", worn_fleet(6)), folder / "rul.fw", "--cap", 40)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "6 ran to failure" in result.stderr
    assert "On units held out: RMSE" in result.stderr
    return folder / "rul.fw"


def predict(model, tmp_path, runs, *more):
    output = tmp_path / "rul.csv"
    result = run("predict", "--model", model, "--input", write(tmp_path / "in.csv", runs), "--output", output, *more)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    with output.open(newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_have_a_row_for_each_unit_and_the_promised_columns(model, tmp_path):
    (tmp_path / "rul.csv").write_text("something older and much longer\n" * 100)
    histories, left = cut_off(worn_fleet(20, seed=1))
    rows = predict(model, tmp_path, histories)
    assert [row["unit"] for row in rows] == [f"u{unit}" for unit in range(20)]
    assert list(rows[0]) == ["unit", "p10", "p50", "p90", "mean"]
    mean = np.array([float(row["mean"]) for row in rows])
    assert np.corrcoef(mean, np.minimum(left, 40.0))[0, 1] > 0.7


def test_horizons_add_probabilities_of_failure(model, tmp_path):
    rows = predict(model, tmp_path, cut_off(worn_fleet(3, seed=2))[0], "--horizons", "7,30")
    assert list(rows[0]) == ["unit", "p10", "p50", "p90", "mean", "p_fail_7", "p_fail_30"]
    assert all(0.0 <= float(row["p_fail_7"]) <= float(row["p_fail_30"]) <= 1.0 for row in rows)


def test_a_model_survives_the_file_to_the_bit(model, tmp_path):
    first, second = read_model(model), read_model(model)
    histories, _ = cut_off(worn_fleet(5, seed=3))
    rows = predict(model, tmp_path, histories)
    again = first.model.predict(histories, histories.last_rows)
    np.testing.assert_array_equal([float(row["p90"]) for row in rows], again.p90)
    assert first.summary == second.summary
    assert (first.columns.unit, first.columns.time, first.model.cap) == ("unit", "hour", 40.0)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--cap", "0"), "--cap 0: it must be a positive number"),
        (("--drivers", "speed"), "no column 'speed'"),
        (("--censored", "none"), "no column 'none'"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_message(tmp_path, more, message):
    out = tmp_path / "rul.fw"
    result = fit(write(tmp_path / "runs.csv", worn_fleet(3)), out, *more)
    assert result.exit_code != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not out.exists()


def test_too_few_failures_and_files_that_are_not_there_are_refused(tmp_path):
    result = fit(write(tmp_path / "runs.csv", worn_fleet(2)), tmp_path / "rul.fw")
    assert result.exit_code == 1
    assert "2 of 2 units ran to failure; at least 3" in result.stderr
    result = fit(tmp_path / "nothing.csv", tmp_path / "rul.fw")
    assert result.exit_code == 1
    assert "nothing.csv: cannot be read" in result.stderr
    result = fit(tmp_path / "runs.csv", tmp_path / "nowhere" / "rul.fw")
    assert result.exit_code == 1
    assert "there is no directory" in result.stderr


def test_what_is_no_model_is_refused(model, tmp_path):
    path = write(tmp_path / "in.csv", worn_fleet(3))
    result = run("predict", "--model", path, "--input", path, "--output", tmp_path / "rul.csv")
    assert result.exit_code == 1
    assert "not a model written by `forewarn rul fit`" in result.stderr
    cut = tmp_path / "cut.fw"
    cut.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(FleetModelFileError, match="damaged"):
        read_model(cut)
    with pytest.raises(FleetModelFileError, match="No such file"):
        read_model(tmp_path / "none.fw")


def test_a_model_of_a_newer_version_is_refused(tmp_path):
    header = np.frombuffer(json.dumps({"format": "forewarn-fleet-rul", "version": 2}).encode(), dtype=np.uint8)
    path = tmp_path / "new.fw"
    with path.open("wb") as file:
        np.savez(file, header=header)
    with pytest.raises(FleetModelFileError, match="newer version"):
        read_model(path)


def test_objects_in_a_model_file_are_not_loaded(tmp_path):
    path = tmp_path / "evil.fw"
    with path.open("wb") as file:
        np.savez(file, header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FleetModelFileError, match="not a model"):
        read_model(path)


def test_horizons_that_are_no_numbers_are_refused(model, tmp_path):
    result = run("predict", "--model", model, "--input", "x", "--output", "y", "--horizons", "7,soon")
    assert result.exit_code == 1
    assert "--horizons 7,soon" in result.stderr
