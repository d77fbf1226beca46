"""Messages of the live feed."""

from typing import Literal

from pydantic import BaseModel, Field

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.assets import LiveReading
from forewarn.contracts.base import UtcDatetime
from forewarn.contracts.health import AssetHealth


class LiveMessage(BaseModel):
    """Newest state, or the changes since the last message; an empty message is a heartbeat."""

    type: Literal["snapshot", "update"] = Field(description="A snapshot comes first: what it lacks does not exist.")
    at: UtcDatetime
    readings: tuple[LiveReading, ...] = ()
    health: tuple[AssetHealth, ...] = ()
    alarms: tuple[Alarm, ...] = Field(default=(), description="Open alarms that are new or have changed.")
    closed_alarms: tuple[str, ...] = Field(default=(), description="Ids of alarms.")
    removed_assets: tuple[str, ...] = ()
