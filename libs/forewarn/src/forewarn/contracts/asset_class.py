"""File format of the catalogue: one YAML document describes one class of machines.

A class is data. It names tags, limits, physics rules, what the twin predicts from what, how health
is judged and which alarms exist; formulae are referred to by name (``forewarn.domain.physics``).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from forewarn.contracts.alarms import AlarmSource, Priority
from forewarn.contracts.base import Identifier, Probability, StrictContract, TagName

#: How a source that is a nameplate field begins.
PLATE_PREFIX = "nameplate."
_RESERVED_PREFIXES = ("quality_", "expected_", "residual_", "contribution_")
_RESERVED_NAMES = frozenset(
    [
        "asset_id",
        "ts",
        "received_at",
        "seq",
        "late",
        "historical",
        "verdict",
        "findings",
        "deviation",
        "phase",
        "regime",
        "model_version",
        "score",
        "p_value",
        "flag",
        "culprit",
        "hint",
        "source",
        "key",
    ]
)


class Tag(StrictContract):
    """One measured quantity."""

    name: TagName
    title: str
    unit: str
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
    aliases: tuple[str, ...] = Field(default=(), description="Names gateways use for it.")
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
    title: str
    unit: str
    function: str = Field(description="Name in forewarn.domain.physics.registry.")
    inputs: dict[str, str] = Field(
        description="Parameter of the function → tag, earlier derived quantity or 'nameplate.NAME'."
    )


class Condition(StrictContract):
    """Holds while a column lies within bounds; False where the column is unknown."""

    column: TagName
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Condition":
        if self.above is None and self.below is None:
            msg = f"condition on {self.column!r} needs 'above' or 'below'"
            raise ValueError(msg)
        return self


class PhysicsRule(StrictContract):
    """Bounds that nature sets to a column; crossing them makes the reading wrong, not the machine."""

    id: Identifier
    column: TagName
    minimum: float | None = None
    maximum: float | None = None
    when: Condition | None = None
    severity: Literal["reject", "warning"]
    blames: tuple[TagName, ...] = Field(description="Tags that may be at fault.")
    message: str
    recommendation: str


class TwinSpec(StrictContract):
    """What the twin predicts, and from what."""

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
    running: Condition | None = Field(default=None, description="The twin judges only while this holds.")
    baseline_readings: Annotated[int, Field(ge=50, le=5000)] = Field(
        default=400, description="Healthy readings learned before judging starts."
    )


class HealthInput(StrictContract):
    """One metric of the health index: 100 at ``good`` or better, 0 at ``bad`` or worse, linear between."""

    column: TagName
    weight: Probability
    good: float
    bad: float
    message: str = Field(description="What a low score means, for people.")
    recommendation: str


class FailureMode(StrictContract):
    """How a machine of this class dies and what shows it."""

    id: Identifier
    title: str
    indicator: TagName
    threshold: float = Field(description="Value of the indicator that counts as failure.")
    growth: Literal["linear", "exponential"] = "linear"
    recommendation: str


class AlarmRule(StrictContract):
    """One alarm every asset of the class can raise."""

    id: Identifier
    source: AlarmSource
    column: TagName | None = Field(default=None, description="For threshold alarms.")
    high: float | None = None
    low: float | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    on_delay_s: Annotated[float, Field(ge=0)] = 0.0
    off_delay_s: Annotated[float, Field(ge=0)] = 0.0
    priority: Priority
    message: str
    action: str


class NameplateField(StrictContract):
    """A rated value an asset may state."""

    name: TagName
    unit: str
    default: float


class AssetClass(StrictContract):
    """A class of machines."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: str
    version: Annotated[int, Field(ge=1)] = 1
    tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=64)]
    nameplate: tuple[NameplateField, ...] = ()
    derived: tuple[Derived, ...] = ()
    rules: tuple[PhysicsRule, ...] = ()
    twin: TwinSpec
    health: tuple[HealthInput, ...] = ()
    failure_modes: tuple[FailureMode, ...] = ()
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
    def units(self) -> dict[str, str]:
        """Unit of every tag and derived quantity."""
        return {tag.name: tag.unit for tag in self.tags} | {item.name: item.unit for item in self.derived}

    @model_validator(mode="after")
    def _names_are_unique_and_free(self) -> "AssetClass":
        names = self.column_names
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            msg = f"column names must be unique, these are not: {', '.join(twice)}"
            raise ValueError(msg)
        taken = [n for n in names if n in _RESERVED_NAMES or n.startswith(_RESERVED_PREFIXES)]
        if taken:
            msg = f"these names are reserved for the platform's own columns: {', '.join(taken)}"
            raise ValueError(msg)
        known = {*self.tag_names, *(alias for tag in self.tags for alias in tag.aliases)}
        if len(known) != len(self.tags) + sum(len(tag.aliases) for tag in self.tags):
            msg = "an alias stands for two tags, or is another tag's name"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _references_exist(self) -> "AssetClass":
        columns = set(self.column_names)
        self._require("twin.drivers", self.twin.drivers, columns)
        self._require("twin.responses", self.twin.responses, columns)
        self._require("twin.load", self.twin.load, set(self.twin.drivers))
        self._require("twin.heat", self.twin.heat, set(self.twin.drivers))
        self._require("health", (h.column for h in self.health), columns)
        self._require("failure_modes", (f.indicator for f in self.failure_modes), columns)
        self._require("alarms", (a.column for a in self.alarms if a.column is not None), columns)
        self._require("rules", (r.column for r in self.rules), columns)
        self._require("rules.blames", (b for r in self.rules for b in r.blames), set(self.tag_names))
        conditions = (self.twin.running, *(rule.when for rule in self.rules))
        self._require("conditions", (c.column for c in conditions if c is not None), columns)
        self._require_derived_inputs()
        return self

    def _require_derived_inputs(self) -> None:
        plate = {f"{PLATE_PREFIX}{field.name}" for field in self.nameplate}
        self._require("tags.fallback", (tag.fallback for tag in self.tags if tag.fallback is not None), plate)
        available = set(self.tag_names) | plate
        for item in self.derived:
            self._require(f"derived.{item.name}.inputs", item.inputs.values(), available)
            available.add(item.name)

    @staticmethod
    def _require(where: str, used: Iterable[str], available: set[str]) -> None:
        missing = sorted({name for name in used if name not in available})
        if missing:
            msg = f"{where}: no such column: {', '.join(missing)} (there are {', '.join(sorted(available))})"
            raise ValueError(msg)
