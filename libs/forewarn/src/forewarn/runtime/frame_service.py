"""Runs validator, twin and anomaly: the frame loop with probes and watchdog."""

import threading

from forewarn.adapters.clock import SystemClock
from forewarn.ports.lanes import Lanes
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.frame_loop import FrameLoop
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.metrics import FrameMetrics
from forewarn.runtime.service import supervised


def serve_lanes(config: FrameLoopConfig, lanes: Lanes, stop: threading.Event) -> None:
    """Run a frame processor until ``stop`` is set.

    Raises ``KafkaException`` if the broker fenced this instance; the process must end.
    """
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    loop = FrameLoop(config, lanes, clock, FrameMetrics(), heartbeat)
    with supervised(config.settings, heartbeat, ready=loop.not_ready):
        loop.run(stop)
