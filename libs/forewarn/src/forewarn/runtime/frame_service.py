"""What validator, twin and anomaly have in common: settings, probes and the frame loop."""

import threading

from pydantic import Field

from forewarn.adapters.clock import SystemClock
from forewarn.contracts.topics import TopicName
from forewarn.ports.lanes import Lanes
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.frame_loop import FrameLoop
from forewarn.runtime.frame_metrics import FrameMetrics
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.pace import PaceConfig
from forewarn.runtime.service import supervised
from forewarn.runtime.settings import KafkaSettings


class FrameServiceSettings(KafkaSettings):
    """Settings of a frame processor."""

    frame_batch_records: int = Field(default=30_000, ge=2, le=100_000, description="Most records in one transaction.")
    frame_linger_s: float = Field(default=0.005, ge=0, le=5, description="Wait for more after a turn's first record.")
    frame_crowded_linger_s: float = Field(default=0.005, ge=0, le=5, description="The same after a turn of thousands.")
    frame_idle_linger_s: float = Field(default=0.0, ge=0, le=5, description="Least time from turn to turn while idle.")
    snapshot_interval_s: float = Field(default=5.0, gt=0, le=3600, description="Time between a lane's snapshots.")


def serve_lanes(
    settings: FrameServiceSettings,
    stop: threading.Event,
    *,
    service: str,
    source: TopicName,
    checkpoint: TopicName,
    lanes: Lanes,
    fetch_min_bytes: int = 1,
) -> None:
    """Run a frame processor until ``stop``.

    Raises
    ------
    KafkaException
        If the broker fenced this instance; the process must end.
    """
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    config = FrameLoopConfig(
        service=service,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        prefix=settings.kafka_topic_prefix,
        instance=settings.service_instance,
        source=source,
        checkpoint=checkpoint,
        batch_records=settings.frame_batch_records,
        pace=PaceConfig(
            linger_s=settings.frame_linger_s,
            idle_linger_s=settings.frame_idle_linger_s,
            crowded_linger_s=settings.frame_crowded_linger_s,
        ),
        fetch_min_bytes=fetch_min_bytes,
        snapshot_every_s=settings.snapshot_interval_s,
    )
    loop = FrameLoop(config, lanes, clock, FrameMetrics(), heartbeat)
    with supervised(settings, heartbeat, ready=loop.not_ready):
        loop.run(stop)
