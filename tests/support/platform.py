"""The whole platform as processes, for end-to-end tests."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forewarn_local.ports import any_free
from support.stack import SERVICE_ENV, ServiceProcess, wait_until

SERVICES = ("sink", "api", "dashboard", "alerting", "health", "anomaly", "twin", "validator", "simulator")


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Addresses and processes of one running platform."""

    api_url: str
    dashboard_url: str
    processes: Mapping[str, ServiceProcess]

    def get(self, path: str) -> Any:
        """GET a JSON document from the API."""
        with urllib.request.urlopen(f"{self.api_url}{path}", timeout=20) as answer:
            return json.load(answer)

    def assert_alive(self) -> None:
        """Fail, naming the service, if one has ended."""
        dead = {name: p.returncode for name, p in self.processes.items() if not p.running}
        assert not dead, f"services that ended, with their exit codes: {dead}"


def start_platform(
    spawn: Callable[..., ServiceProcess], *, bootstrap: str, prefix: str, database_url: str, plant: Path | str
) -> Platform:
    """Provision broker and database, start every service, and wait until API and dashboard answer."""
    api_port, dashboard_port = any_free(), any_free()
    shared = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC_PREFIX": prefix,
        "DATABASE_URL": database_url,
        "API_PORT": str(api_port),
        "API_URL": f"http://127.0.0.1:{api_port}",
        "DASHBOARD_PORT": str(dashboard_port),
        "SIMULATION_PLANT": str(plant),
        "LOG_FORMAT": "console",
    }
    subprocess.run(
        [sys.executable, "-m", "forewarn.runtime.provision"],
        env={**os.environ, **SERVICE_ENV, **shared},
        check=True,
        timeout=120,
    )
    processes = {name: spawn(f"forewarn_{name}", {**shared, "SERVICE_INSTANCE": f"{name}-1"}) for name in SERVICES}
    platform = Platform(
        api_url=shared["API_URL"], dashboard_url=f"http://127.0.0.1:{dashboard_port}", processes=processes
    )
    wait_until(lambda: _answers(f"{platform.api_url}/livez"), 90, "the API does not answer")
    wait_until(lambda: _answers(f"{platform.dashboard_url}/healthz"), 90, "the dashboard does not answer")
    return platform


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
