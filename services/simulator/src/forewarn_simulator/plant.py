"""The plant file: which machines there are, how they behave, and what goes wrong with them."""

from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from forewarn.contracts.assets import Asset
from forewarn.contracts.base import Identifier, StrictContract
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import FaultCourse, Profile

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class PlantError(Exception):
    """The plant file cannot be used; the message names file, place and cure."""


class History(StrictContract):
    """Readings of the recent past that a machine gets when it is registered for the first time."""

    length_s: NotNegative = 7200.0
    every_s: Positive = 10.0


class Day(StrictContract):
    """Daily course of demand and weather; see ``domain.simulation.profile.Profile``."""

    period_s: Positive = 86_400.0
    base: float = 0.75
    swing: float = 0.2
    phase: float = 0.0
    ambient_temp_c: float = 22.0
    ambient_swing_k: float = 4.0

    @model_validator(mode="after")
    def _possible(self) -> "Day":
        self.profile()
        return self

    def profile(self) -> Profile:
        """The profile of the domain."""
        return Profile(**self.model_dump())


class Fault(StrictContract):
    """A fault that the plan lets grow. Times count from the machine's registration."""

    fault: Identifier
    after_s: NotNegative = Field(description="From registration to onset.")
    duration_s: Positive = Field(description="From onset to full severity.")
    hold_s: NotNegative | None = Field(default=None, description="Time in failure before the repair; null: none.")
    healthy_s: NotNegative = Field(default=0.0, description="Healthy time after a repair before it starts again.")
    severity: Annotated[float, Field(gt=0, le=1)] = 1.0

    def course(self, registered_s: float) -> FaultCourse:
        """The fault on the time scale of the epoch [s]."""
        return FaultCourse(
            fault=self.fault,
            onset_s=registered_s + self.after_s,
            duration_s=self.duration_s,
            hold_s=self.hold_s,
            healthy_s=self.healthy_s,
            severity=self.severity,
        )


class SimulatedSource(StrictContract):
    """A machine computed from physics."""

    kind: Literal["simulated"] = "simulated"
    design: dict[str, float] = Field(default_factory=dict, description="Fields of the machine's design.")
    day: Day = Day()
    history: History = History()
    faults: tuple[Fault, ...] = ()
    seed: int = 0


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


class PlantAsset(StrictContract):
    """One machine of the plant."""

    asset: Asset
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
        try:
            kind.design(**self.source.design)
        except TypeError as exc:
            raise ValueError(f"{where}: design: {exc}") from exc
        return self


class Plant(StrictContract):
    """All machines of a plant file."""

    name: str
    assets: Annotated[tuple[PlantAsset, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Plant":
        counts = Counter(entry.asset.asset_id for entry in self.assets)
        twice = [asset_id for asset_id, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"asset ids must be unique, these are not: {', '.join(twice)}")
        return self


def load_plant(path: Path | None) -> Plant:
    """Read a plant file, or the demo plant.

    Raises
    ------
    PlantError
        If the file is missing, is no YAML, or breaks the schema.
    """
    source = path or files("forewarn_simulator") / "plants" / "demo.yaml"
    try:
        return Plant.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except OSError as exc:
        raise PlantError(f"SIMULATION_PLANT: {source} cannot be read: {exc.strerror}") from exc
    except yaml.YAMLError as exc:
        raise PlantError(f"SIMULATION_PLANT: {source} is not valid YAML: {exc}") from exc
    except ValidationError as exc:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in error['loc']) or 'document'}: {error['msg']}" for error in exc.errors()
        )
        raise PlantError(f"SIMULATION_PLANT: {source}: {problems}") from exc
