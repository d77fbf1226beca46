"""All assets at a glance."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from forewarn.contracts.alarms import Priority
from forewarn.contracts.base import Score, UtcDatetime
from forewarn.contracts.health import Condition, HealthCategory


class Sort(StrEnum):
    """Order of an overview."""

    AREA = "area"
    ATTENTION = "attention"
    NAME = "name"
    HEALTH = "health"


class WorstAlarm(BaseModel):
    """The most urgent open alarm of an asset."""

    priority: Priority
    message: str


class AssetRow(BaseModel):
    """One asset at a glance; null is unknown."""

    asset_id: str
    name: str
    asset_class: str
    path: tuple[str, ...]
    criticality: int
    condition: Condition
    ts: UtcDatetime | None = Field(description="Event time of the newest reading; null before the first.")
    health: Score | None
    category: HealthCategory | None
    trend: str
    score: Score | None = Field(description="Newest anomaly score.")
    flag: bool
    alarm: WorstAlarm | None
    alarms: int = Field(description="Open alarms.")


class Counts(BaseModel):
    """Counts over the whole plant, whatever the filters."""

    assets: int
    conditions: dict[Condition, int]
    priorities: dict[Priority, int] = Field(description="Open alarms.")
    unacknowledged: int = Field(description="Open alarms that nobody has acknowledged.")


class Overview(BaseModel):
    """A page of assets, and counts over all."""

    counts: Counts
    found: Annotated[int, Field(ge=0)] = Field(description="Assets that pass the filters.")
    items: list[AssetRow]
