"""What the API says about an asset's twin. Unknown fields are ignored, missing ones are not excused."""

from pydantic import BaseModel, ConfigDict

from forewarn.contracts.base import UtcDatetime
from forewarn.contracts.health import ModelArtefact, OperatingRange, RulEstimate


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Driver(_Answer):
    """A driver that can be changed, where it is and where it was while the twin learned."""

    column: str
    title: str
    unit: str
    now: float | None
    learned: OperatingRange | None


class PresetChange(_Answer):
    """One driver of a named question: exactly one of the three."""

    column: str
    value: float | None = None
    factor: float | None = None
    shift: float | None = None

    def of(self, now: float) -> float:
        """The driver's new value."""
        if self.value is not None:
            return self.value
        return now * self.factor if self.factor is not None else now + (self.shift or 0.0)


class Preset(_Answer):
    """A named question."""

    name: str
    title: str
    changes: tuple[PresetChange, ...]


class FleetExpectation(_Answer):
    """What machines of the class would measure in this one's place."""

    unit: str
    measured: float | None
    expected: float
    low: float
    high: float


class FleetJudgement(_Answer):
    """The newest reading judged by other machines of the class."""

    members: tuple[str, ...]
    reading_at: UtcDatetime
    confidence: str
    deviation: float | None
    band: str | None
    responses: dict[str, FleetExpectation]


class Twin(_Answer):
    """What the twin knows of an asset."""

    provenance: str | None
    model: ModelArtefact | None
    fleet: FleetJudgement | None
    drivers: tuple[Driver, ...]
    presets: tuple[Preset, ...]


class Response(_Answer):
    """A response now and after the change."""

    unit: str
    measured: float | None
    expected: float
    low: float | None
    high: float | None
    projected: float | None


class Derived(_Answer):
    """A quantity recomputed by physics."""

    unit: str
    now: float | None
    projected: float | None


class HealthEffect(_Answer):
    """Health by the class's metrics now and after the change."""

    now: float | None
    then: float | None


class LifeEffect(_Answer):
    """Remaining life of a failure mode under way, now and after the change."""

    failure_mode: str
    now: RulEstimate
    then: RulEstimate | None


class Caution(_Answer):
    """Why the answer is worth less."""

    column: str
    message: str


class WhatIf(_Answer):
    """What would happen."""

    provenance: str
    confidence: str
    responses: dict[str, Response]
    derived: dict[str, Derived]
    health: HealthEffect | None
    remaining_life: tuple[LifeEffect, ...]
    cautions: tuple[Caution, ...]
