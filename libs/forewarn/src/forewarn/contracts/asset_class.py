"""File format of the catalogue: one YAML document describes one class of machines.

A class is data. It names tags, limits, physics rules, what the twin predicts from what, how health
is judged and which alarms exist; formulae are referred to by name (``forewarn.domain.physics``).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from forewarn.contracts.alarms import AlarmSource, Priority
from forewarn.contracts.base import Identifier, Line, NotNegative, Probability, StrictContract, TagName
from forewarn.contracts.guard_rules import Condition, PhysicsRule, RedundantSensors

#: Prefix of a source that is a nameplate field.
PLATE_PREFIX = "nameplate."


class Tag(StrictContract):
    """One measured quantity."""

    name: TagName
    title: Line
    unit: Line
    engineering_range: tuple[float, float] = Field(description="Outside: uncertain, a warning.")
    hard_range: tuple[float, float] | None = Field(
        default=None, description="Outside: physically impossible, the value is bad and is not used."
    )
    max_rate_per_s: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Faster change between two readings is a sensor spike."
    )
    frozen_after_s: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Exactly the same value for longer while the machine runs: the sensor is stuck.",
    )
    aliases: tuple[Line, ...] = Field(default=(), description="Names gateways use for it.")
    fallback: str | None = Field(
        default=None,
        description="'nameplate.NAME': what derived quantities are estimated with for an asset that never sends "
        "the tag and states this value.",
    )

    @model_validator(mode="after")
    def _ranges(self) -> "Tag":
        for label, bounds in (("engineering_range", self.engineering_range), ("hard_range", self.hard_range)):
            if bounds is not None and not bounds[0] < bounds[1]:
                msg = f"{label} of tag {self.name!r} must rise: {list(bounds)}"
                raise ValueError(msg)
        return self


class Derived(StrictContract):
    """A quantity computed from tags and nameplate by a named physics function."""

    name: TagName
    title: Line
    unit: Line
    function: str = Field(description="Name in forewarn.domain.physics.registry.")
    inputs: dict[str, str] = Field(
        description="Parameter of the function → tag, earlier derived quantity or 'nameplate.NAME'."
    )


class PhysicsTerm(StrictContract):
    """A quantity computed by physics from drivers, to which a response is proportional."""

    name: TagName
    function: str | None = Field(default=None, description="Name in forewarn.domain.physics.registry.")
    inputs: dict[str, str] = Field(
        default={}, description="Parameter of the function → driver, earlier term or 'nameplate.NAME' (class default)."
    )
    powers: dict[str, float] = Field(
        default={}, description="Instead of a function: driver or earlier term → exponent; the powers are multiplied."
    )

    @model_validator(mode="after")
    def _computed_one_way(self) -> "PhysicsTerm":
        if (self.function is None) == (not self.powers) or (self.function is None and self.inputs):
            msg = f"term {self.name!r} needs a 'function' with 'inputs', or 'powers'"
            raise ValueError(msg)
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """What it is computed from."""
        return (*self.inputs.values(), *self.powers)


class TwinSpec(StrictContract):
    """What the twin predicts, and from which drivers."""

    drivers: tuple[TagName, ...] = Field(
        default=(),
        description="Set from outside (load, speed, ambient). Empty: each tag is predicted from the others.",
    )
    load: tuple[TagName, ...] = Field(
        default=(), description="Drivers that rise and fall in proportion with the machine's load, for what-if."
    )
    heat: tuple[TagName, ...] = Field(
        default=(), description="Drivers that a hot day or a hot medium raises; all temperatures if empty."
    )
    responses: Annotated[tuple[TagName, ...], Field(min_length=1)]
    physics: tuple[PhysicsTerm, ...] = Field(default=(), description="Quantities that priors are made of, in order.")
    priors: dict[TagName, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        default={},
        description="Response → drivers and terms it is a sum of by physics, each times a factor that is learned. "
        "A correction is learned too, and a prior that does not help is left out.",
    )
    running: Condition | None = Field(default=None, description="The twin judges only while this holds.")
    baseline_readings: Annotated[int, Field(ge=50, le=5000)] = Field(
        default=400, description="Healthy readings learned before judging starts."
    )


class HealthInput(StrictContract):
    """One metric of an asset's condition.

    Scored 100 at ``good`` or better, 0 at ``bad`` or worse and linear between, or by bands: ``bands`` of its own
    or those of a ``standard`` (names in ``forewarn.domain.physics.bands``).
    """

    column: TagName
    worst_with: tuple[TagName, ...] = Field(
        default=(), description="Columns judged the same way; the worst of them and 'column' is the metric."
    )
    weight: Probability
    good: float | None = None
    bad: float | None = None
    bands: tuple[float, float, float, float] | None = Field(
        default=None, description="Where good, fair, poor and critical begin; falling where more is better."
    )
    standard: Identifier | None = Field(default=None, description="Bands that people have agreed on, by name.")
    message: Line = Field(description="What a low score means, for people.")
    recommendation: Line

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the metric looks at."""
        return (self.column, *self.worst_with)

    @property
    def fails_high(self) -> bool | None:
        """Whether large values are bad; None if both sides are."""
        if self.good is not None and self.bad is not None:
            return None if self.good == self.bad else self.bad > self.good
        return self.bands is None or self.bands[0] < self.bands[-1]  # lower is better by every standard

    @model_validator(mode="after")
    def _scored_one_way(self) -> "HealthInput":
        limits = (self.good is not None) + (self.bad is not None)
        if limits == 1:
            msg = "needs both 'good' and 'bad'"
            raise ValueError(msg)
        if (limits == 2) + (self.bands is not None) + (self.standard is not None) != 1:
            msg = "needs one of: 'good' with 'bad', 'bands', 'standard'"
            raise ValueError(msg)
        if self.bands is not None and not is_monotone(self.bands):
            msg = f"bands must rise, or fall where more is better: {list(self.bands)}"
            raise ValueError(msg)
        return self


def is_monotone(edges: Sequence[float]) -> bool:
    """Return whether values strictly rise or strictly fall."""
    steps = [second - first for first, second in pairwise(edges)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


class ComponentWeights(StrictContract):
    """Weights of the components of the health index; only their proportions matter."""

    twin: Probability = 0.30
    anomaly: Probability = 0.30
    rul: Probability = 0.25
    risk: Probability = 0.15

    @model_validator(mode="after")
    def _something_counts(self) -> "ComponentWeights":
        if self.twin + self.anomaly + self.rul + self.risk <= 0.0:
            msg = "at least one component must count"
            raise ValueError(msg)
        return self


class Repair(StrictContract):
    """What it takes to repair a failure mode, in the class's currency; downtime costs extra."""

    planned_cost: NotNegative = Field(description="Parts and work when it is done in time.")
    planned_downtime_h: NotNegative = Field(description="How long production stands for it; 0 in a planned stop.")
    unplanned_cost: NotNegative = Field(description="Parts, work and consequences after a failure.")
    unplanned_downtime_h: NotNegative
    service_life_days: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="What a repair lasts; repairing early forfeits the rest of it."
    )

    @model_validator(mode="after")
    def _failing_is_no_cheaper(self) -> "Repair":
        if self.unplanned_cost < self.planned_cost or self.unplanned_downtime_h < self.planned_downtime_h:
            msg = "a failure cannot cost less, or stand less long, than the planned repair"
            raise ValueError(msg)
        return self


class FailureMode(StrictContract):
    """How a machine of this class fails, and what shows it."""

    id: Identifier
    title: Line
    indicator: TagName
    threshold: float = Field(description="Value of the indicator that counts as failure.")
    growth: Literal["linear", "exponential"] = "linear"
    of_operation: bool = Field(default=False, description="The operating point fails: it is followed as measured.")
    recommendation: Line
    repair: Repair | None = Field(default=None, description="Without it nothing is said of the mode's costs.")


class Economics(StrictContract):
    """Costs of downtime and energy; an asset may override them."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(default="EUR", description="ISO 4217.")
    downtime_cost_per_min: NotNegative = 150.0
    energy_price_per_kwh: NotNegative = 0.15
    monitoring_cost_per_year: NotNegative = Field(default=0.0, description="What watching one asset costs.")
    power: TagName | None = Field(
        default=None, description="Power [kW] the twin predicts; what is drawn above expectation is wasted."
    )


class AlarmRule(StrictContract):
    """An alarm that every asset of the class can raise."""

    id: Identifier
    source: AlarmSource
    column: TagName | None = Field(default=None, description="For threshold alarms.")
    high: float | None = None
    low: float | None = None
    anticipates: Identifier | None = Field(
        default=None, description="For forecast alarms: the threshold alarm of the class that is expected to come."
    )
    horizon_days: Annotated[float, Field(gt=0, le=14)] = Field(
        default=7.0, description="For forecast alarms: how far ahead the limit must lie at the most."
    )
    min_probability: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.8, description="For forecast alarms: probability of reaching the limit that raises the alarm."
    )
    deadband: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description="How far back from the limit clears the alarm, in its unit; probability for forecast alarms.",
    )
    on_delay_s: Annotated[float, Field(ge=0)] = 0.0
    off_delay_s: Annotated[float, Field(ge=0)] = 0.0
    priority: Priority
    message: Line
    action: Line


class NameplateField(StrictContract):
    """A rated value that an asset may have."""

    name: TagName
    unit: Line
    default: float


class AssetClass(StrictContract):
    """A class of machines; ``forewarn.adapters.catalogue.rules`` checks its fields against each other."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Line
    version: Annotated[int, Field(ge=1)] = 1
    tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=64)]
    nameplate: tuple[NameplateField, ...] = ()
    derived: tuple[Derived, ...] = ()
    rules: tuple[PhysicsRule, ...] = ()
    redundant: tuple[RedundantSensors, ...] = ()
    twin: TwinSpec
    health: tuple[HealthInput, ...] = ()
    health_components: ComponentWeights = ComponentWeights()
    failure_modes: tuple[FailureMode, ...] = ()
    economics: Economics = Economics()
    alarms: tuple[AlarmRule, ...] = ()

    def __hash__(self) -> int:
        return hash((self.name, self.version))  # cheap: classes key the caches of the hot path

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Tags in wire order."""
        return tuple(tag.name for tag in self.tags)

    @property
    def derived_names(self) -> tuple[str, ...]:
        """Derived quantities in wire order."""
        return tuple(item.name for item in self.derived)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Tags, then derived quantities."""
        return (*self.tag_names, *self.derived_names)

    @property
    def health_columns(self) -> tuple[str, ...]:
        """Every column some metric looks at, each once."""
        return tuple(dict.fromkeys(name for item in self.health for name in item.columns))

    def fails_high(self, column: str) -> bool | None:
        """Return whether a column is bad when it is high; None if no metric says so."""
        return next((item.fails_high for item in self.health if column in item.columns), None)

    @property
    def units(self) -> dict[str, str]:
        """Unit of every tag and derived quantity."""
        return {tag.name: tag.unit for tag in self.tags} | {item.name: item.unit for item in self.derived}

    @property
    def titles(self) -> dict[str, str]:
        """What people call every tag and derived quantity."""
        return {tag.name: tag.title for tag in self.tags} | {item.name: item.title for item in self.derived}
