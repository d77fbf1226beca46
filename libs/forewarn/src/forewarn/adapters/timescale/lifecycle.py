"""Retention: how long data live in which form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from forewarn.ports.history import RollUp

_DAY: Final = timedelta(days=1)
_REJECTED_SHARE: Final = 0.1


def _roll_up_lives() -> Mapping[RollUp, timedelta]:
    return MappingProxyType({RollUp.MINUTE: 400 * _DAY, RollUp.HOUR: 5 * 366 * _DAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeCycle:
    """Ages at which rows change form; each must be later than the one before, or data would be lost.

    Late readings are accepted up to ``lateness``. Roll-ups are refreshed back to ``refresh_from``, so they include
    them; chunks are compressed after ``compress_after``, so late rows rarely meet a compressed chunk; rows are dropped
    after ``drop_after``, long after their roll-ups are made. ``roll_ups`` says how long each width lives; one that is
    missing lives for ever.

    ``max_bytes`` is the disk that readings, results, health and refused messages may take: beyond it the oldest are
    dropped early. None is no limit.
    """

    lateness: timedelta = 7 * _DAY
    refresh_from: timedelta = 9 * _DAY
    compress_after: timedelta = 14 * _DAY
    drop_after: timedelta = 90 * _DAY
    roll_ups: Mapping[RollUp, timedelta] = field(default_factory=_roll_up_lives)
    health: timedelta = 400 * _DAY
    rejected: timedelta = 90 * _DAY
    alarm_events: timedelta = 5 * 366 * _DAY
    chunk: timedelta = _DAY
    max_bytes: int | None = None

    @property
    def budgets(self) -> Mapping[str, int]:
        """Bytes by kind of table, as in ``disk_budget``."""
        if self.max_bytes is None:
            return {}
        rejected = int(_REJECTED_SHARE * self.max_bytes)
        return {"series": self.max_bytes - rejected, "rejected": rejected}

    def __post_init__(self) -> None:
        # Roll-ups of an hour and a day end an hour and a day early, so they refresh a little further back.
        ages = (self.lateness, self.refresh_from, self.refresh_from + 2 * _DAY, self.compress_after, self.drop_after)
        if not all(earlier < later for earlier, later in pairwise(ages)):
            raise ValueError(
                "ages must rise: lateness < refresh_from, refresh_from + 2 days < compress_after < drop_after; got "
                + ", ".join(
                    str(age) for age in (self.lateness, self.refresh_from, self.compress_after, self.drop_after)
                )
            )
