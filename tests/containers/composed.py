"""The platform of docker-compose.yml under a project name of its own."""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FILES = ("docker-compose.yml", "infra/docker/expose-kafka.yml")
_BUILD_AND_START_S = 600


class Composed:
    """A composed platform: commands to it, and its addresses on this machine."""

    def __init__(self):
        self.project = f"forewarn-test-{uuid.uuid4().hex[:8]}"
        self.ports = dict(zip(("API_PORT", "DASHBOARD_PORT", "KAFKA_PORT"), _free_ports(3), strict=True))
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.endswith(("_PASSWORD", "_TOKEN"))},
            **{name: str(port) for name, port in self.ports.items()},
            "FOREWARN_ENV": "demo",
            "FOREWARN_VERSION": "test",
            "SIMULATION_ENABLED": "false",  # the demo plant is registered, but silent: tests count readings
        }

    @property
    def kafka(self):
        return f"127.0.0.1:{self.ports['KAFKA_PORT']}"

    @property
    def api(self):
        return f"http://127.0.0.1:{self.ports['API_PORT']}"

    @property
    def dashboard(self):
        return f"http://127.0.0.1:{self.ports['DASHBOARD_PORT']}"

    def compose(self, *arguments, timeout_s=120, check=True):
        """Run docker compose and return what it prints."""
        files = [argument for file in _FILES for argument in ("-f", file)]
        run = subprocess.run(
            ["docker", "compose", "--env-file", "/dev/null", "-p", self.project, *files, *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and run.returncode != 0:
            raise AssertionError(f"docker compose {' '.join(arguments)}: {run.stderr[-3000:]}\n{self.state()}")
        return run.stdout

    def up(self):
        self.compose("build", timeout_s=_BUILD_AND_START_S)
        self.compose("up", "--detach", "--wait", "--wait-timeout", "240", timeout_s=_BUILD_AND_START_S)

    def scale(self, service, replicas):
        self.compose(
            "up", "--detach", "--no-recreate", "--wait", "--wait-timeout", "120", "--scale", f"{service}={replicas}"
        )

    def down(self):
        """Remove containers, networks and volumes of this project only."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)

    def containers(self):
        """State of every container, those that ended included."""
        lines = self.compose("ps", "--all", "--format", "json", check=False).splitlines()
        return [json.loads(line) for line in lines]

    def state(self):
        """What to show when something went wrong: states, and the last words of whoever is not well."""
        containers = self.containers()
        text = [f"{c['Name']}: {c['State']} {c['Health']} exit {c['ExitCode']}" for c in containers]
        unwell = {
            c["Service"]
            for c in containers
            if c["State"] == "restarting" or c["Health"] == "unhealthy" or c["ExitCode"]
        }
        text += [self.compose("logs", "--no-color", "--tail", "25", service, check=False) for service in unwell]
        return "\n".join(text)

    def sql(self, query):
        """The one value that a query of the database gives."""
        psql = ("psql", "--username", "forewarn", "--no-align", "--tuples-only", "--command", query)
        return self.compose("exec", "-T", "database", *psql).strip()

    def exec(self, service, *command, index=1):
        return self.compose("exec", "-T", "--index", str(index), service, *command)

    def post(self, path, document):
        """POST JSON to the API; returns status and answer."""
        request = urllib.request.Request(
            f"{self.api}{path}", json.dumps(document).encode(), {"Content-Type": "application/json"}
        )
        return _open(request)

    def get(self, url):
        return _open(urllib.request.Request(url))


def _open(request):
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def _free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()
