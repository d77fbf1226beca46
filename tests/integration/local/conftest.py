"""A whole platform with stand-in services, to test what starts, watches and stops them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from dotenv import dotenv_values

from forewarn_local.plan import SERVICES
from forewarn_local.ports import any_free
from forewarn_local.spawn import start
from support.stack import wait_until

START_TIMEOUT_S = 120.0  # of patience, beside other tests; how long a start may take is measured alone
STOP_TIMEOUT_S = 45.0

_SERVICE = """
import http.server, json, os, signal, sys, threading
NAME = __name__ if __name__ != "__main__" else __package__
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"items": [os.getpid()]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
def serve(port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(NAME, "starts", "with database" if "DATABASE_URL" in os.environ else "without database", flush=True)
serve(int(os.environ["PROBE_PORT"]))
if NAME == "forewarn_api":
    serve(int(os.environ["API_PORT"]))
signal.sigwait({signal.SIGTERM})
print(NAME, "stops", flush=True)
"""
_CRASHING = 'import sys; sys.exit("cannot find the flux capacitor")'


def write_fakes(directory: Path, *, crashing: str = "") -> Path:
    """Write packages that go before the real ones on PYTHONPATH; one may crash at once."""
    provision = directory / "forewarn" / "runtime"
    provision.mkdir(parents=True)
    behind = '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n'  # the library is there as well
    (directory / "forewarn" / "__init__.py").write_text(behind)
    (provision / "__init__.py").touch()
    (provision / "provision.py").write_text(
        'import os; print("provisioned", os.environ["KAFKA_BOOTSTRAP_SERVERS"], "DATABASE_URL" in os.environ)\n'
    )
    for service in SERVICES:
        package = directory / service.module
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(_CRASHING if service.name == crashing else _SERVICE)
    return directory


class Platform:
    """One home and the ``forewarn`` commands on it."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.fakes = directory / "fakes"
        self.log = directory / "up.log"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("KAFKA_", "DATABASE_"))},
            "PYTHONPATH": str(self.fakes),
            "FOREWARN_HOME": str(self.home),
            "API_PORT": str(any_free()),
            "DASHBOARD_PORT": str(any_free()),
            "DISK_BUDGET_GB": "0.2",
            "DISK_RESERVE_GB": "0.05",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.make_services()

    def make_services(self, *, crashing: str = "") -> None:
        """Write the stand-in services; one may crash at once."""
        shutil.rmtree(self.fakes, ignore_errors=True)
        write_fakes(self.fakes, crashing=crashing)

    def up(self, command: Sequence[str] = (sys.executable, "-m", "forewarn_local", "up")) -> None:
        """Start it and wait for its addresses, or its end."""
        self.log.unlink(missing_ok=True)
        self.process = start(command, log=self.log, env=self.environment, cwd=self.fakes)
        wait_until(
            lambda: "Ctrl-C stops everything" in self.output or self.process.poll() is not None,
            START_TIMEOUT_S,
            lambda: self.output,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command."""
        command = [sys.executable, "-m", "forewarn_local", *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=self.fakes, capture_output=True, text=True, timeout=90, check=False
        )

    @property
    def output(self) -> str:
        """What ``up`` has printed."""
        return self.log.read_text() if self.log.exists() else ""

    def pid(self, name: str) -> int:
        """Recorded process id."""
        return int(json.loads((self.home / "run" / "pids" / f"{name}.json").read_text())["pid"])

    def processes(self) -> list[psutil.Process]:
        """Every process of the platform, with its descendants."""
        found = {}
        for path in (self.home / "run" / "pids").glob("*.json"):
            try:
                process = psutil.Process(int(json.loads(path.read_text())["pid"]))
                for one in (process, *process.children(recursive=True)):
                    found[one.pid] = one
            except psutil.Error:
                continue
        return list(found.values())

    def end(self, number: int) -> int:
        """Signal ``up`` and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_TIMEOUT_S)

    def database_url(self) -> str:
        """URL of the embedded database."""
        password = dotenv_values(self.home / "secrets.env")["POSTGRES_PASSWORD"]
        port = next(
            line.split("=")[1].strip()
            for line in (self.home / "data" / "postgres" / "forewarn.conf").read_text().splitlines()
            if line.startswith("port")
        )
        return f"postgresql://forewarn:{password}@127.0.0.1:{port}/forewarn"


@pytest.fixture
def platform_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="forewarn-up-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def platform(platform_directory: Path, quick_java: None) -> Iterator[Platform]:
    one = Platform(platform_directory)
    yield one
    processes = one.processes()
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.wait()
    for process in processes:
        if process.is_running():
            process.kill()


@pytest.fixture
def small_disk(platform_directory: Path) -> Iterator[Path]:
    """The platform's home on a disk of its own, of 400 MB; ask for it before ``platform``."""
    home = platform_directory / "home"
    with small_file_system(home, "400m"):
        yield home


@contextmanager
def small_file_system(directory: Path, size: str) -> Iterator[None]:
    """A file system in memory, ``size`` as mount takes it; skips the test where it cannot be mounted."""
    directory.mkdir(mode=0o711)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "forewarn-test", str(directory)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"this test mounts a small disk, which needs root: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
