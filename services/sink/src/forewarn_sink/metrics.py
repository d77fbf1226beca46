"""Metrics of the sink, all with their units."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from forewarn.ports.store import Retained, Written

_ROW_BUCKETS: Final = (1, 10, 100, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


class SinkMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        self.rows = Counter("forewarn_sink_rows_written", "New rows in committed transactions.", ["table"])
        self.duplicates = Counter("forewarn_sink_rows_duplicate", "Rows that were stored already.", ["table"])
        self.refused = Counter("forewarn_sink_messages_refused", "Messages put into table rejected.", ["reason"])
        self.dropped = Counter("forewarn_sink_rows_dropped", "Rows, or chunks, past their retention.", ["table"])
        self.recreated = Counter(
            "forewarn_sink_partitions_recreated", "Partitions whose topic was deleted and created again.", ["topic"]
        )
        self.fenced = Counter("forewarn_sink_fenced", "Times another sink had taken over a partition.")
        self.transaction_seconds = Histogram("forewarn_sink_transaction_seconds", "Duration of a transaction.")
        self.transaction_rows = Histogram(
            "forewarn_sink_transaction_rows", "Rows in a transaction.", buckets=_ROW_BUCKETS
        )
        self.lag = Gauge("forewarn_sink_lag_messages", "Messages not yet stored.", ["topic"])
        self.last_commit = Gauge("forewarn_sink_last_commit_timestamp_seconds", "When a transaction last ended well.")
        self.database_up = Gauge("forewarn_sink_database_up", "1 while the database takes what we write.")

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
