"""The newest state of every asset, from the topics: what the API shows and pushes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.health import AssetHealth, HealthCategory, ModelArtefact
from forewarn.ports.history import Latest

#: Stages whose output the live feed follows.
Stage = Literal["readings.valid", "anomaly.scores", "asset.health"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReading:
    """Newest validated reading of an asset.

    Attributes
    ----------
    values
        Every tag and derived quantity in its unit; None where unknown or bad.
    quality
        OPC UA status code of every tag.
    findings
        What the guard noticed, ``rule:tag`` pairs joined by ``;``.
    """

    ts: datetime
    received_at: datetime
    findings: str | None
    values: Mapping[str, float | None]
    quality: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAsset:
    """All that is known now of one asset; ``version`` grows with each change."""

    asset_id: str
    version: int
    asset_class: str | None = None
    reading: LiveReading | None = None
    judgement: LiveJudgement | None = None
    health: AssetHealth | None = None
    alarms: Mapping[str, Alarm] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthInShort:
    """Health without its explanation."""

    health: float | None
    category: HealthCategory | None
    trend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementInShort:
    """What the twin and the anomaly stage say of a reading, without the tags."""

    score: float | None
    flag: bool
    phase: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInShort:
    """What an overview shows of an asset; far cheaper than ``LiveAsset`` and nothing of it is kept.

    ``judgement`` is None if it lags the reading so much that it is outdated.
    """

    ts_us: int | None = None
    judgement: JudgementInShort | None = None
    health: HealthInShort | None = None
    alarms: tuple[Alarm, ...] = ()


class LiveView(Protocol):
    """The newest state; every method returns at once, may be called from any thread and never raises."""

    @property
    def version(self) -> int:
        """Grows with each change of any asset."""
        ...

    @property
    def alarm_version(self) -> int:
        """Grows with each change of any alarm."""
        ...

    def asset(self, asset_id: str) -> LiveAsset | None:
        """Return what is known of an asset, None if nothing came yet."""
        ...

    def in_short(self, asset_id: str) -> LiveInShort | None:
        """Return the same in short."""
        ...

    def changed_since(self, version: int) -> Sequence[str]:
        """Assets that changed after ``version``, those that changed longest ago first."""
        ...

    def alarms(self) -> Sequence[Alarm]:
        """Return every open alarm."""
        ...

    def alarm(self, alarm_id: str) -> Alarm | None:
        """An open alarm."""
        ...

    def model(self, asset_id: str, kind: str) -> ModelArtefact | None:
        """Card of an asset's newest model of a kind; None before the first."""
        ...

    def models(self) -> Sequence[ModelArtefact]:
        """Card of the newest model of every asset and kind."""
        ...

    def newest(self) -> Mapping[Stage, datetime]:
        """Event time of the newest data of each stage that has sent something."""
        ...

    def seed(self, readings: Sequence[Latest], health: Sequence[AssetHealth]) -> None:
        """Take in what the database holds; only where nothing newer came from the topics."""
        ...

    def problem(self) -> str | None:
        """Return why the view is not complete or not fresh; None when all is well."""
        ...

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from any thread; returns the function that ends it."""
        ...
