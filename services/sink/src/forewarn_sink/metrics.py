"""Metrics of the sink."""

from forewarn.ports.store import Retained, Written
from forewarn.runtime.metrics import counter, gauge, histogram


class SinkMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.rows = counter("forewarn_sink_rows_written")
        self.duplicates = counter("forewarn_sink_rows_duplicate")
        self.refused = counter("forewarn_sink_messages_refused")
        self.dropped = counter("forewarn_sink_rows_dropped")
        self.recreated = counter("forewarn_sink_partitions_recreated")
        self.fenced = counter("forewarn_sink_fenced")
        self.transaction_seconds = histogram("forewarn_sink_transaction_seconds")
        self.transaction_rows = histogram("forewarn_sink_transaction_rows")
        self.lag = gauge("forewarn_sink_lag_messages")
        self.last_commit = gauge("forewarn_sink_last_commit_timestamp_seconds")
        self.database_up = gauge("forewarn_sink_database_up")

    def wrote(self, written: Written, at_s: float) -> None:
        """Count a committed transaction."""
        for table, count in written.rows.items():
            self.rows.labels(table=table).inc(count)
        for table, count in written.duplicates.items():
            self.duplicates.labels(table=table).inc(count)
        self.transaction_rows.observe(written.rows.total() + written.duplicates.total())
        self.last_commit.set(at_s)

    def retained(self, retained: Retained) -> None:
        """Count a clean-up."""
        for table, count in retained.dropped.items():
            self.dropped.labels(table=table).inc(count)
