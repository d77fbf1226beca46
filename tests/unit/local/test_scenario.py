import csv
import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from forewarn.contracts.readings import Reading
from forewarn_local.cli import app

COMMON = ["--class", "chiller", "--days", "2", "--step", "3600", "--seed", "5", "--start", "2026-01-05"]


def run(*arguments: str):
    return CliRunner().invoke(app, ["scenario", *arguments])


def test_the_list_names_scenarios_of_a_class():
    shown = run("list", "--class", "fan").output
    assert "belt_slip" in shown
    assert "tube_fouling" not in shown
    assert run("list", "--class", "balloon").exit_code == 1


@pytest.mark.parametrize(("labels", "reason"), [("readings.csv", "a file of their own"), ("truth.parquet", "as CSV")])
def test_labels_that_would_hide_or_replace_readings_are_refused(tmp_path, labels, reason):
    out = tmp_path / "readings.csv"
    result = run("generate", "healthy", *COMMON, "--out", str(out), "--labels", str(tmp_path / labels))
    assert result.exit_code == 1
    assert reason in " ".join(result.output.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_readings_are_written_in_every_format_with_their_labels_apart(tmp_path, suffix):
    out, labels = tmp_path / f"readings.{suffix}", tmp_path / "labels.csv"
    result = run("generate", "refrigerant_leak", *COMMON, "--out", str(out), "--labels", str(labels))
    assert result.exit_code == 0, result.output
    if suffix == "csv":
        rows = list(csv.DictReader(out.read_text().splitlines()))
        first, times = rows[0], [row["ts"] for row in rows]
    elif suffix == "parquet":
        table = pq.read_table(out)
        first, times = table.to_pylist()[0], [ts.isoformat() for ts in table["ts"].to_pylist()]
    else:
        readings = [Reading.model_validate_json(line) for line in out.read_bytes().splitlines()]
        assert all(reading.historical for reading in readings)
        first, times = readings[0].metrics, [reading.ts.isoformat() for reading in readings]
    truth = list(csv.DictReader(labels.read_text().splitlines()))
    assert len(times) == len(truth) == 48
    assert times[0][:19] == truth[0]["ts"][:19] == "2026-01-05T00:00:00"
    assert not {"present", "severity", "rul_days"} & set(first)
    assert {row["failure_mode"] for row in truth} == {"refrigerant_leak"}
    assert truth[0]["rul_days"] == ""
    assert float(truth[-1]["severity"]) > 0.9


def test_what_cannot_be_played_is_said_with_what_there_is(tmp_path):
    out = str(tmp_path / "x.csv")
    assert "there are healthy, tube_fouling" in run("generate", "rust", *COMMON, "--out", out).output
    assert ".csv, .parquet, .jsonl" in run("generate", "healthy", *COMMON, "--out", str(tmp_path / "x.doc")).output
    assert "--class CLASS" in run("generate", "healthy", "--asset", "X-1", "--out", out).output
    assert "above 0" in run("generate", "healthy", *COMMON, "--severity", "0", "--out", out).output
    assert list(tmp_path.iterdir()) == []


def test_an_asset_of_an_example_plant_needs_no_class(tmp_path):
    out = tmp_path / "x.jsonl"
    assert run("generate", "surge", "--asset", "C-401", "--days", "1", "--out", str(out)).exit_code == 0
    assert json.loads(out.read_text().splitlines()[0])["asset_id"] == "C-401"


def test_a_plant_file_writes_the_history_it_describes_where_it_says(tmp_path):
    plant = tmp_path / "plant.yaml"
    plant.write_text(
        "name: small\n"
        "output: {kind: parquet, directory: made}\n"
        "assets:\n"
        "  - asset: {asset_id: P-1, asset_class: centrifugal_pump, name: Pump}\n"
        "    source:\n"
        "      kind: simulated\n"
        "      history: {length_s: 36000, every_s: 60}\n"
        "      scenario: {name: cavitation, begins_s: -36000}\n"
    )
    result = run("plant", str(plant), "--labels")
    assert result.exit_code == 0, result.output
    assert pq.read_table(tmp_path / "made" / "P-1.parquet").num_rows == 600
    assert (tmp_path / "made" / "P-1.labels.csv").read_text().count("cavitation") >= 600


def test_streaming_needs_a_platform_that_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREWARN_HOME", str(tmp_path / "home"))
    result = run("setup", "refinery")
    assert result.exit_code == 1
    assert "make run" in result.output
