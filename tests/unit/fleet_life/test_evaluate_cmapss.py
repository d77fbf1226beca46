import gzip

import numpy as np
import pytest
from typer.testing import CliRunner

from forewarn_local.cli import app
from support.fleets import cut_off, worn_fleet


def text(runs):
    names = ["machine_number", "uptime", "setting_1", "setting_2", "setting_3", "sensor_01", "sensor_02"]
    rng = np.random.default_rng(0)
    settings = np.column_stack([rng.normal(size=(runs.time.size, 2)), np.full(runs.time.size, 100.0)])
    table = np.column_stack([runs.unit_of_row + 1, runs.time, settings, runs.tags])
    return "\n".join([",".join(names), *(",".join(map(repr, row)) for row in table.tolist())]) + "\n"


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "cmapss"
    folder.mkdir()
    histories, left = cut_off(worn_fleet(8, seed=1))
    (folder / "train_FD001.csv.gz").write_bytes(gzip.compress(text(worn_fleet(4)).encode()))
    (folder / "test_FD001.csv").write_text(text(histories))
    (folder / "RUL_FD001.txt").write_text("\n".join(f"{life:g} " for life in left))
    return tmp_path


def evaluate(directory):
    return CliRunner().invoke(app, ["evaluate", "cmapss", "--data", str(directory)])


def test_the_table_shows_protocol_constant_and_published_figures(data):
    result = evaluate(data)
    assert result.exit_code == 0, result.stderr
    assert "parts grown" in result.stderr
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("FD001"))
    assert row[1] == "capped"
    assert 0.0 < float(row[2]) < float(row[3])
    assert "MTSTAN" in result.stdout
    assert "nothing is tuned on test engines" in " ".join(result.stdout.split())
    assert "FD003" not in result.stdout


def test_data_that_is_missing_or_does_not_fit_is_refused(data, tmp_path):
    (tmp_path / "empty").mkdir()
    result = evaluate(tmp_path / "empty")
    assert result.exit_code == 1
    assert "no train_FD001.csv(.gz)" in result.stderr
    (data / "cmapss" / "RUL_FD001.txt").write_text("1\n2\n")
    result = evaluate(data)
    assert result.exit_code == 1
    assert "2 lives for 8 engines" in result.stderr
