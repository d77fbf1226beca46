"""Metrics of an event-plane service, all with their units."""

from forewarn.runtime.metrics import counter, gauge, histogram


class EventMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.read = counter("forewarn_records_read")
        self.written = counter("forewarn_records_written")
        self.rejected = counter("forewarn_records_rejected")
        self.quarantined = counter("forewarn_records_quarantined")
        self.rows = counter("forewarn_rows")
        self.assets = gauge("forewarn_assets")
        self.checkpoint_seconds = histogram("forewarn_checkpoint_seconds")
