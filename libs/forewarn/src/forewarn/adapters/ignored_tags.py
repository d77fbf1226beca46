"""Tags that gateways send and no class knows: counted, and logged once each."""

from collections.abc import Iterable
from typing import Final

import structlog

from forewarn.contracts.limits import MAX_TAG_NAME_CHARACTERS, shortened

#: A gateway that invents names must not fill the memory or the log.
_LOGGED_AT_MOST: Final = 10_000
_LOGGED_OF_A_READING: Final = 20

_log = structlog.get_logger(__name__)


class IgnoredTags:
    """Counts readings with unknown tags and logs each tag of each asset once.

    It keeps hashes, not names: 10,000 of them take the same memory however long the names are.
    """

    def __init__(self) -> None:
        self._logged: set[int] = set()
        self._readings = 0

    def note(self, asset_id: str, asset_class: str, tags: Iterable[str]) -> None:
        """Count a reading that had unknown tags besides known ones."""
        self._readings += 1
        if len(self._logged) >= _LOGGED_AT_MOST:
            return
        new = [tag for tag in tags if hash((asset_id, tag)) not in self._logged]
        for tag in sorted(new)[:_LOGGED_OF_A_READING]:
            self._logged.add(hash((asset_id, tag)))
            _log.warning(
                "tag_ignored",
                asset_id=asset_id,
                tag=shortened(tag, MAX_TAG_NAME_CHARACTERS),
                reason=f"class {asset_class} has no such tag or alias; add it to the catalogue to keep its values",
            )

    def take(self) -> int:
        """Return the readings counted since the last call."""
        readings, self._readings = self._readings, 0
        return readings
