"""The table of metrics: name, labels and meaning of everything that services count."""

from collections import Counter as Counts
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_REQUEST_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROW_BUCKETS: Final = (1, 10, 100, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric; ``services`` are those that expose it. Units are in the names."""

    meaning: str
    services: tuple[str, ...]
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS


_FRAMES: Final = ("validator", "twin", "anomaly")
_EVENTS: Final = ("health", "alerting")

METRICS: Final[Mapping[str, MetricSpec]] = {
    "forewarn_records_read": MetricSpec("Messages consumed and processed.", (*_FRAMES, *_EVENTS), ("topic",)),
    "forewarn_records_written": MetricSpec("Messages published and confirmed.", (*_FRAMES, *_EVENTS), ("topic",)),
    "forewarn_records_rejected": MetricSpec("Messages that could not be read.", _EVENTS, ("topic",)),
    "forewarn_records_quarantined": MetricSpec("Messages that could not be handled.", _EVENTS, ("topic",)),
    "forewarn_readings": MetricSpec("Readings by fate: accepted, warning, rejected, judged …", _FRAMES, ("fate",)),
    "forewarn_lag_records": MetricSpec("Records not yet read.", _FRAMES, ("partition",)),
    "forewarn_snapshot_bytes": MetricSpec("Size of the last snapshot of a partition's state.", _FRAMES),
    "forewarn_transaction_seconds": MetricSpec("Duration of a commit.", _FRAMES),
    "forewarn_rows": MetricSpec("Rows of frames: applied, or skipped as late or seen before.", _EVENTS, ("fate",)),
    "forewarn_assets": MetricSpec("Assets whose state this process keeps.", _EVENTS),
    "forewarn_checkpoint_seconds": MetricSpec("Duration of storing changed states.", _EVENTS),
    "forewarn_alarm_transitions": MetricSpec("Transitions of alarms.", ("alerting",), ("transition",)),
    "forewarn_commands_refused": MetricSpec("Acknowledgements that were refused.", ("alerting",)),
    "forewarn_sink_rows_written": MetricSpec("New rows in committed transactions.", ("sink",), ("table",)),
    "forewarn_sink_rows_duplicate": MetricSpec("Rows that were stored already.", ("sink",), ("table",)),
    "forewarn_sink_messages_refused": MetricSpec("Rejected messages that were stored.", ("sink",), ("reason",)),
    "forewarn_sink_rows_dropped": MetricSpec("Rows, or chunks, past their retention.", ("sink",), ("table",)),
    "forewarn_sink_partitions_recreated": MetricSpec("Partitions of recreated topics.", ("sink",), ("topic",)),
    "forewarn_sink_fenced": MetricSpec("Times another sink had taken over a partition.", ("sink",)),
    "forewarn_sink_transaction_seconds": MetricSpec("Duration of a transaction.", ("sink",)),
    "forewarn_sink_transaction_rows": MetricSpec("Rows in a transaction.", ("sink",), (), _ROW_BUCKETS),
    "forewarn_sink_lag_messages": MetricSpec("Messages not yet stored.", ("sink",), ("topic",)),
    "forewarn_sink_last_commit_timestamp_seconds": MetricSpec("When a transaction last succeeded.", ("sink",)),
    "forewarn_sink_database_up": MetricSpec("1 while the database accepts writes.", ("sink",)),
    "forewarn_simulator_readings": MetricSpec("Readings by outcome: stored, refused.", ("simulator",), ("outcome",)),
    "forewarn_simulator_waiting_readings": MetricSpec("Readings in the buffer.", ("simulator",)),
    "forewarn_simulator_machines": MetricSpec("Machines that send readings.", ("simulator",)),
    "forewarn_api_request_seconds": MetricSpec(
        "Time to answer a request.", ("api",), ("method", "route", "status"), _REQUEST_BUCKETS_S
    ),
    "forewarn_api_readings": MetricSpec("Readings received, by outcome.", ("api",), ("outcome",)),
    "forewarn_api_live_subscribers": MetricSpec("WebSocket clients connected to the live feed.", ("api",)),
    "forewarn_api_live_messages": MetricSpec("Messages sent to WebSocket clients.", ("api",)),
    "forewarn_api_work_refused": MetricSpec("Requests refused because too many were under way.", ("api",), ("work",)),
    "forewarn_api_live_ignored": MetricSpec("Messages that the live feed could not read.", ("api",), ("topic",)),
    "forewarn_dashboard_api_connected": MetricSpec("1 while the API's live feed is connected.", ("dashboard",)),
    "forewarn_dashboard_api_updates": MetricSpec("Updates received from the live feed.", ("dashboard",)),
    "forewarn_dashboard_tabs": MetricSpec("Browser tabs with a live connection.", ("dashboard",)),
    "forewarn_dashboard_pushes": MetricSpec("Component updates pushed to browsers.", ("dashboard",)),
    "forewarn_dashboard_callback_errors": MetricSpec("Callbacks that failed with an error id.", ("dashboard",)),
    "forewarn_dashboard_refused": MetricSpec("Requests and messages the gate refused.", ("dashboard",), ("reason",)),
    "forewarn_http_cut_off": MetricSpec(
        "Requests refused and connections closed before the application saw them.", ("api", "dashboard"), ("reason",)
    ),
}


def counter(name: str) -> Counter:
    """Return a new counter of the table; it is exposed as ``name`` with ``_total``."""
    return Counter(name, METRICS[name].meaning, METRICS[name].labels)


def gauge(name: str) -> Gauge:
    """Return a new gauge of the table."""
    return Gauge(name, METRICS[name].meaning, METRICS[name].labels)


def histogram(name: str) -> Histogram:
    """Return a new histogram of the table; it is exposed as ``name`` with ``_bucket``, ``_sum`` and ``_count``."""
    return Histogram(name, METRICS[name].meaning, METRICS[name].labels, buckets=METRICS[name].buckets)


class FrameMetrics:
    """What a frame processor counts."""

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


class EventMetrics:
    """What an event-plane service counts."""

    def __init__(self) -> None:
        self.read = counter("forewarn_records_read")
        self.written = counter("forewarn_records_written")
        self.rejected = counter("forewarn_records_rejected")
        self.quarantined = counter("forewarn_records_quarantined")
        self.rows = counter("forewarn_rows")
        self.assets = gauge("forewarn_assets")
        self.checkpoint_seconds = histogram("forewarn_checkpoint_seconds")


def metrics_page() -> str:
    """Return the table as a page of Markdown."""
    rows = (
        f"| `{name}` | {', '.join(metric.labels)} | {metric.meaning} | {', '.join(metric.services)} |"
        for name, metric in METRICS.items()
    )
    return "\n".join(
        (
            "# Metrics",
            "",
            "Generated from `forewarn.runtime.metrics`. Every service answers `/metrics` on its probe port, the API",
            "also on its own. Counters are exposed with `_total`, histograms with `_bucket`, `_sum` and `_count`.",
            "",
            "| metric | labels | meaning | services |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )
