"""``python -m forewarn_health``."""

from forewarn.runtime.service import run_service
from forewarn_health.app import serve
from forewarn_health.settings import HealthSettings

run_service("health", HealthSettings, serve)
