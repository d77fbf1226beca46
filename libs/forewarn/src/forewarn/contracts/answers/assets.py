"""Assets, their newest values and their history."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, create_model

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.answers.readings import FoundIssue
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset, HealthWeights
from forewarn.contracts.base import USABLE_SIZE, Identifier, Name, StrictContract, UtcDatetime
from forewarn.contracts.frames import JudgementOverTime, JudgementSummary
from forewarn.contracts.health import AnomalyBand, AssetHealth, DeviationBand, ModelArtefact
from forewarn.contracts.quality import Severity


class AssetList(BaseModel):
    """Registered assets."""

    items: list[Asset]
    next_cursor: str | None = None


class Registered(BaseModel):
    """Outcome of one entry of a bulk registration."""

    asset_id: str
    outcome: Literal["created", "replaced", "refused", "failed"]
    detail: str | None = Field(default=None, description="Why, unless it was registered.")
    errors: list[Fault] = Field(default_factory=list, description="Single faults; pointers are into the entry.")


class RegisteredList(BaseModel):
    """Outcome of a bulk registration, entry by entry in the order sent."""

    registered: int
    items: list[Registered]


class Removed(BaseModel):
    """An asset that was removed."""

    removal_id: Identifier
    asset_id: Identifier
    removed_at: UtcDatetime
    history: Literal["keep", "purge"]


class RemovedAsset(BaseModel):
    """An asset that is no longer registered, with what was known of it."""

    asset_id: str
    name: str
    asset_class: str
    path: tuple[str, ...]
    removed_at: UtcDatetime


class RemovedList(BaseModel):
    """Removed assets with stored data, by id."""

    items: list[RemovedAsset]
    next_cursor: str | None = None


class AssetDetail(BaseModel):
    """An asset with its class and models."""

    asset: Asset
    asset_class: AssetClass
    models: list[ModelArtefact] = Field(description="Cards of the newest models of this asset.")


class ClassSummary(BaseModel):
    """Summary of a class."""

    name: str
    title: str
    version: int
    tags: int
    derived: int
    alarms: int


class ClassList(BaseModel):
    """Classes of the catalogue."""

    items: list[ClassSummary]


class LiveJudgement(JudgementSummary):
    """Newest reading the twin and the anomaly stage have judged, usually some 0.1 s behind ``LiveReading``."""

    ts: UtcDatetime = Field(description="Event time of the reading this belongs to.")
    values: dict[str, float | None] = Field(description="That reading's own tags and derived quantities.")
    expected: dict[str, float | None] = Field(description="What the twin expects, in the tag's unit.")
    residual: dict[str, float | None] = Field(description="Measured − expected in healthy standard deviations.")
    contribution: dict[str, float | None] = Field(description="Share in the anomaly score.")


class Judgement(LiveJudgement):
    """Judgement of one reading by twin and anomaly stage. All mappings are by tag; null is unknown."""

    expected_low: dict[str, float] = Field(
        default_factory=dict,
        description="Where 90 % of a healthy machine's readings lie around it, P5; in the tag's unit.",
    )
    expected_high: dict[str, float] = Field(default_factory=dict, description="P95 of the same.")
    deviation_band: DeviationBand | None = Field(default=None, description="low below 10, medium to 25, high above.")
    score_band: AnomalyBand | None = Field(
        default=None, description="monitoring below 70, warning to 85, critical above."
    )


class LiveReading(BaseModel):
    """Newest reading of an asset, and the newest one that has been judged (usually 0.1 s older)."""

    asset_id: Identifier
    asset_class: Identifier
    ts: UtcDatetime
    received_at: UtcDatetime
    findings: str | None = Field(description="What the guard found: rule:tag pairs joined by ';'.")
    values: dict[str, float | None]
    quality: dict[str, int] = Field(description="OPC UA status code of every tag; 0 is good.")
    judgement: Judgement | None


class LatestValue(BaseModel):
    """One column of the newest reading."""

    name: str
    title: str
    unit: str
    value: float | None = Field(description="null where unknown or bad.")
    quality: Severity | None = Field(description="null for derived quantities.")
    quality_code: int | None
    expected: float | None = None
    expected_low: float | None = Field(default=None, description="P5 of a healthy machine around what is expected.")
    expected_high: float | None = Field(default=None, description="P95 of the same.")
    residual: float | None = None
    contribution: float | None = None


class StateOfAsset(BaseModel):
    """What ``LatestState`` has besides the judgement as a whole."""

    asset_id: Identifier
    asset_class: Identifier
    ts: UtcDatetime | None = Field(description="Event time of the newest reading; null before the first.")
    age_s: float | None
    values: list[LatestValue]
    findings: str | None
    issues: list[FoundIssue] = Field(
        default_factory=list, description="The findings in words; a value is null where it is bad and was not kept."
    )
    judged_at: UtcDatetime | None = Field(
        default=None, description="Event time of the reading that expected … hint belong to."
    )
    health: AssetHealth | None = None
    alarms: list[Alarm] = Field(default_factory=list, description="Open alarms.")


#: Fields of a judgement by tag.
PER_TAG: Final = frozenset({"expected", "expected_low", "expected_high", "residual", "contribution"})
#: Fields of the judgement as a whole, null before the first.
_IF_JUDGED: Final[dict[str, Any]] = {
    name: (field.annotation | None, Field(default=None, description=field.description))  # type: ignore[operator]  # of types
    for name, field in Judgement.model_fields.items()
    if name not in {"ts", "values", *PER_TAG}
}
LatestState = create_model(
    "LatestState", __base__=StateOfAsset, __doc__="Everything known now about one asset.", **_IF_JUDGED
)


class HistoryColumn(BaseModel):
    """One column over time: lists as long as ``ts`` of the answer, or empty."""

    unit: str
    values: tuple[float | None, ...] = Field(description="Values, or means of the buckets.")
    expected: tuple[float | None, ...] = ()
    expected_low: tuple[float | None, ...] = Field(
        default=(), description="P5 of single readings of a healthy machine; null where the model extrapolates."
    )
    expected_high: tuple[float | None, ...] = Field(default=(), description="P95 of the same.")
    quality: tuple[int, ...] = Field(default=(), description="OPC UA status codes (raw only).")
    minimum: tuple[float | None, ...] = ()
    maximum: tuple[float | None, ...] = ()
    pct_good: tuple[float | None, ...] = ()


class HistoryAnswer(JudgementOverTime):
    """An asset's history, oldest first, column by column."""

    asset_id: Identifier
    asset_class: Identifier
    resolution: Literal["raw", "1m", "1h", "1d"]
    ts: tuple[UtcDatetime, ...] = Field(description="Time of a reading, or start of a bucket.")
    count: tuple[int, ...] = Field(description="Readings in the bucket.")
    columns: dict[str, HistoryColumn]
    next_from: UtcDatetime | None = Field(description="Where to go on, when the answer was cut off.")


class HealthAnswer(BaseModel):
    """Health now and, when asked for, over time."""

    asset_id: Identifier
    current: AssetHealth | None = Field(description="null before the first judgement.")
    history: list[AssetHealth] = Field(default_factory=list, description="Oldest first.")


class WeightsAnswer(BaseModel):
    """Weights of the parts of an asset's health; unknown parts share their weight among the known ones."""

    asset_id: Identifier
    effective: HealthWeights = Field(description="Weights in effect: the class's with the asset's own.")
    of_class: HealthWeights
    own: HealthWeights = Field(description="The asset's own weights.")


class Signed(StrictContract):
    """A request signed by a person or program."""

    by: Name = Field(default="api", description="Who asks; recorded in the audit trail.")


class FaultRequest(Signed):
    """Let a fault grow in a simulated machine."""

    fault: Identifier
    duration_s: Annotated[float, Field(gt=0, le=366 * 86_400), USABLE_SIZE] = Field(
        description="Time from onset to failure [s]."
    )
    severity: Annotated[float, Field(gt=0, le=1), USABLE_SIZE] = 1.0


class CommandAccepted(BaseModel):
    """The broker has stored a command; the services carry it out."""

    command_id: Identifier
    asset_id: Identifier
