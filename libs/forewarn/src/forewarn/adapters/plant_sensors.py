"""Sensors and gateways in a plant file."""

from collections.abc import Callable
from math import inf
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from forewarn.contracts.base import StrictContract, TagName
from forewarn.domain.simulation.delivery import GatewayDelivery
from forewarn.domain.simulation.sensor_effects import (
    Drift,
    Dropout,
    During,
    Noise,
    Quantisation,
    Saturation,
    SensorEffect,
    Spikes,
    Stuck,
    SwappedWires,
)

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _SensorFault(StrictContract):
    """Time at which a sensor's fault acts, counted from the machine's registration."""

    make: ClassVar[Callable[..., SensorEffect]]
    after_s: float = Field(default=0.0, description="From registration; negative: in the history.")
    lasts_s: Positive | None = Field(default=None, description="null: for good.")

    def of(self, tag: str, registered_s: float) -> SensorEffect:
        """Return the domain's effect, which has the other fields under the same names."""
        begin_s = registered_s + self.after_s
        during = During(from_s=begin_s, until_s=inf if self.lasts_s is None else begin_s + self.lasts_s)
        return self.make(tag=tag, during=during, **self.model_dump(exclude={"after_s", "lasts_s", "effect"}))


class DriftFault(_SensorFault):
    """The reading leaves the truth at a steady rate."""

    make: ClassVar[Callable[..., SensorEffect]] = Drift
    effect: Literal["drift"]
    per_day: float = Field(description="In the tag's unit.")


class DropoutFault(_SensorFault):
    """Stretches without values."""

    make: ClassVar[Callable[..., SensorEffect]] = Dropout
    effect: Literal["dropout"]
    share: Share
    burst_s: Positive = 60.0


class StuckFault(_SensorFault):
    """The reading stays what it was."""

    make: ClassVar[Callable[..., SensorEffect]] = Stuck
    effect: Literal["stuck"]


class SpikesFault(_SensorFault):
    """Single wild readings."""

    make: ClassVar[Callable[..., SensorEffect]] = Spikes
    effect: Literal["spikes"]
    share: Share
    size: Positive = Field(description="In the tag's unit.")


class NoiseFault(_SensorFault):
    """More noise than the sensor had."""

    make: ClassVar[Callable[..., SensorEffect]] = Noise
    effect: Literal["noise"]
    spread: Positive = Field(description="Standard deviation in the tag's unit.")


class SwappedFault(_SensorFault):
    """Connected crosswise with another sensor."""

    make: ClassVar[Callable[..., SensorEffect]] = SwappedWires
    effect: Literal["swapped_wires"]
    other: TagName


AnySensorFault = Annotated[
    DriftFault | DropoutFault | StuckFault | SpikesFault | NoiseFault | SwappedFault, Field(discriminator="effect")
]


class SensorDocument(StrictContract):
    """One sensor: noise and rounding beyond the model's own, and its faults."""

    sent: bool = Field(default=True, description="false: the machine has no such sensor.")
    range: tuple[float, float] | None = Field(default=None, description="Readings outside show its nearest end.")
    noise: Positive | None = Field(default=None, description="Standard deviation in the tag's unit.")
    resolution: Positive | None = Field(default=None, description="Step of the converter in the tag's unit.")
    faults: tuple[AnySensorFault, ...] = ()

    @model_validator(mode="after")
    def _range_rises(self) -> "SensorDocument":
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"a sensor's range must rise: {list(self.range)}")
        return self

    def effects(self, tag: str, registered_s: float) -> list[SensorEffect]:
        """Return all effects on the signal, in the order in which it meets them."""
        found: list[SensorEffect] = [] if self.noise is None else [Noise(tag=tag, spread=self.noise)]
        found += [fault.of(tag, registered_s) for fault in self.faults]
        if self.range is not None:
            found.append(Saturation(tag=tag, low=self.range[0], high=self.range[1]))
        if self.resolution is not None:
            found.append(Quantisation(tag=tag, resolution=self.resolution))
        return found


class Gateway(StrictContract):
    """How the machine's gateway delivers; see ``domain.simulation.delivery.Delivery``."""

    clock_skew_s: float = Field(default=0.0, description="Its clock minus the true time.")
    late_share: Share = 0.0
    late_by_s: Annotated[float, Field(ge=0)] = Field(default=0.0, description="Late readings are late by at most this.")
    duplicate_share: Share = 0.0

    @model_validator(mode="after")
    def _possible(self) -> "Gateway":
        self.delivery()
        return self

    def delivery(self) -> GatewayDelivery:
        """Return the domain's delivery."""
        return GatewayDelivery(**self.model_dump())
