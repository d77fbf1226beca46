"""What `forewarn up` says about the disk."""

import shutil
from types import SimpleNamespace

from forewarn.adapters.disk import DiskSpace
from forewarn_local.disk import DiskWatch


def test_it_warns_before_the_disk_is_full_and_says_when_there_is_space_again(tmp_path, monkeypatch):
    free_gb = [0.0]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free_gb[0] * 1e9))
    watch = DiskWatch(DiskSpace(path=tmp_path, reserve_gb=1.0))
    said = []
    for free_gb[0] in (10, 1.9, 1.8, 0.9, 1.05, 0.2, 1.3, 2.5, 10):
        said += watch.look()
    assert [line.split(":")[0] for line in said] == ["Disk nearly full", "Disk full", "Disk nearly full", "Disk"]
    assert "lower DISK_BUDGET_GB" in said[1]
    assert "readings are accepted" in said[3]
