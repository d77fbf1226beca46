"""Ingest and dry runs."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from forewarn.contracts.base import Identifier, UtcDatetime
from forewarn.contracts.guard_rules import Cause
from forewarn.contracts.quality import Severity
from forewarn.contracts.readings import RejectionReason


class Undeliverable(BaseModel):
    """A reading that could not be delivered to the platform."""

    index: int = Field(description="Position in the list that was sent.")
    asset_id: Identifier
    reason: str


class Ingested(BaseModel):
    """Outcome of sending readings."""

    accepted: Annotated[int, Field(ge=0, description="Stored by the broker; the validator judges them next.")]
    failed: Annotated[int, Field(ge=0)] = 0
    failures: list[Undeliverable] = Field(default_factory=list)


class TagQuality(BaseModel):
    """Quality of one tag."""

    code: int = Field(description="OPC UA status code.", examples=[0])
    severity: Severity


class FoundIssue(BaseModel):
    """A finding of the guard."""

    rule: str
    tag: str
    cause: Cause = Field(description="What is probably at fault.")
    message: str
    value: float | None = Field(description="What was sent for the tag, or derived.")
    unit: str
    values: dict[str, float | None] = Field(description="All values that led to the finding.")
    recommendation: str


class Judged(BaseModel):
    """Verdict of the guard on one reading."""

    index: int
    asset_id: str
    ts: UtcDatetime
    verdict: Literal["accepted", "warning", "rejected", "duplicate"]
    late: bool = Field(default=False, description="Older than one before it in the list: for history only.")
    reason: RejectionReason | None = None
    rule: str | None = None
    cause: Cause | None = Field(default=None, description="What is probably at fault if it is rejected.")
    values: dict[str, float | None] = Field(default_factory=dict, description="Values that led to the rejection.")
    explanation: str | None = Field(default=None, description="Why it is rejected.")
    recommendation: str | None = None
    quality: dict[str, TagQuality] = Field(default_factory=dict)
    findings: list[FoundIssue] = Field(default_factory=list)
    derived: dict[str, float | None] = Field(default_factory=dict, description="Quantities computed from the tags.")


class DryRun(BaseModel):
    """Verdicts in the order of the readings; nothing was stored."""

    verdicts: list[Judged]
