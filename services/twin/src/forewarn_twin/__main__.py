"""``python -m forewarn_twin``."""

from forewarn.runtime.service import run_service
from forewarn_twin.app import serve
from forewarn_twin.settings import TwinServiceSettings

run_service("twin", TwinServiceSettings, serve)
