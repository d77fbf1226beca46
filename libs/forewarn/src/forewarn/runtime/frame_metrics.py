"""Metrics of a frame processor, all with their units."""

from collections import Counter as Counts

from prometheus_client import Counter, Gauge, Histogram

_FATES = "What became of the readings."


class FrameMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.read = Counter("forewarn_records_read", "Source records taken in committed transactions.")
        self.written = Counter("forewarn_records_written", "Messages published in committed transactions.")
        self.readings = Counter("forewarn_readings", _FATES, ["fate"])
        self.lag = Gauge("forewarn_lag_records", "Records not yet read.", ["partition"])
        self.snapshot_bytes = Gauge("forewarn_snapshot_bytes", "Size of the last snapshot of a lane.")
        self.transaction_seconds = Histogram("forewarn_transaction_seconds", "Duration of a commit.")

    def count(self, counts: Counts[str]) -> None:
        """Add readings by fate."""
        for fate, number in counts.items():
            self.readings.labels(fate=fate).inc(number)
