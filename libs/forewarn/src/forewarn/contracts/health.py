"""Health, remaining useful life and model artefacts."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from forewarn.contracts.base import Contract, Days, Identifier, OpaqueBytes, Probability, Score, StoredText, UtcDatetime
from forewarn.contracts.forecasts import LimitForecast

MetricStatus = Literal["excellent", "good", "fair", "poor", "critical", "unknown"]
Trend = Literal["improving", "stable", "degrading", "unknown"]

#: Bands of the anomaly score: below 70, to 85, above.
AnomalyBand = Literal["monitoring", "warning", "critical"]
#: Bands of the deviation from the twin: below 10, to 25, above.
DeviationBand = Literal["low", "medium", "high"]
#: An asset's state in one word, for overviews.
Condition = Literal["normal", "attention", "learning", "unjudged", "stale", "silent"]

#: Components of the health index besides the class's metrics.
ComponentName = Literal["twin", "anomaly", "rul", "risk"]
#: The two views of an asset's health; the index is the lower one.
HealthView = Literal["condition", "components"]


class HealthCategory(StrEnum):
    """Bands of the health index: from 90, 70, 50, 30, below."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    CRITICAL = "critical"


class HealthMetric(Contract):
    """One physical metric of an asset's condition with its explanation."""

    name: str
    score: Score | None = Field(description="None while the input is missing.")
    weight: Probability = Field(description="Share in the condition, of the metrics that are known.")
    status: MetricStatus
    value: float | None
    unit: str
    message: str


class HealthComponent(Contract):
    """One component of the health index with its explanation."""

    name: ComponentName
    score: Score | None = Field(description="None while the input is missing.")
    weight: Probability = Field(description="Share in the component index, of the components that are known.")
    status: MetricStatus
    message: str


class FailureRisk(Contract):
    """Probability of failure from now on, under present operating conditions."""

    within_7_days: Probability
    within_30_days: Probability
    within_90_days: Probability


class RulEstimate(Contract):
    """Remaining useful life of one failure mode under current conditions (ISO 13381-1)."""

    failure_mode: Identifier
    p10_days: Days
    p50_days: Days
    p90_days: Days
    indicator: str = Field(description="Tag whose growth is followed.")
    threshold: float = Field(description="Value of the indicator that counts as failure.")
    confidence: Probability = Field(default=0.8, description="Nominal share of the interval P10 to P90.")
    model: str = Field(description="Method and version.")
    risk: FailureRisk | None = Field(default=None, description="From the same distribution as the quantiles.")

    @model_validator(mode="after")
    def _ordered(self) -> "RulEstimate":
        if not self.p10_days <= self.p50_days <= self.p90_days:
            msg = f"RUL quantiles out of order: {self.p10_days}, {self.p50_days}, {self.p90_days}"
            raise ValueError(msg)
        return self


class ProcessDrift(Contract):
    """A lasting change of how an asset runs that has settled: perhaps a new normal, not a fault that grows."""

    since: UtcDatetime = Field(description="When the change was first seen flagged.")
    tags: tuple[str, ...] = Field(description="Tags that moved, the farthest first.")
    explanation: str


class AssetHealth(Contract):
    """Judgement of one asset at one instant: an event of ``asset.health``, keyed by ``asset_id``."""

    asset_id: Identifier
    asset_class: Identifier
    ts: UtcDatetime = Field(description="Event time of the newest reading it rests on.")
    health: Score | None = Field(description="The lower of condition and component index; None while nothing is known.")
    category: HealthCategory | None
    trend: Trend
    trend_per_day: float | None = Field(description="Change of the index in points a day.")
    condition: Score | None = Field(default=None, description="What the metrics say together: the physical state.")
    component_index: Score | None = Field(
        default=None, description="What the components say together: how unlike itself it is, and what is to come."
    )
    limited_by: HealthView | None = Field(default=None, description="The view that is lower, and so is the index.")
    metrics: tuple[HealthMetric, ...]
    components: tuple[HealthComponent, ...] = ()
    anomaly_score: Score | None = Field(description="0–100; None while the twin still learns.")
    anomaly_band: AnomalyBand | None = Field(
        default=None, description="Of the score: monitoring below 70, warning to 85, critical above."
    )
    anomaly_flag: bool
    culprit: str | None = Field(default=None, description="Tag that contributes most to the anomaly.")
    deviation: Score | None
    rul: tuple[RulEstimate, ...] = ()
    failure_risk: FailureRisk | None = Field(
        default=None, description="Of any failure mode; None while none shows growth that allows an estimate."
    )
    forecasts: tuple[LimitForecast, ...] = Field(
        default=(), description="Of columns that move towards the limit of an alarm; the others are not forecast."
    )
    process_drift: ProcessDrift | None = Field(
        default=None, description="A settled change of how it runs; never a reason for an alarm of its own."
    )
    primary_concern: str | None = None
    recommendations: tuple[str, ...] = ()
    historical: bool = Field(default=False, description="Rests on an imported reading: never alarms.")


class OperatingRange(Contract):
    """Range of a column while the twin learned, in its unit."""

    low: float
    middle: float = Field(description="Median.")
    high: float


class ResidualRange(Contract):
    """Range of the residuals of a tag on the healthy machine, in its unit."""

    low: float = Field(description="P5 of measured − expected of held-out healthy readings.")
    high: float = Field(description="P95 of the same.")
    scale: float = Field(description="Their standard deviation: the unit of the residuals.")


class OperatingRegime(Contract):
    """An operating regime that a twin found in its baseline."""

    code: Annotated[int, Field(ge=0, le=255)] = Field(
        description="Value of the column regime: 0 the usual one, 4 to 6 others."
    )
    share: Probability = Field(description="Of the readings it learned from.")
    centre: dict[str, float] = Field(description="Middle of each driver, in its unit; of tags without drivers none.")
    intervals: dict[str, ResidualRange] = Field(description="Of each judged tag.")


class SuspiciousStretch(Contract):
    """A stretch of a baseline that the rest of it does not explain."""

    tag: str
    start: UtcDatetime
    end: UtcDatetime = Field(description="Time of the last reading of the stretch.")
    rows: Annotated[int, Field(ge=1)]
    explanation: str


class ModelArtefact(Contract):
    """A fitted model's card: an entry of the compacted topic ``models``, keyed by ``asset_id/kind``."""

    asset_id: Identifier
    kind: Identifier
    version: Annotated[int, Field(ge=1)]
    method: str
    trained_from: UtcDatetime
    trained_to: UtcDatetime
    rows: Annotated[int, Field(ge=1)]
    r2: dict[str, float] = Field(description="Cross-validated R² of normal reconstruction per tag.")
    unjudged: dict[str, str] = Field(default_factory=dict, description="Tags the model leaves out, with the reason.")
    requested_by: StoredText = "automatic"
    reason: StoredText = Field(default="", description="What it was asked for.")
    operating: dict[str, OperatingRange] = Field(
        default={}, description="Range of each driver and response while the twin learned."
    )
    regimes: tuple[OperatingRegime, ...] = Field(
        default=(), description="Ways of running with the intervals of the expected values; the usual one first."
    )
    suspicious: tuple[SuspiciousStretch, ...] = Field(
        default=(), description="Stretches of the baseline that look unlike the rest, the longest first; at most ten."
    )
    suspicious_share: Probability = Field(default=0.0, description="Share of the baseline in any such stretch.")
    parameters: OpaqueBytes | None = Field(
        default=None,
        description="The model itself, for whoever computes with it (FWMODEL1, zlib); lists leave it out.",
    )
