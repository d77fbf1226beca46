"""Configuration of frame processors."""

from dataclasses import dataclass

from pydantic import Field

from forewarn.contracts.topics import TopicName, qualified
from forewarn.runtime.pace import PaceConfig
from forewarn.runtime.settings import KafkaSettings


class FrameServiceSettings(KafkaSettings):
    """Settings of a frame processor."""

    frame_batch_records: int = Field(default=30_000, ge=2, le=100_000, description="Most records in one transaction.")
    frame_linger_s: float = Field(
        default=0.005, ge=0, le=5, description="How long to wait for more after a turn's first record."
    )
    frame_crowded_linger_s: float = Field(
        default=0.005, ge=0, le=5, description="The same after a turn of thousands of records."
    )
    frame_idle_linger_s: float = Field(default=0.0, ge=0, le=5, description="Shortest time between turns at low load.")
    snapshot_interval_s: float = Field(default=5.0, gt=0, le=3600, description="Time between a lane's snapshots.")

    @property
    def pace(self) -> PaceConfig:
        """Return how long turns wait."""
        return PaceConfig(
            linger_s=self.frame_linger_s,
            idle_linger_s=self.frame_idle_linger_s,
            crowded_linger_s=self.frame_crowded_linger_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLoopConfig:
    """What a frame processor reads, and where it keeps its snapshots.

    The broker gathers ``fetch_min_bytes`` before it answers, for at most 20 ms; otherwise a trickle of records is
    fetched almost one by one.

    ``settings.service_instance`` is a stable member name: after a restart the replica gets its partitions back at once
    and fences its predecessor. Without it, the group notices a crash only after the session timeout.
    """

    settings: FrameServiceSettings
    service: str
    source: TopicName
    checkpoint: TopicName
    fetch_min_bytes: int = 1

    @property
    def source_topic(self) -> str:
        """Return the name of the source topic on the broker."""
        return qualified(self.source, self.settings.kafka_topic_prefix)

    @property
    def checkpoint_topic(self) -> str:
        """Return the name of the checkpoint topic on the broker."""
        return qualified(self.checkpoint, self.settings.kafka_topic_prefix)
