"""Sending history stops before the disk is full."""

import pytest

from forewarn.adapters.disk import DiskSpace
from forewarn.adapters.importing.sending import HistorySender
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.testing.fakes import StillClock


def test_an_import_ends_with_what_to_do_when_the_disk_is_full(tmp_path):
    free_gb = [5.0]
    disk = DiskSpace(path=tmp_path, reserve_gb=1.0, free_bytes=lambda _: int(free_gb[0] * 1e9))
    sender = HistorySender("127.0.0.1:1", "", StillClock(), lambda _: None, disk=disk)
    waited = []
    sender.wait_for_backlog(10, 1.0, waited.append)
    assert waited == [0]
    free_gb[0] = 0.5
    with pytest.raises(BrokerUnavailable, match="run the same command again"):
        sender.wait_for_backlog(10, 1.0, waited.append)
