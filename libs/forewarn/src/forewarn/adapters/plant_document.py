"""The schema of a plant file: its machines, how they behave, and their faults."""

import json
from collections import Counter
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from forewarn.adapters.plant_sensors import Gateway, SensorDocument, SwappedFault
from forewarn.contracts.assets import Asset, AssetRegistration
from forewarn.contracts.base import Identifier, Line, Name, StrictContract, TagName
from forewarn.domain.simulation.designs import design_problems
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import FaultCourse, Profile
from forewarn.domain.simulation.recording import MOST_ROWS
from forewarn.domain.simulation.scenarios import find_scenario
from forewarn.domain.simulation.schedule import Schedule
from forewarn.domain.simulation.weather import Climate

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class PastReadings(StrictContract):
    """Past readings of a machine, sent when it is registered for the first time."""

    model_config = ConfigDict(title="History")

    length_s: NotNegative = 7200.0
    every_s: Positive = 10.0
    historical: bool = Field(
        default=False,
        description="Sent as history: of any age, judged like live ones, never a reason for an alarm.",
    )

    @model_validator(mode="after")
    def _fits_a_recording(self) -> "PastReadings":
        if self.length_s / self.every_s > MOST_ROWS:
            raise ValueError(f"a history has at most {MOST_ROWS:,} readings: choose another length_s or every_s")
        return self

    @property
    def rows(self) -> int:
        """Number of readings."""
        return int(self.length_s // self.every_s)


class SiteClimate(StrictContract):
    """Climate of a machine's site; see ``domain.simulation.weather.Climate``."""

    ambient_temp_c: float = Field(default=22.0, description="Mean air temperature of the year.")
    ambient_swing_k: NotNegative = Field(default=4.0, description="Half range over a day: a quarter more in summer.")
    season_swing_k: NotNegative = Field(default=4.0, description="Half range of the seasons; outdoors often 8 to 12.")
    humidity_pct: float = Field(default=58.0, description="Relative humidity at a usual day's mean temperature.")
    front_k: NotNegative = Field(default=1.2, description="Standard deviation of what fronts of some days bring.")
    front_humidity_pct: NotNegative = Field(default=8.0, description="The same of the relative humidity.")
    hemisphere: Literal["north", "south"] = Field(default="north", description="Whose summer it is in July.")
    utc_offset_h: float = Field(default=0.0, description="Of the site's clock: its day is warmest at 15:00.")
    weather_seed: int = Field(default=0, ge=0, description="Machines of one climate and seed share their fronts.")

    def climate(self) -> Climate:
        """Return the domain's climate."""
        return Climate(
            mean_temp_c=self.ambient_temp_c,
            season_swing_k=self.season_swing_k,
            day_swing_k=self.ambient_swing_k,
            humidity_pct=self.humidity_pct,
            front_k=self.front_k,
            front_humidity_pct=self.front_humidity_pct,
            hemisphere=self.hemisphere,
            utc_offset_h=self.utc_offset_h,
            seed=self.weather_seed,
        )


class Day(SiteClimate):
    """Daily course of demand, and weather; see ``domain.simulation.profile.Profile``."""

    period_s: Positive = Field(default=86_400.0, description="Length of a day; the year shortens with it.")
    base: float = Field(default=0.75, description="Mean demand, as a share of the rated duty.")
    swing: float = Field(default=0.2, description="Half range of the demand.")
    phase: float = Field(default=0.0, description="Where in its day the machine is at 00:00 UTC, 0-1.")

    @model_validator(mode="after")
    def _possible(self) -> "Day":
        self.profile()
        return self

    def profile(self) -> Profile:
        """Return the domain's profile."""
        return Profile(
            period_s=self.period_s, base=self.base, swing=self.swing, phase=self.phase, climate=self.climate()
        )


class Hours(StrictContract):
    """Weekly running hours; see ``domain.simulation.schedule.Schedule``. Without it a machine always runs."""

    start_hour: float = 6.0
    stop_hour: float = 20.0
    days: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4), description="Running days, Monday is 0.")
    utc_offset_h: float = 0.0
    run_up_s: Positive = Field(default=180.0, description="From the start of the auxiliaries to full duty, and back.")

    @model_validator(mode="after")
    def _possible(self) -> "Hours":
        self.schedule(86_400.0)
        return self

    def schedule(self, day_s: float) -> Schedule:
        """Return the domain's schedule, for days of this length."""
        return Schedule(**self.model_dump(), day_s=day_s)


class PlannedFault(StrictContract):
    """A fault that grows as planned. Times count from the machine's registration."""

    model_config = ConfigDict(title="Fault")

    fault: Identifier
    after_s: NotNegative = Field(description="From registration to onset.")
    duration_s: Positive = Field(description="From onset to full severity.")
    hold_s: NotNegative | None = Field(default=None, description="Time in failure before the repair; null: none.")
    healthy_s: NotNegative = Field(default=0.0, description="Healthy time after a repair before it starts again.")
    severity: Annotated[float, Field(gt=0, le=1)] = 1.0

    def course(self, registered_s: float) -> FaultCourse:
        """Return the fault on the time scale of the epoch [s]."""
        return FaultCourse(
            fault=self.fault,
            onset_s=registered_s + self.after_s,
            duration_s=self.duration_s,
            hold_s=self.hold_s,
            healthy_s=self.healthy_s,
            severity=self.severity,
        )


class PlannedScenario(StrictContract):
    """A scenario that the machine goes through, once."""

    name: Identifier
    days: Positive | None = Field(default=None, description="Its length; null: as the scenario has it.")
    severity: Annotated[float, Field(gt=0, le=1)] = 1.0
    begins_s: float = Field(default=0.0, description="From the machine's registration; negative: in its history.")
    tag: TagName | None = Field(default=None, description="Tag whose sensor fails, for scenarios of sensors.")


class SimulatedSource(StrictContract):
    """A machine computed from physics."""

    kind: Literal["simulated"] = "simulated"
    design: dict[str, float] = Field(default_factory=dict, description="Fields of the machine's design.")
    day: Day = Day()
    hours: Hours | None = None
    history: PastReadings = PastReadings()
    faults: tuple[PlannedFault, ...] = ()
    scenario: PlannedScenario | None = None
    sensors: dict[TagName, SensorDocument] = Field(default_factory=dict, description="Sensors that are not perfect.")
    gateway: Gateway = Gateway()
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def schedule(self) -> Schedule | None:
        """Running hours, None for a machine that always runs."""
        return None if self.hours is None else self.hours.schedule(self.day.period_s)


class ReplaySource(StrictContract):
    """A recording played back as if it happened now."""

    kind: Literal["replay"]
    file: str = Field(description="CSV file: absolute, beside the plant file, or below SKAB_PATH.")
    optional: bool = Field(default=False, description="Leave the asset out when the file is missing.")
    time_column: str = "datetime"
    speed: Positive = Field(default=1.0, description="2: twice as fast, so readings lie half as far apart.")
    loop: bool = Field(default=False, description="Start again at the end.")
    history_rows: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Rows sent at once as the recent past when the asset is registered for the first time."
    )


def _tags_named(source: SimulatedSource) -> set[str]:
    """Return every tag whose sensor the plant file mentions."""
    planned = source.scenario.tag if source.scenario is not None else None
    faults = (fault for sensor in source.sensors.values() for fault in sensor.faults)
    crossed = {fault.other for fault in faults if isinstance(fault, SwappedFault)}
    return {*source.sensors, *crossed, *([planned] if planned is not None else [])}


def _registered(value: object) -> Asset:
    """Read an asset as strictly as the API does: ``criticality: true`` is not a number."""
    return AssetRegistration.model_validate_json(json.dumps(value, default=str), strict=True).entry()


class PlantAsset(StrictContract):
    """One machine of the plant."""

    asset: Annotated[Asset, BeforeValidator(_registered)]
    source: Annotated[SimulatedSource | ReplaySource, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _can_be_simulated(self) -> "PlantAsset":
        if isinstance(self.source, ReplaySource):
            return self
        kind = KINDS.get(self.asset.asset_class)
        where = f"asset {self.asset.asset_id}"
        if kind is None:
            raise ValueError(f"{where}: class {self.asset.asset_class} cannot be simulated, only {', '.join(KINDS)}")
        unknown = [fault.fault for fault in self.source.faults if fault.fault not in kind.faults]
        if unknown:
            raise ValueError(f"{where}: no fault {', '.join(unknown)}; there are {', '.join(kind.faults)}")
        impossible = design_problems(kind, self.source.design)
        if impossible:
            raise ValueError(f"{where}: {'; '.join(impossible)}")
        tags = kind.sensors(kind.design(**self.source.design))
        strange = sorted(_tags_named(self.source).difference(tags))
        if strange:
            raise ValueError(f"{where}: no sensor {', '.join(strange)}; there are {', '.join(tags)}")
        if self.source.scenario is not None:
            find_scenario(self.source.scenario.name, self.asset.asset_class)
        return self


class PlantOutput(StrictContract):
    """Where readings go."""

    model_config = ConfigDict(title="Output")

    kind: Literal["kafka", "csv", "parquet", "jsonl"] = "kafka"
    directory: str | None = Field(default=None, description="For files, one each asset; beside the plant file.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """Read ``output: csv`` as ``output: {kind: csv}``."""
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _directory_for_files(self) -> "PlantOutput":
        if self.kind == "kafka" and self.directory is not None:
            raise ValueError("readings for Kafka go into no directory")
        if self.directory is not None and ".." in PurePath(self.directory).parts:
            raise ValueError("the directory must lie below the plant file's, without '..'")
        return self


class PlantDocument(StrictContract):
    """All machines of a plant file."""

    model_config = ConfigDict(title="Plant")

    name: Name
    title: Line = Field(default="", description="One line for people.")
    interval_s: Annotated[float, Field(ge=0.05, le=3600)] | None = Field(
        default=None, description="Distance of live readings; null: SIMULATION_INTERVAL_SECONDS."
    )
    output: PlantOutput = PlantOutput()
    assets: Annotated[tuple[PlantAsset, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "PlantDocument":
        counts = Counter(entry.asset.asset_id for entry in self.assets)
        twice = [asset_id for asset_id, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"asset ids must be unique, these are not: {', '.join(twice)}")
        return self
