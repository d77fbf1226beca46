"""What is missing gets one message that says what to do."""

import builtins
import shutil
from typing import NamedTuple

import pytest

from forewarn_local import bootstrap, preflight
from forewarn_local.budgets import budgets
from forewarn_local.errors import JavaMissingError, PostgresMissingError, PreflightError
from forewarn_local.home import Home
from forewarn_local.settings import LocalSettings, load_settings, user_environment


class Usage(NamedTuple):
    total: float
    used: float
    free: float


@pytest.fixture
def home(tmp_path):
    return Home(root=tmp_path, path=tmp_path / ".forewarn")


def test_a_fit_machine_has_no_problem(home):
    assert preflight.problems(home, LocalSettings()) == []


def test_an_old_python_is_told_the_version_it_needs():
    assert "needs Python 3.11 or newer, this is 3.9" in bootstrap.python_problem((3, 9))
    assert bootstrap.python_problem((3, 11)) is None
    assert bootstrap.python_problem((3, 14)) is None


def test_a_python_without_venv_is_told_the_package(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "ensurepip":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "apt install python3-venv" in bootstrap.venv_problem()


def test_a_full_disk_is_told_how_much_is_needed(home, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10e9, 9e9, 1e9))
    [problem] = preflight.problems(home, LocalSettings())
    assert "has 1.0 GB free, Forewarn needs 9 GB" in problem


def test_data_that_are_there_count_as_room(home, monkeypatch):
    home.make()
    (home.data / "topics").write_bytes(b"x" * 2_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10e9, 9e9, 0.055e9))
    small = LocalSettings(disk_budget_gb=0.05, disk_reserve_gb=0.01)
    assert preflight.problems(home, small) != []
    (home.data / "tables").write_bytes(b"x" * 60_000_000)
    assert preflight.problems(home, small) == []


def test_budgets_are_split_between_broker_and_database_and_leave_room_on_a_small_disk(home, monkeypatch):
    home.make()
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(500e9, 100e9, 400e9))
    ample = budgets(home, LocalSettings())
    assert (ample.kafka_gb, ample.database_gb) == (12, pytest.approx(14.4))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(50e9, 29e9, 21e9))
    assert budgets(home, LocalSettings()).environment()["KAFKA_DISK_BUDGET_GB"] == "4.8"
    own = budgets(home, LocalSettings(kafka_bootstrap_servers="k:1", database_url="postgresql://x"))
    assert own.environment() == {}


def test_a_read_only_directory_is_told(home, monkeypatch):
    monkeypatch.setattr(bootstrap.os, "access", lambda _path, _mode: False)
    [problem] = preflight.problems(home, LocalSettings())
    assert "cannot be written to by this user" in problem


def test_java_and_postgres_are_needed_for_what_is_embedded_only(home, monkeypatch):
    def no_java():
        raise JavaMissingError("no Java")

    def no_postgres(_major):
        raise PostgresMissingError("no PostgreSQL")

    monkeypatch.setattr(preflight, "find_java", no_java)
    monkeypatch.setattr(preflight, "find_programs", no_postgres)
    assert preflight.problems(home, LocalSettings()) == ["no Java", "no PostgreSQL"]
    monkeypatch.setattr(preflight, "answers", lambda _servers, _timeout: True)
    monkeypatch.setattr(preflight, "database_problem", lambda _url: None)
    own = LocalSettings(kafka_bootstrap_servers="k:9092", database_url="postgresql://d/x")
    assert preflight.problems(home, own) == []


def test_a_database_url_of_another_kind_is_told_the_form():
    assert "write it as postgresql://" in preflight.database_problem("sqlite+pysqlite:///x.db")


def test_each_wrong_setting_is_one_line():
    with pytest.raises(PreflightError) as caught:
        load_settings({"API_PORT": "eight", "DASHBOARD_PORT": "70000"})
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["API_PORT", "DASHBOARD_PORT"]


def test_the_environment_goes_before_the_file_and_empty_counts_as_not_set(tmp_path):
    (tmp_path / ".env").write_text("API_PORT=9000\nDATABASE_URL=\nLOG_LEVEL=DEBUG\n")
    environment = user_environment(tmp_path, {"API_PORT": "9001", "LOG_LEVEL": ""})
    assert environment == {"API_PORT": "9001", "LOG_LEVEL": "DEBUG"}
