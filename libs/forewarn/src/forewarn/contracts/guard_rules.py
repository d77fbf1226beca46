"""What the guard can check for a class beyond limits of single tags: laws of nature and redundant sensors."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from forewarn.contracts.base import Identifier, Line, StrictContract, TagName


class Cause(StrEnum):
    """The cause of a failed check."""

    SENSOR = "sensor"  #: a sensor, its wiring, its calibration
    MACHINE = "machine"  #: the machine: the data are right and are never refused
    PROCESS = "process"  #: how the machine is operated, or what it is connected to
    DATA = "data"  #: gateway, transport, names, units, nameplate


class Condition(StrictContract):
    """Holds while a column is within bounds; False where the column is unknown."""

    column: TagName
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Condition":
        if self.above is None and self.below is None:
            msg = f"condition on {self.column!r} needs 'above' or 'below'"
            raise ValueError(msg)
        return self


class RuleCondition(Condition):
    """Holds while a column is within bounds; unknown where the column is, unless ``otherwise`` decides."""

    minus: TagName | None = Field(default=None, description="The bounds are for the column minus this one.")
    otherwise: "RuleCondition | None" = Field(default=None, description="Asked where the column is unknown.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the condition may look at."""
        own = (self.column,) if self.minus is None else (self.column, self.minus)
        return (*own, *(self.otherwise.columns if self.otherwise else ()))


def _one_or_several(value: object) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


#: One condition or a list of them. The tags keep pydantic from trying both, and from complaining of both.
_When = Annotated[
    Annotated[RuleCondition, Tag("one")] | Annotated[tuple[RuleCondition, ...], Tag("several")],
    Discriminator(_one_or_several),
]


class _Check(StrictContract):
    """Fields that all checks share."""

    id: Identifier
    when: _When | None = Field(default=None, description="When it holds; of a list, all conditions must hold.")
    cause: Cause = Field(default=Cause.SENSOR, description="What is at fault; a machine's fault never refuses data.")
    message: Line
    recommendation: Line

    @property
    def conditions(self) -> tuple[RuleCondition, ...]:
        """Conditions that must all hold."""
        return () if self.when is None else (self.when,) if isinstance(self.when, RuleCondition) else self.when


class PhysicsRule(_Check):
    """Bounds set by nature to a column; a value beyond them is wrong, or its machine is in an odd state."""

    column: TagName
    minus: TagName | None = Field(default=None, description="The bounds are for the column minus this one.")
    minimum: float | None = None
    maximum: float | None = None
    if_unknown: Literal["apply", "skip"] | None = Field(
        default=None,
        description="What happens where it is unknown whether the bounds hold; by default a rule that rejects "
        "applies and one that warns does not.",
    )
    slack_if_unknown: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="How much wider the bounds are where it is unknown whether they hold."
    )
    severity: Literal["reject", "warning"]
    blames: tuple[TagName, ...] = Field(description="Tags that may be at fault.")

    @property
    def applies_if_unknown(self) -> bool:
        """Whether the bounds apply while it is unknown whether the conditions hold."""
        return (self.if_unknown or ("apply" if self.severity == "reject" else "skip")) == "apply"

    @model_validator(mode="after")
    def _machines_faults_refuse_nothing(self) -> "PhysicsRule":
        if self.cause is Cause.MACHINE and self.severity == "reject":
            msg = "a fault of the machine must not refuse its data: use severity 'warning'"
            raise ValueError(msg)
        return self


class RedundantSensors(_Check):
    """Columns that measure the same thing in two or more ways, or one residual that should be zero.

    Their difference is smoothed over time, which hides noise and shows a slow drift.
    """

    columns: Annotated[tuple[TagName, ...], Field(min_length=1, max_length=8)] = Field(
        description="One: a residual. Two: both are suspected. Three or more: the one that has left the others."
    )
    tolerance: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Smoothed difference that is still agreement, in the columns' unit."
    )
    tolerance_pct: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=0.0, description="This share of the others' value is added to the tolerance."
    )
    time_constant_s: Annotated[float, Field(gt=0)] = Field(description="Of the smoothing.")
    blames: tuple[TagName, ...] = Field(
        default=(), description="Tags behind one or two columns that may be at fault; the columns themselves if empty."
    )

    @model_validator(mode="after")
    def _comparable(self) -> "RedundantSensors":
        if self.tolerance == 0 and (self.tolerance_pct == 0 or len(self.columns) == 1):
            missing = "'tolerance'" if len(self.columns) == 1 else "'tolerance' or 'tolerance_pct'"
            msg = f"needs {missing} above 0: no two sensors agree exactly"
            raise ValueError(msg)
        if len(set(self.columns)) != len(self.columns):
            msg = "a column cannot be compared with itself"
            raise ValueError(msg)
        if self.blames and len(self.columns) > 2:
            msg = "of three or more columns the one that has left the others is blamed: drop 'blames'"
            raise ValueError(msg)
        return self
