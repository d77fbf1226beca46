"""What the twin knows of an asset, questions to it, and orders to learn anew."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from forewarn.contracts.base import Identifier, Score, StrictContract, TagName, UtcDatetime
from forewarn.contracts.health import HealthMetric, ModelArtefact, OperatingRange, RulEstimate
from forewarn.domain.twin.deviation import DeviationBand
from forewarn.domain.twin.whatif import Reach

Number = float | None
Provenance = Literal["own", "fleet"]
Confidence = Literal["high", "low"]


class ChangeRequest(StrictContract):
    """One driver set to a value, multiplied by a factor, or shifted; exactly one of the three."""

    column: TagName
    value: float | None = None
    factor: float | None = None
    shift: float | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> "ChangeRequest":
        if sum(item is not None for item in (self.value, self.factor, self.shift)) != 1:
            msg = "give exactly one of value, factor and shift"
            raise ValueError(msg)
        return self


class WhatIfRequest(StrictContract):
    """A named question, or changes of drivers."""

    preset: Identifier | None = Field(default=None, examples=["high_load"])
    changes: Annotated[tuple[ChangeRequest, ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _one_question(self) -> "WhatIfRequest":
        if (self.preset is None) == (not self.changes):
            msg = "give a preset or changes, one of them"
            raise ValueError(msg)
        return self


class ExpectedValue(BaseModel):
    """A response now and after the change. null is unknown."""

    unit: str
    measured: Number = Field(description="Newest reading.")
    expected_now: float
    expected: float = Field(description="Of a healthy machine after the change.")
    low: Number = Field(description="Lower end of the 90 % interval; null when the question is too far.")
    high: Number
    projected: Number = Field(description="Of this machine after the change: its present difference goes on.")


class DerivedValue(BaseModel):
    """A quantity recomputed by physics."""

    unit: str
    now: Number
    projected: Number
    healthy: Number


class HealthEffect(BaseModel):
    """Condition now and after the change: health by the metrics of the class, twin and forecasts left out."""

    now: Score | None
    then: Score | None
    metrics_now: list[HealthMetric]
    metrics_then: list[HealthMetric]


class LifeEffect(BaseModel):
    """Remaining life of a failure mode under way, its indicator moved by the change and growing as fast as now."""

    failure_mode: str
    indicator: str
    level_now: float
    level_then: float
    now: RulEstimate
    then: RulEstimate | None


class CautionItem(BaseModel):
    """Why the answer is worth less."""

    column: str = Field(description="Driver it is about; empty for all together.")
    message: str
    outside_by: float = Field(description="How far outside, in widths of the learned range; 0 if not for that.")


class WhatIfAnswer(BaseModel):
    """What would happen."""

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
    remaining_life: list[LifeEffect]
    cautions: list[CautionItem]


class DriverItem(BaseModel):
    """A driver that can be changed, where it is and where it was while the twin learned."""

    column: str
    title: str
    unit: str
    now: Number
    learned: OperatingRange | None


class PresetItem(BaseModel):
    """A named question."""

    name: str
    title: str
    changes: list[ChangeRequest]


class FleetExpectation(BaseModel):
    """What machines of the class would measure in this one's place."""

    unit: str
    measured: Number
    expected: float
    low: float
    high: float


class FleetJudgement(BaseModel):
    """The newest reading judged by a model of the class, as long as the asset has none of its own.

    A hint with low confidence: it raises no alarm and is not stored. No response and no deviation where the
    others were never operated like this one.
    """

    members: list[str]
    reading_at: UtcDatetime
    deviation: Score | None
    band: DeviationBand | None
    confidence: Confidence
    responses: dict[str, FleetExpectation]


class TwinAnswer(BaseModel):
    """What the twin knows of an asset."""

    asset_id: str
    provenance: Provenance | None = Field(description="null: neither it nor two others of its class have a model.")
    model: ModelArtefact | None = Field(description="Card of its own model; null while it learns.")
    fleet: FleetJudgement | None = Field(description="Only while it has no model of its own.")
    drivers: list[DriverItem]
    presets: list[PresetItem]


class HistoryRange(StrictContract):
    """A stretch of stored readings, ``to`` excluded."""

    start: UtcDatetime = Field(alias="from")
    end: UtcDatetime = Field(alias="to")


class BaselineRequest(StrictContract):
    """Learn normal behaviour anew."""

    by: Annotated[str, Field(min_length=1, max_length=200, description="Who asks.")]
    reason: Annotated[str, Field(max_length=1000)] = ""
    since: UtcDatetime | None = Field(
        default=None, description="Only readings measured from then on; unless set, all that follow."
    )
    history: HistoryRange | None = Field(
        default=None, description="Learn from these stored readings at once instead of from those that follow."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "BaselineRequest":
        if self.since is not None and self.history is not None:
            msg = "give since or history, not both"
            raise ValueError(msg)
        return self


class BaselineAccepted(BaseModel):
    """The order stands in the stream; ``models`` tells when it is obeyed."""

    order_id: str
    asset_id: str
    learns_from: Literal["next_readings", "history"]
    readings: int | None = Field(description="Stored readings that can be learned from.")
