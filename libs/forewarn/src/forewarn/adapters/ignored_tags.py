"""Tags that gateways send and no class knows: nothing is done with them, but nobody shall search for them in vain."""

from collections.abc import Iterable
from typing import Final

import structlog

#: A gateway that invents names must not fill memory or log.
_TOLD_AT_MOST: Final = 10_000

_log = structlog.get_logger(__name__)


class IgnoredTags:
    """Counts readings with unknown tags and tells of each tag of each asset once."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()
        self._readings = 0

    def note(self, asset_id: str, asset_class: str, tags: Iterable[str]) -> None:
        """A reading of this asset had these tags beside known ones."""
        self._readings += 1
        for tag in sorted(tags):
            if (asset_id, tag) in self._told or len(self._told) >= _TOLD_AT_MOST:
                continue
            self._told.add((asset_id, tag))
            _log.warning(
                "tag_ignored",
                asset_id=asset_id,
                tag=tag,
                reason=f"class {asset_class} has no such tag or alias; add it to the catalogue to keep its values",
            )

    def take(self) -> int:
        """Readings noted since the last call."""
        readings, self._readings = self._readings, 0
        return readings
