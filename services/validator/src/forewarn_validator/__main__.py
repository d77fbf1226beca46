"""``python -m forewarn_validator``."""

from forewarn.runtime.service import run_service
from forewarn_validator.app import serve
from forewarn_validator.settings import ValidatorSettings

run_service("validator", ValidatorSettings, serve)
