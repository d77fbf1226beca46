"""How much room the disk has for readings."""

import pytest

from forewarn.adapters.disk import DiskSpace, DiskState


def test_the_state_changes_at_the_reserve_and_twice_of_it_and_does_not_flicker(tmp_path):
    free_gb = [0.0]
    disk = DiskSpace(path=tmp_path, reserve_gb=1.0, free_bytes=lambda _: int(free_gb[0] * 1e9))
    seen = []
    for free_gb[0] in (5, 2.1, 1.9, 2.1, 2.3, 1.5, 0.9, 1.05, 1.2, 5):
        seen.append(disk.state().value)
    low_until_it_clears = ["ample", "ample", "low", "low", "ample", "low", "full", "full", "low", "ample"]
    assert seen == low_until_it_clears


def test_a_directory_that_is_there_has_room(tmp_path):
    assert DiskSpace(path=tmp_path, reserve_gb=0.0).state() is DiskState.AMPLE
    with pytest.raises(OSError, match="gone"):
        DiskSpace(path=tmp_path / "gone", reserve_gb=0.0).state()
