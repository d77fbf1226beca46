"""Metrics of the API."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUEST_SECONDS: Final = Histogram(
    "forewarn_api_request_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
READINGS: Final = Counter("forewarn_api_readings_total", "Readings taken in, by outcome.", ["outcome"])
SUBSCRIBERS: Final = Gauge("forewarn_api_live_subscribers", "WebSocket clients connected to the live feed.")
LIVE_MESSAGES: Final = Counter("forewarn_api_live_messages_total", "Messages sent to WebSocket clients.")
WORK_REFUSED: Final = Counter(
    "forewarn_api_work_refused", "Requests refused because too many were under way.", ["work"]
)
LIVE_IGNORED: Final = Counter(
    "forewarn_api_live_ignored_total", "Messages that the live feed could not read, and left out.", ["topic"]
)
