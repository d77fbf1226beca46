"""The order to retrain a machine's baseline."""

from typing import Annotated

from pydantic import Field

from forewarn.contracts.base import Contract, Identifier, StoredText, UtcDatetime


class BaselineOrder(Contract):
    """Travels inside ``readings.valid``, between the readings it separates (see ADR 0020).

    Without stored readings the twin drops the machine's model and learns from the readings that follow; with them it
    learns from those at once.
    """

    order_id: Identifier
    asset_id: Identifier
    requested_at: UtcDatetime
    requested_by: Annotated[StoredText, Field(min_length=1, max_length=200)]
    reason: Annotated[StoredText, Field(max_length=1000)] = ""
    since: UtcDatetime | None = Field(default=None, description="Readings measured before are not learned from.")
