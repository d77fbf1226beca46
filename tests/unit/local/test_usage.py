"""What is said about disk space."""

import shutil
from types import SimpleNamespace

import pytest

from forewarn_local.home import Home
from forewarn_local.usage import Sample, UsageLog, describe, growth_per_day, take_sample


@pytest.fixture
def home(tmp_path):
    one = Home(root=tmp_path, path=tmp_path)
    one.make()
    return one


def test_what_is_deleted_in_between_does_not_hide_what_is_written():
    start_up = [Sample(at, at * 1_000_000, at) for at in range(-6, 0)]
    samples = [*start_up, Sample(0, 100, 5), Sample(60, 160, 5), Sample(120, 40, 5), Sample(180, 100, 5)]
    assert growth_per_day(samples, "kafka") == pytest.approx(120 / 180 * 86_400)
    assert growth_per_day(samples, "database") == 0
    assert growth_per_day(samples[:8], "kafka") is None


def test_samples_are_bounded_and_a_torn_file_is_no_sample(home):
    log = UsageLog(home.usage)
    for at in range(500):
        log.add(Sample(at, at, 0))
    assert [sample.at_s for sample in log.read()] == list(range(260, 500))
    home.usage.write_text("[[1,")
    assert log.read() == []


def test_states_that_are_compacted_and_the_write_ahead_log_are_not_counted(home):
    sizes = {
        "kafka/storage/readings.raw-0/0.log": 10_000,
        "kafka/storage/twin.checkpoint-0/0.log": 50_000,
        "kafka/storage/__consumer_offsets-3/0.log": 50_000,
        "postgres/base/1/2": 20_000,
        "postgres/pg_wal/0001": 90_000,
    }
    for name, size in sizes.items():
        path = home.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    sample = take_sample(home)
    assert 10_000 <= sample.kafka < 20_000
    assert 20_000 <= sample.database < 40_000


def test_budgets_days_and_the_reserve_are_shown(home, monkeypatch):
    free_gb = 50.0
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free_gb * 1e9))
    for at in range(10):
        UsageLog(home.usage).add(Sample(at * 60.0, at * 1_000_000, 0))
    kafka, database, disk = describe(home, {"kafka": 12.0, "database": 14.4}, 1.0)
    assert "of 12.0 GB" in kafka
    assert "1.4 GB a day: the budget lasts 8.3 days" in kafka
    assert "not growing" in database
    assert disk == "disk        50.0 GB free, reserve 1 GB"
    free_gb = 1.5
    assert "LOW" in describe(home, {}, 1.0)[0]
    free_gb = 0.5
    assert "FULL" in describe(home, {}, 1.0)[0]
