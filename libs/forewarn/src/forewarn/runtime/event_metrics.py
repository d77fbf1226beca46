"""Metrics of an event-plane service, all with their units."""

from prometheus_client import Counter, Gauge, Histogram


class EventMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.read = Counter("forewarn_records_read", "Messages handled.", ["topic"])
        self.written = Counter("forewarn_records_written", "Events published and confirmed.", ["topic"])
        self.rejected = Counter("forewarn_records_rejected", "Messages that could not be read.", ["topic"])
        self.quarantined = Counter("forewarn_records_quarantined", "Messages that could not be handled.", ["topic"])
        self.rows = Counter("forewarn_rows", "Rows of frames: applied, or skipped as late or seen before.", ["fate"])
        self.assets = Gauge("forewarn_assets", "Assets whose state this process keeps.")
        self.checkpoint_seconds = Histogram("forewarn_checkpoint_seconds", "Duration of storing changed states.")
