"""``python -m forewarn_sink``."""

from forewarn.runtime.service import run_service
from forewarn_sink.app import serve
from forewarn_sink.settings import SinkSettings

run_service("sink", SinkSettings, serve)
