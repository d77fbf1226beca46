"""What a twin knows of its asset, and requests to retrain it."""

from pydantic import BaseModel, Field

from forewarn.contracts.base import Name, Score, UtcDatetime
from forewarn.contracts.health import DeviationBand, ModelArtefact, OperatingRange
from forewarn.contracts.questions import BaselineSource, ChangeRequest, Confidence, Number, Provenance


class DriverItem(BaseModel):
    """A driver that can be changed: its value now, and its range while the twin learned."""

    column: str
    title: str
    unit: str
    now: Number
    learned: OperatingRange | None


class PresetItem(BaseModel):
    """A predefined question."""

    name: str
    title: str
    changes: list[ChangeRequest]


class FleetExpectation(BaseModel):
    """What other machines of the class would measure here."""

    unit: str
    measured: Number
    expected: float
    low: float
    high: float


class FleetJudgement(BaseModel):
    """The newest reading judged by a model of the class, until the asset has its own.

    Low confidence: it raises no alarm and is not stored. Empty where no other machine was operated like this one.
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


class BaselineRequest(BaselineSource):
    """Retrain the twin."""

    by: Name = Field(description="Who asks.")
