"""Handles for tests of the dashboard in a browser."""

import re
import socket
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from support.stack import ServiceProcess, wait_until

TESTS = Path(__file__).parents[1]
VIOLATION = re.compile("Content Security Policy", re.IGNORECASE)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a server answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@dataclass
class Ui:
    """The dashboard under test with its fake API."""

    api: ServiceProcess
    dashboard: ServiceProcess
    api_url: str
    url: str
    probe_url: str

    def start_api(self) -> None:
        self.api.start()
        wait_until(lambda: answers(f"{self.api_url}/api/v1/assets"), 90, "the fake API answers")

    def start_dashboard(self) -> None:
        self.dashboard.start()
        wait_until(lambda: answers(f"{self.url}/healthz"), 90, "the dashboard answers")

    def ensure_running(self) -> None:
        """Start what is not running and put the plant back."""
        if not self.api.running:
            self.start_api()
        if not self.dashboard.running:
            self.start_dashboard()
        self.control(reset=True)
        wait_until(self.connected, 60, "the dashboard follows the API")

    def connected(self) -> bool:
        """Whether the dashboard's live feed is connected."""
        return bool(httpx.get(f"{self.url}/healthz").json()["api_connected"])

    def control(self, **changes: Any) -> None:
        """Change the fake plant."""
        httpx.post(f"{self.api_url}/control", json=changes).raise_for_status()

    def acknowledged(self) -> list[dict[str, str]]:
        """Acknowledgements the fake API has received."""
        return list(httpx.get(f"{self.api_url}/control/acknowledged").json())


@dataclass
class Watched:
    """A page and everything that went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))

    def _console(self, message: Any) -> None:
        if message.type == "error" or VIOLATION.search(message.text):
            self.errors.append(f"{message.type}: {message.text}")


def alarm(
    asset_id: str = "P-101", rule: str = "vibration_high", occurrence: str = "o1", **changes: Any
) -> dict[str, Any]:
    """An open alarm as the API sends it."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    return {
        "alarm_id": f"{asset_id}/{rule}",
        "occurrence_id": occurrence,
        "asset_id": asset_id,
        "rule": rule,
        "source": "threshold",
        "priority": "medium",
        "active": True,
        "acknowledged": False,
        "raised_at": at.isoformat(),
        "last_active_at": at.isoformat(),
        "value": 5.12,
        "limit": 4.5,
        "unit": "mm/s",
        "message": "Vibration high",
        "action": "Inspect bearings",
        **changes,
    }


def until(page: Page, expression: str, timeout_s: float = 30) -> None:
    """Wait for a JavaScript expression to be true; the page's policy forbids playwright's own way."""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {expression}"
        page.wait_for_timeout(100)
