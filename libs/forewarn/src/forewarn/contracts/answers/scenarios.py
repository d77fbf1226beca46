"""Requests and answers about scenarios and example plants."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from forewarn.contracts.assets import ScenarioDays, ScenarioSettings
from forewarn.contracts.base import Identifier, Name, UtcDatetime

MOST_STREAMED = 200_000
MOST_RETURNED = 50_000


class ScenarioItem(BaseModel):
    """One scenario."""

    name: str
    title: str
    days: float = Field(description="Usual length.")
    classes: tuple[str, ...] = Field(description="Classes it can be played with.")


class ScenarioList(BaseModel):
    """All scenarios and example plants."""

    items: list[ScenarioItem]
    plants: list[str]


class ScenarioBody(ScenarioSettings):
    """The scenario to play, with which machine, and where the readings go."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": "tube_fouling", "asset_class": "chiller", "duration_days": 30, "seed": 7},
                {
                    "scenario": "bearing_wear",
                    "asset_class": "centrifugal_pump",
                    "duration_days": 10,
                    "acceleration": 1440,
                    "interval_s": 1440,
                },
            ]
        },
    )

    scenario: Name
    asset_class: Identifier | None = Field(default=None, description="Needed unless asset_id is registered.")
    asset_id: Identifier | None = Field(
        default=None, description="An asset; it is registered if it is not. Default: SIM-CLASS-SCENARIO-SEED."
    )
    duration_days: ScenarioDays = Field(default=None, description="null: as the scenario has it.")
    output: Literal["stream", "json", "csv", "labels_csv"] = Field(
        default="stream",
        description="stream: played by the simulator into the platform. json, csv: the readings, returned. labels_csv: "
        "the truth about each of them (same request, same readings).",
    )
    start: UtcDatetime | None = Field(
        default=None, description="For json, csv, labels_csv: time of the first reading; null: the last one is now."
    )
    by: Name = Field(default="api", description="Who asks.")

    @model_validator(mode="after")
    def _output_fits(self) -> Self:
        if self.asset_class is None and self.asset_id is None:
            raise ValueError("name an asset_class, or an asset_id that is registered")
        if self.output == "stream" and self.start is not None:
            raise ValueError("a stream ends or begins now: it takes no start")
        if self.output != "stream" and self.acceleration is not None:
            raise ValueError("only a stream can be accelerated")
        return self


class ScenarioStarted(BaseModel):
    """The request has been sent to the simulator."""

    command_id: str
    asset_id: str
    asset_class: str
    scenario: str
    readings: int = Field(description="How many will follow.")


class ScenarioData(BaseModel):
    """Readings, column by column; null where there is no value."""

    asset_id: str
    asset_class: str
    scenario: str
    readings: int
    ts: list[str]
    columns: dict[str, list[float | None]]


class PlantBody(BaseModel):
    """The example plant to set up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"plant": "refinery"}]})

    plant: Name = Field(default="refinery", description="Name of an example plant, see GET /api/v1/scenarios.")
    by: Name = Field(default="api", description="Who asks.")


class PlantStarted(BaseModel):
    """The simulator has been asked to register new machines of the plant and start them."""

    command_id: str
    plant: str
    assets: list[str]
    known: list[str] = Field(description="Those already registered: they get no second history.")
