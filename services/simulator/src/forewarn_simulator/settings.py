"""Settings of the simulator."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from forewarn.adapters.plant_file import PlantError, load_plants
from forewarn.runtime.settings import DiskSettings


class SimulatorSettings(DiskSettings):
    """Settings of the simulator."""

    simulation_enabled: bool = Field(default=True, description="false: register the plant's assets and stay silent.")
    simulation_interval_seconds: float = Field(
        default=1.0, ge=0.05, le=3600, description="Interval of a simulated machine's readings."
    )
    simulation_plant: str = Field(
        default="demo,refinery,factory,building",
        description="Plants, separated by commas: files, or names of built-in examples.",
    )
    skab_path: Path | None = Field(default=None, description="Directory of the SKAB recordings.")

    @model_validator(mode="after")
    def _plant_can_be_used(self) -> Self:
        try:
            load_plants(self.simulation_plant)
        except PlantError as exc:
            raise ValueError(f"SIMULATION_PLANT: {exc}") from exc
        return self
