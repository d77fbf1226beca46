"""Forecasts of an asset's columns."""

from typing import Annotated

from pydantic import BaseModel, Field

from forewarn.contracts.base import Identifier, UtcDatetime
from forewarn.contracts.forecasts import LimitForecast


class TestedMethod(BaseModel):
    """How well a method would have forecast the past."""

    method: str
    crps: Annotated[float, Field(ge=0)] = Field(
        description="Continuous ranked probability score, mean over the back-test, in the column's unit; low is good."
    )
    mae: Annotated[float, Field(ge=0)] = Field(description="Mean absolute error, in the column's unit.")


class ColumnForecast(BaseModel):
    """Forecast of one column. All lists are as long as ``ts``; empty if ``reason`` says why there is no forecast."""

    column: str
    unit: str
    reason: str | None = Field(default=None, description="Why there is no forecast; null if there is one.")
    method: str | None = Field(default=None, description="The best method of the back-test.")
    ts: list[UtcDatetime] = Field(default_factory=list, description="Begin of each step.")
    expected: list[float] = Field(default_factory=list, description="Mean of the step.")
    lower: list[float] = Field(default_factory=list)
    upper: list[float] = Field(default_factory=list)
    limits: list[LimitForecast] = Field(
        default_factory=list, description="When the limits of the class's threshold alarms are reached."
    )
    tested: list[TestedMethod] = Field(default_factory=list, description="All methods, the simplest first.")


class ForecastAnswer(BaseModel):
    """Forecasts of an asset."""

    asset_id: Identifier
    asset_class: Identifier
    level: float = Field(description="Probability that a step lies between its lower and upper bound.")
    step_s: float = Field(description="Length of a step.")
    horizon_s: float = Field(description="As asked for; a forecast is shorter where the history is short.")
    forecasts: list[ColumnForecast]
