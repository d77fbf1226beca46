"""Metrics of the dashboard, in one list."""

from typing import Final

from prometheus_client import Counter, Gauge

UPSTREAM_CONNECTED: Final = Gauge("forewarn_dashboard_api_connected", "1 while the API's live feed is connected.")
UPSTREAM_UPDATES: Final = Counter("forewarn_dashboard_api_updates_total", "Updates received from the live feed.")
SUBSCRIBERS: Final = Gauge("forewarn_dashboard_tabs", "Browser tabs that receive live updates.")
PUSHES: Final = Counter("forewarn_dashboard_pushes_total", "Component updates pushed to browsers.")
CALLBACK_ERRORS: Final = Counter("forewarn_dashboard_callback_errors_total", "Callbacks that failed with an error id.")
REFUSED: Final = Counter("forewarn_dashboard_refused_total", "Requests and messages the gate refused.", ["reason"])
