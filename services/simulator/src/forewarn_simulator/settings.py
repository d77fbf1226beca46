"""Settings of the simulator."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from forewarn.runtime.settings import ServiceSettings
from forewarn_simulator.plant import PlantError, load_plant


class SimulatorSettings(ServiceSettings):
    """What the simulator reads from the environment."""

    simulation_enabled: bool = Field(default=True, description="false: register the plant's assets and stay silent.")
    simulation_interval_seconds: float = Field(
        default=1.0, ge=0.05, le=3600, description="Distance of a simulated machine's readings."
    )
    simulation_plant: Path | None = Field(default=None, description="Plant file; the demo plant if not set.")
    skab_path: Path | None = Field(default=None, description="Directory of the SKAB recordings.")

    @model_validator(mode="after")
    def _plant_can_be_used(self) -> Self:
        try:
            load_plant(self.simulation_plant)
        except PlantError as exc:
            raise ValueError(str(exc)) from exc
        return self
