"""Limits for the disk space of broker and database."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forewarn.contracts.limits import GB
from forewarn_local.home import Home
from forewarn_local.settings import LocalSettings

#: Below this, topics could not hold their largest messages twice.
LEAST_GB: Final = 8.0
_DEFAULT_GB: Final = 30.0
_SHARE_OF_DISK: Final = 0.6
_KAFKA_SHARE: Final = 0.4
_LOGS_GB: Final = 0.2
_WAL_SHARE: Final = 0.2  # of the database's share: write-ahead log and space not yet vacuumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Disk space [GB] for topics and for tables; None for a server that does not run here."""

    kafka_gb: float | None
    database_gb: float | None

    def by_server(self) -> dict[str, float]:
        """Return the budget of each server that runs here [GB]."""
        named = {"kafka": self.kafka_gb, "database": self.database_gb}
        return {name: value for name, value in named.items() if value is not None}

    def environment(self) -> dict[str, str]:
        """Return the budgets as settings of ``forewarn.runtime.provision``."""
        return {f"{name.upper()}_DISK_BUDGET_GB": f"{value:.3g}" for name, value in self.by_server().items()}


def used_bytes(directory: Path) -> int:
    """Return the bytes that the files below a directory occupy; holes in sparse files do not count."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512  # noqa: PTH118  # many files, often
            except OSError:  # deleted in the meantime
                continue
    return total


def needed_gb(settings: LocalSettings) -> float:
    """Return the least disk space that the platform needs, including its present data."""
    if settings.kafka_bootstrap_servers is not None and settings.database_url is not None:
        return _LOGS_GB + settings.disk_reserve_gb
    return (settings.disk_budget_gb or LEAST_GB) + settings.disk_reserve_gb


def budgets(home: Home, settings: LocalSettings) -> Budgets:
    """Split ``DISK_BUDGET_GB``; by default 30 GB, or 60 % of the available disk if that is less."""
    total_gb = settings.disk_budget_gb
    if total_gb is None:
        room = shutil.disk_usage(home.path).free + used_bytes(home.data) - settings.disk_reserve_gb * GB
        total_gb = max(LEAST_GB, min(_DEFAULT_GB, _SHARE_OF_DISK * room / GB))
    return Budgets(
        kafka_gb=total_gb * _KAFKA_SHARE if settings.kafka_bootstrap_servers is None else None,
        database_gb=total_gb * (1 - _KAFKA_SHARE) * (1 - _WAL_SHARE) if settings.database_url is None else None,
    )
