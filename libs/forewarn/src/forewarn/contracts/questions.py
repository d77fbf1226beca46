"""What-if questions to an asset's twin, their answers, and sources for retraining."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from forewarn.contracts.base import Comment, Contract, Identifier, Quantity, Score, StrictContract, TagName, UtcDatetime
from forewarn.contracts.health import HealthMetric, RulEstimate

Number = float | None
#: Whose model answers: the asset's own, or those of others of its class.
Provenance = Literal["own", "fleet"]
Confidence = Literal["high", "low"]
#: Whether the question is within what the model learned, slightly outside, or so far that the answer is a guess.
Reach = Literal["learned", "extrapolated", "too_far"]


class ChangeRequest(StrictContract):
    """One driver set to a value, multiplied by a factor, or shifted; exactly one of the three."""

    column: TagName
    value: Quantity | None = None
    factor: Quantity | None = None
    shift: Quantity | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> "ChangeRequest":
        if sum(item is not None for item in (self.value, self.factor, self.shift)) != 1:
            msg = "give exactly one of value, factor and shift"
            raise ValueError(msg)
        return self

    def of(self, now: float) -> float:
        """Return the driver's new value."""
        if self.value is not None:
            return self.value
        return now * self.factor if self.factor is not None else now + (self.shift or 0.0)


class WhatIfRequest(StrictContract):
    """A predefined question, or changes of drivers."""

    preset: Identifier | None = Field(default=None, examples=["high_load"])
    changes: Annotated[tuple[ChangeRequest, ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _one_question(self) -> "WhatIfRequest":
        if (self.preset is None) == (not self.changes):
            msg = "give a preset or changes, one of them"
            raise ValueError(msg)
        return self


class ExpectedValue(Contract):
    """A response now and after the change. null is unknown."""

    unit: str
    measured: Number = Field(description="Newest reading.")
    expected_now: float
    expected: float = Field(description="Of a healthy machine after the change.")
    low: Number = Field(description="Lower end of the 90 % interval; null when the question is too far.")
    high: Number
    projected: Number = Field(description="Of this machine after the change: its present difference goes on.")


class DerivedValue(Contract):
    """A quantity recomputed by physics."""

    unit: str
    now: Number
    projected: Number
    healthy: Number


class HealthEffect(Contract):
    """Condition now and after the change: health by the metrics of the class, without twin and forecasts."""

    now: Score | None
    then: Score | None
    metrics_now: tuple[HealthMetric, ...]
    metrics_then: tuple[HealthMetric, ...]


class LifeEffect(Contract):
    """Remaining life in an active failure mode: its indicator moved by the change and growing as fast as now."""

    failure_mode: str
    indicator: str
    level_now: float
    level_then: float
    now: RulEstimate
    then: RulEstimate | None


class CautionItem(Contract):
    """Why the answer is less reliable."""

    column: str = Field(description="Driver it is about; empty for all together.")
    message: str
    outside_by: float = Field(description="How far outside, in widths of the learned range; 0 if not for that.")


class WhatIfAnswer(Contract):
    """The twin's answer."""

    asset_id: str
    provenance: Provenance = Field(description="The asset's own model, or those of others of its class.")
    confidence: Confidence = Field(description="low: fleet model, or outside of what was learned.")
    reach: Reach
    model_version: int | None
    reading_at: UtcDatetime | None = Field(description="Reading that is changed; null: the middle of what was learned.")
    drivers: dict[str, float]
    responses: dict[str, ExpectedValue]
    derived: dict[str, DerivedValue]
    health: HealthEffect | None = Field(description="null when the question is too far from what was learned.")
    remaining_life: tuple[LifeEffect, ...]
    cautions: tuple[CautionItem, ...]


class HistoryRange(StrictContract):
    """A range of stored readings, ``to`` excluded."""

    model_config = ConfigDict(serialize_by_alias=True)

    start: UtcDatetime = Field(alias="from")
    end: UtcDatetime = Field(alias="to")


class BaselineSource(StrictContract):
    """What the twin learns from; by default the readings that follow."""

    reason: Comment = ""
    since: UtcDatetime | None = Field(
        default=None, description="Only readings measured from then on; unless set, all that follow."
    )
    history: HistoryRange | None = Field(
        default=None, description="Learn from these stored readings at once instead of from those that follow."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "BaselineSource":
        if self.since is not None and self.history is not None:
            msg = "give since or history, not both"
            raise ValueError(msg)
        return self


class BaselineAccepted(Contract):
    """The order is in the stream; ``models`` shows when it was carried out."""

    order_id: str
    asset_id: str
    learns_from: Literal["next_readings", "history"]
    readings: int | None = Field(description="Usable stored readings.")
