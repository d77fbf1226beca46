"""The newest state of every asset, from the topics, as shown and pushed by the API."""

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
class NewestReading:
    """Newest validated reading of an asset.

    ``values`` hold every tag and derived quantity in its unit, None where unknown or bad; ``quality`` the OPC UA status
    code of every tag; ``findings`` those of the guard, ``rule:tag`` pairs joined by ``;``.
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
    reading: NewestReading | None = None
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
    """The twin's and the anomaly stage's judgement of a reading, without the tags."""

    score: float | None
    flag: bool
    phase: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInShort:
    """An asset in an overview; far cheaper than ``LiveAsset``, built on demand.

    ``judgement`` is None if it is outdated.
    """

    ts_us: int | None = None
    judgement: JudgementInShort | None = None
    health: HealthInShort | None = None
    alarms: tuple[Alarm, ...] = ()


class LiveView(Protocol):
    """The newest state; every method returns at once, may be called from any thread and never raises."""

    @property
    def version(self) -> int:
        """Return a number that grows with each change of any asset."""
        ...

    @property
    def alarm_version(self) -> int:
        """Return a number that grows with each change of any alarm."""
        ...

    def asset(self, asset_id: str) -> LiveAsset | None:
        """Return the state of an asset, None before its first message."""
        ...

    def in_short(self, asset_id: str) -> LiveInShort | None:
        """Return the same in short."""
        ...

    def changed_since(self, version: int) -> Sequence[str]:
        """Return assets changed after ``version``, the least recently changed first."""
        ...

    def alarms(self) -> Sequence[Alarm]:
        """Return every open alarm."""
        ...

    def alarm(self, alarm_id: str) -> Alarm | None:
        """Return an open alarm."""
        ...

    def model(self, asset_id: str, kind: str) -> ModelArtefact | None:
        """Return the card of an asset's newest model of a kind; None before the first."""
        ...

    def models(self) -> Sequence[ModelArtefact]:
        """Return the card of the newest model of every asset and kind."""
        ...

    def newest(self) -> Mapping[Stage, datetime]:
        """Return the event time of each active stage's newest data."""
        ...

    def seed(self, readings: Sequence[Latest], health: Sequence[AssetHealth]) -> None:
        """Load the database's state, except where the topics have newer data."""
        ...

    def problem(self) -> str | None:
        """Return why the view is incomplete or outdated; None if it is neither."""
        ...

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from any thread; return a function that stops it."""
        ...
