"""Metrics of the API."""

from typing import Final

from forewarn.runtime.metrics import counter, gauge, histogram

REQUEST_SECONDS: Final = histogram("forewarn_api_request_seconds")
READINGS: Final = counter("forewarn_api_readings")
SUBSCRIBERS: Final = gauge("forewarn_api_live_subscribers")
LIVE_MESSAGES: Final = counter("forewarn_api_live_messages")
WORK_REFUSED: Final = counter("forewarn_api_work_refused")
LIVE_IGNORED: Final = counter("forewarn_api_live_ignored")
