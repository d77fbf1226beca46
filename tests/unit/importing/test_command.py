"""``forewarn import`` on the command line: what it refuses, what it writes, what it says."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from forewarn_local.cli import app

FILE = "time,Flow (gpm),Comment\n2026-01-01T00:00:00Z,100,a\n2026-01-01T00:01:00Z,101,b\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / ".forewarn").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "CATALOGUE_PATH", "FOREWARN_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "a.csv").write_text(FILE)
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(app, ["import", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


PUMP = ("--asset", "P-1", "--class", "centrifugal_pump", "--dry-run")


def test_a_guess_is_not_acted_upon_where_nobody_can_confirm_it(place):
    code, said = run("a.csv", *PUMP)
    assert code == 1
    assert "[gal_us]/min" in said
    assert "22.83 m3/h" in said, "the guess is shown with a converted value"
    assert "this mapping is a guess and needs confirmation; repeat with --yes" in said


def test_a_name_that_is_no_asset_id_is_refused_with_its_cure(place):
    code, said = run("a.csv", "--asset", "Pump 1", *PUMP[2:])
    assert code == 1
    assert "'Pump 1' is not a valid asset id: use letters, digits and _ . -" in said
    (place / "b.csv").write_text("time,asset,Flow (gpm)\n2026-01-01T00:00:00Z,Pump 1,100\n")
    code, said = run("b.csv", *PUMP[2:], "--yes")
    assert code == 1
    assert "'Pump 1' is not a valid asset id" in said
    assert "asset_names in a mapping file" in said


def test_a_mapping_is_written_corrected_and_given_back(place):
    code, said = run(
        "a.csv", *(word for word in PUMP if word != "--dry-run"), "--write-mapping", "m.yaml"
    )  # no platform
    assert code == 0
    assert "the mapping is in m.yaml" in said
    mapping = yaml.safe_load((place / "m.yaml").read_text())
    assert mapping["columns"] == {"Flow (gpm)": {"tag": "flow_m3_h", "unit": "[gal_us]/min"}}
    assert mapping["ignored"] == ["Comment"]
    code, said = run("a.csv", "--mapping", "m.yaml", "--asset", "P-2", "--dry-run", "--report", "r.json")
    assert code == 0
    assert "Assets: P-2." in said
    report = json.loads((place / "r.json").read_text())
    assert (report["rows"], report["readings"], report["ignored"]) == (2, 2, ["Comment"])


def test_a_dry_run_needs_no_platform_and_leaves_nothing_but_the_report(place):
    code, said = run("a.csv", *PUMP, "--yes", "--rejects", "x.csv")
    assert code == 0
    assert "2 rows gave 2 readings" in said
    assert "Nothing was sent" in said
    assert (place / "x.csv").read_text() == "row,column,reason,text\n"
    assert list((place / ".forewarn/imports").iterdir()) == []


def test_old_readings_come_with_a_word_on_how_long_they_are_kept(place):
    (place / "a.csv").write_text(FILE.replace("2026-", "2016-"))
    assert "keeps readings for 90 days" in run("a.csv", *PUMP, "--yes")[1]
    assert "keeps readings for 90 days" not in run("a.csv", *PUMP, "--yes", "--ends-at", "now")[1]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--asset", "P-1"), "Forewarn is not running here"),
        (("--asset", "P-1", "--dry-run"), "no asset class given: use --class NAME, one of centrifugal_compressor"),
        (("--asset", "P-1", "--class", "teapot", "--dry-run"), "the catalogue has no class 'teapot'"),
        (("--class", "centrifugal_pump", "--dry-run"), "say whose readings these are with --asset"),
        ((*PUMP, "--yes", "--max-gap", "long"), "--max-gap long: write it as 30s, 5min or 2h"),
        ((*PUMP, "--yes", "--ends-at", "soon"), "--ends-at soon: write it as"),
        ((*PUMP, "--yes", "--keep", "colour"), "--keep colour: centrifugal_pump has no such tag"),
        ((*PUMP, "--yes", "--timezone", "Middle/Earth"), "'Middle/Earth' is not known"),
        ((*PUMP, "--yes", "--time", "when"), "--time: no column 'when'; the file has time, Flow (gpm), Comment"),
        (("--new-class", "press"), "set CATALOGUE_PATH to its directory"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_the_cure(place, arguments, problem):
    code, said = run("a.csv", *arguments)
    assert code == 1
    assert problem in said


def test_a_file_of_which_nothing_can_be_taken_is_an_error_and_the_report_says_why(place):
    (place / "a.csv").write_text("time,Flow (gpm)\n2026-01-01,I/O Timeout\n2026-01-02,no data\n")
    code, said = run("a.csv", *PUMP, "--yes")
    assert code == 1
    assert "text instead of a number" in said
    assert "no reading could be imported" in said


def test_an_ambiguous_date_is_refused_with_the_two_answers(place):
    (place / "a.csv").write_text("time,Flow (gpm)\n01/02/2026,1\n")
    code, said = run("a.csv", *PUMP, "--yes")
    assert code == 1
    assert "say --time-format day-first or --time-format month-first" in said
    assert run("a.csv", *PUMP, "--yes", "--time-format", "day-first")[0] == 0


def test_unknown_equipment_gets_a_class_of_its_own_which_then_reads_the_file(place, monkeypatch):
    monkeypatch.setenv("CATALOGUE_PATH", "mine")
    (place / "a.csv").write_text("time,Ram pressure [bar],Oil [°C]\n2026-01-01,100,40\n2026-01-02,120,41\n")
    code, said = run("a.csv", "--new-class", "press")
    assert code == 0
    assert "2 tags" in said
    assert "--class press" in said
    code, said = run("a.csv", "--asset", "PR-1", "--class", "press", "--dry-run", "--yes")
    assert code == 0
    assert "2 rows gave 2 readings" in said
    code, said = run("a.csv", "--new-class", "press")
    assert code == 1
    assert "exists; choose another name" in said
