"""Metrics of the dashboard."""

from typing import Final

from forewarn.runtime.metrics import counter, gauge

UPSTREAM_CONNECTED: Final = gauge("forewarn_dashboard_api_connected")
UPSTREAM_UPDATES: Final = counter("forewarn_dashboard_api_updates")
SUBSCRIBERS: Final = gauge("forewarn_dashboard_tabs")
PUSHES: Final = counter("forewarn_dashboard_pushes")
CALLBACK_ERRORS: Final = counter("forewarn_dashboard_callback_errors")
REFUSED: Final = counter("forewarn_dashboard_refused")
