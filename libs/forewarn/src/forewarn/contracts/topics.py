"""The one table of topics, from which they are created, documented and checked."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from forewarn.contracts.alarms import Alarm, Alert
from forewarn.contracts.assets import Asset, Command, CommandAnswer
from forewarn.contracts.base import Contract
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.limits import MIB
from forewarn.contracts.readings import Reading, RejectedReading

DEFAULT_PARTITIONS: Final = 12
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


class TopicName(StrEnum):
    """Every topic, without the installation's prefix."""

    READINGS_RAW = "readings.raw"
    READINGS_VALID = "readings.valid"
    READINGS_REJECTED = "readings.rejected"
    TWIN_STATES = "twin.states"
    ANOMALY_SCORES = "anomaly.scores"
    ASSET_HEALTH = "asset.health"
    ALERTS = "alerts"
    ALERTS_ACTIVE = "alerts.active"
    COMMANDS = "commands"
    COMMANDS_ANSWERS = "commands.answers"
    ASSETS = "assets"
    MODELS = "models"
    VALIDATOR_CHECKPOINT = "validator.checkpoint"
    TWIN_CHECKPOINT = "twin.checkpoint"
    ANOMALY_CHECKPOINT = "anomaly.checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicUse:
    """Topics read and written by a service or an external system."""

    reads: tuple[TopicName, ...] = ()
    writes: tuple[TopicName, ...] = ()


_T: Final = TopicName

#: Who uses which topics. Services subscribe to these, and a test compares them with what the code does.
TOPIC_USE: Final[dict[str, TopicUse]] = {
    "gateways": TopicUse(writes=(_T.READINGS_RAW,)),
    "import": TopicUse(reads=(_T.ASSETS,), writes=(_T.READINGS_RAW, _T.ASSETS)),
    "simulator": TopicUse(
        reads=(_T.COMMANDS, _T.ASSETS), writes=(_T.READINGS_RAW, _T.ASSETS, _T.READINGS_REJECTED)
    ),
    "validator": TopicUse(
        reads=(_T.READINGS_RAW, _T.ASSETS, _T.VALIDATOR_CHECKPOINT),
        writes=(_T.READINGS_VALID, _T.READINGS_REJECTED, _T.VALIDATOR_CHECKPOINT),
    ),
    "twin": TopicUse(
        reads=(_T.READINGS_VALID, _T.TWIN_CHECKPOINT),
        writes=(_T.TWIN_STATES, _T.MODELS, _T.READINGS_REJECTED, _T.TWIN_CHECKPOINT),
    ),
    "anomaly": TopicUse(
        reads=(_T.TWIN_STATES, _T.ANOMALY_CHECKPOINT),
        writes=(_T.ANOMALY_SCORES, _T.READINGS_REJECTED, _T.ANOMALY_CHECKPOINT),
    ),
    "health": TopicUse(
        reads=(_T.ANOMALY_SCORES, _T.ASSETS), writes=(_T.ASSET_HEALTH, _T.READINGS_REJECTED)
    ),
    "alerting": TopicUse(
        reads=(_T.READINGS_VALID, _T.ANOMALY_SCORES, _T.ASSET_HEALTH, _T.COMMANDS),
        writes=(_T.ALERTS, _T.ALERTS_ACTIVE, _T.READINGS_REJECTED),
    ),
    "sink": TopicUse(
        reads=(
            _T.READINGS_VALID, _T.ANOMALY_SCORES, _T.ASSET_HEALTH, _T.ALERTS, _T.READINGS_REJECTED, _T.ASSETS,
            _T.MODELS,
        )
    ),
    "api": TopicUse(
        reads=(
            _T.READINGS_VALID, _T.ANOMALY_SCORES, _T.ASSET_HEALTH, _T.ALERTS_ACTIVE, _T.COMMANDS, _T.ASSETS, _T.MODELS,
        ),
        writes=(
            _T.READINGS_RAW, _T.READINGS_VALID, _T.READINGS_REJECTED, _T.COMMANDS, _T.COMMANDS_ANSWERS, _T.ASSETS,
        ),
    ),
    "downstream": TopicUse(reads=(_T.ALERTS, _T.ALERTS_ACTIVE, _T.COMMANDS_ANSWERS), writes=(_T.COMMANDS,)),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic.

    ``content`` is the JSON contract of a message, the kind of frame it carries, or None for bytes that
    only their producer reads. ``key`` says what the message key is; frames and checkpoints have none
    that matters: they are written to the partition of the readings they come from.

    A topic without ``retention_ms`` is compacted. ``disk_share`` is the topic's part of what all topics may take on
    disk, relative to the others.
    """

    name: TopicName
    description: str
    content: type[Contract] | FrameKind | None
    key: str = "asset_id"
    partitions: int = DEFAULT_PARTITIONS
    retention_ms: int | None = 7 * _DAY_MS
    max_message_bytes: int = MIB
    cloud_events: bool = False
    disk_share: int = 1

    @property
    def producers(self) -> tuple[str, ...]:
        """Services that write to the topic."""
        return tuple(name for name, use in TOPIC_USE.items() if self.name in use.writes)

    @property
    def consumers(self) -> tuple[str, ...]:
        """Services that read the topic."""
        return tuple(name for name, use in TOPIC_USE.items() if self.name in use.reads)

    @property
    def cleanup(self) -> Literal["delete", "compact"]:
        """How the broker drops old messages."""
        return "compact" if self.retention_ms is None else "delete"

    @property
    def config(self) -> dict[str, str]:
        """Broker-side settings of the topic."""
        settings = {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.name is TopicName.READINGS_RAW else "CreateTime",
        }
        if self.retention_ms is None:
            settings |= {"segment.ms": str(_HOUR_MS), "min.cleanable.dirty.ratio": "0.3"}
        else:
            settings["retention.ms"] = str(self.retention_ms)
        return settings


def _checkpoint(name: TopicName, service: str) -> Topic:
    return Topic(
        name=name,
        description=f"State snapshots of the {service}, one per partition; nobody else reads them.",
        content=None,
        key="partition",
        retention_ms=None,
        max_message_bytes=16 * MIB,
    )


_ALL: Final = (
    Topic(
        name=TopicName.READINGS_RAW,
        description="Readings as gateways send them: one JSON object, or a list of readings of one asset. Messages "
        "with the key ~forewarn.removal are the API's: an asset was removed from the registry.",
        content=Reading,
        max_message_bytes=8 * MIB,
        disk_share=20,
    ),
    Topic(
        name=TopicName.READINGS_VALID,
        description="Validated readings with derived quantities and a status code per tag. Frames without rows and "
        "with the key forewarn.baseline are orders to the twin to retrain; those with the key ~forewarn.removal, "
        "here and on the other topics of frames, say that nothing of a removed asset comes behind them.",
        content=FrameKind.VALID,
        key="partition",
        max_message_bytes=16 * MIB,
        disk_share=20,
    ),
    Topic(
        name=TopicName.READINGS_REJECTED,
        description="Refused messages: original bytes, reason, explanation and recommendation.",
        content=RejectedReading,
        key="asset_id where known",
        max_message_bytes=16 * MIB,
        retention_ms=30 * _DAY_MS,
        disk_share=10,
    ),
    Topic(
        name=TopicName.TWIN_STATES,
        description="Readings beside what the twin expects, with normalised residuals and deviation.",
        content=FrameKind.TWIN,
        key="partition",
        max_message_bytes=16 * MIB,
        disk_share=12,
    ),
    Topic(
        name=TopicName.ANOMALY_SCORES,
        description="Twin states with anomaly score, flag and contributions.",
        content=FrameKind.ANOMALY,
        key="partition",
        max_message_bytes=16 * MIB,
        disk_share=28,
    ),
    Topic(
        name=TopicName.ASSET_HEALTH,
        description="Health, trend and remaining useful life, at most once a second for each asset; a tombstone says "
        "that the asset was removed.",
        content=AssetHealth,
        retention_ms=30 * _DAY_MS,
        cloud_events=True,
        disk_share=6,
    ),
    Topic(
        name=TopicName.ALERTS,
        description="Every alarm transition, for downstream systems.",
        content=Alert,
        retention_ms=30 * _DAY_MS,
        cloud_events=True,
        disk_share=2,
    ),
    Topic(
        name=TopicName.ALERTS_ACTIVE,
        description="Present state of every open alarm; a tombstone closes it.",
        content=Alarm,
        key="alarm_id",
        retention_ms=None,
        cloud_events=True,
    ),
    Topic(
        name=TopicName.COMMANDS,
        description="Requests to the services: acknowledge an alarm, inject a fault, run a scenario, set up a plant, "
        "retrain a twin, ask it what if.",
        content=Command,
        cloud_events=True,
    ),
    Topic(
        name=TopicName.COMMANDS_ANSWERS,
        description="Outcome of commands to a twin: its answer to what if, its order to retrain, or the problem.",
        content=CommandAnswer,
        partitions=1,
        cloud_events=True,
    ),
    Topic(
        name=TopicName.ASSETS,
        description="Asset registry; a tombstone removes an asset.",
        content=Asset,
        partitions=1,
        retention_ms=None,
        cloud_events=True,
    ),
    Topic(
        name=TopicName.MODELS,
        description="Fitted models with their cards, newest per asset and kind; a tombstone says that the model of the "
        "asset is void.",
        content=ModelArtefact,
        key="asset_id/kind",
        retention_ms=None,
        cloud_events=True,
    ),
    _checkpoint(TopicName.VALIDATOR_CHECKPOINT, "validator"),
    _checkpoint(TopicName.TWIN_CHECKPOINT, "twin"),
    _checkpoint(TopicName.ANOMALY_CHECKPOINT, "anomaly"),
)

TOPICS: Final[dict[TopicName, Topic]] = {topic.name: topic for topic in _ALL}

_LARGEST_SEGMENT_BYTES: Final = 64 * MIB
_UNLIMITED: Final = -1


def _smallest_segment(topic: Topic) -> int:
    """Return the smallest segment: it holds the largest message and the broker's overhead."""
    return topic.max_message_bytes + MIB


#: Of topics that are not compacted: with less, a partition could not hold two segments.
LEAST_DISK_BUDGET_BYTES: Final = sum(
    2 * topic.partitions * _smallest_segment(topic) for topic in _ALL if topic.cleanup == "delete"
)


def size_config(topic: Topic, budget_bytes: int | None) -> dict[str, str]:
    """Return broker-side settings that keep a topic within its share of the disk budget for all topics.

    The broker deletes whole segments, and only those no longer written to: a partition takes up to ``retention.bytes``
    and one segment more, and both together are its share. None is no limit.

    Raises
    ------
    ValueError
        For a budget below ``LEAST_DISK_BUDGET_BYTES``.
    """
    smallest = _smallest_segment(topic)
    if topic.cleanup == "compact":
        return {"segment.bytes": str(smallest)}  # only what is no longer written to is compacted
    if budget_bytes is None:
        return {"segment.bytes": str(_LARGEST_SEGMENT_BYTES), "retention.bytes": str(_UNLIMITED)}
    if budget_bytes < LEAST_DISK_BUDGET_BYTES:
        raise ValueError(f"topics need {LEAST_DISK_BUDGET_BYTES} bytes at least, not {budget_bytes}")
    shares = sum(one.disk_share for one in _ALL if one.cleanup == "delete")
    share_bytes = budget_bytes * topic.disk_share // shares // topic.partitions
    segment = min(max(share_bytes // 4, smallest), _LARGEST_SEGMENT_BYTES)
    return {"segment.bytes": str(segment), "retention.bytes": str(max(share_bytes - segment, segment))}


def qualified(name: TopicName, prefix: str) -> str:
    """Return the name on the broker: installations can share a cluster under different prefixes."""
    return f"{prefix}{name.value}"
