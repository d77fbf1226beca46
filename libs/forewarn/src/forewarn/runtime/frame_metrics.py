"""Metrics of a frame processor, all with their units."""

from collections import Counter as Counts

from forewarn.runtime.metrics import counter, gauge, histogram


class FrameMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.read = counter("forewarn_records_read")
        self.written = counter("forewarn_records_written")
        self.readings = counter("forewarn_readings")
        self.lag = gauge("forewarn_lag_records")
        self.snapshot_bytes = gauge("forewarn_snapshot_bytes")
        self.transaction_seconds = histogram("forewarn_transaction_seconds")

    def count(self, counts: Counts[str]) -> None:
        """Add readings by fate."""
        for fate, number in counts.items():
            self.readings.labels(fate=fate).inc(number)
