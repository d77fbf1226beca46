"""The removal of an asset, which follows the asset's last readings through the stream."""

from typing import Annotated, Literal

from pydantic import Field

from forewarn.contracts.base import Contract, Identifier, Line, UtcDatetime

#: Header of the tombstone on ``assets`` that a removal belongs to: its mark.
REMOVAL_HEADER = "forewarn_removal"

History = Literal["keep", "purge"]

#: Comment on an alarm that was closed because its asset was removed.
REMOVED_COMMENT = "Asset removed"


class AssetRemoval(Contract):
    """Forget all state of an asset; ``purge`` also deletes what is stored of it."""

    removal_id: Identifier
    asset_id: Identifier
    asset_class: Identifier
    removed_at: UtcDatetime
    removed_by: Annotated[Line, Field(min_length=1, max_length=200)]
    history: History = "keep"

    @property
    def mark(self) -> str:
        """Mark of its tombstone: a removal is believed only if the registry knows its mark."""
        return f"{self.removal_id} {self.history}"
