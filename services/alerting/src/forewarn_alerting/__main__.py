"""``python -m forewarn_alerting``."""

from forewarn.runtime.service import run_service
from forewarn_alerting.app import serve
from forewarn_alerting.settings import AlertingSettings

run_service("alerting", AlertingSettings, serve)
