"""``python -m forewarn_anomaly``."""

from forewarn.runtime.service import run_service
from forewarn_anomaly.app import serve
from forewarn_anomaly.settings import AnomalyServiceSettings

run_service("anomaly", AnomalyServiceSettings, serve)
