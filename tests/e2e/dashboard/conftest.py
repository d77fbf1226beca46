"""A browser, a fake API process and a dashboard process."""

import os
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from support.dashboard_ui import TESTS, Ui, Watched, free_port
from support.stack import SERVICE_ENV, ServiceProcess

PATIENCE_MS = 30_000  # a machine that runs other tests beside may need a while to show a page

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def _processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    directory = tmp_path_factory.mktemp("dashboard")
    api_port, port, probe_port = free_port(), free_port(), free_port()
    api_url = f"http://127.0.0.1:{api_port}"
    environment = {"API_URL": api_url, "DASHBOARD_PORT": str(port), "PROBE_PORT": str(probe_port)}

    def process(name: str, command: list[str], env: dict[str, str]) -> ServiceProcess:
        everything = {**os.environ, **SERVICE_ENV, **env}
        return ServiceProcess([sys.executable, "-m", *command], everything, directory / f"{name}.log")

    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    started = Ui(
        api=process("fake-api", ["support.fake_api", str(api_port)], {"PYTHONPATH": path}),
        dashboard=process("dashboard", ["forewarn_dashboard"], environment),
        api_url=api_url,
        url=f"http://127.0.0.1:{port}",
        probe_url=f"http://127.0.0.1:{probe_port}",
    )
    yield started
    started.dashboard.close()
    started.api.close()


@pytest.fixture
def ui(_processes: Ui) -> Iterator[Ui]:
    """Fake API and dashboard, both running, the plant as it was at first."""
    _processes.ensure_running()
    begin = len(_processes.dashboard.log)
    yield _processes
    sys.stdout.write(_processes.dashboard.log[begin:][-8000:])  # pytest shows it when the test has failed


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, in a zone other than UTC."""
    made = browser.new_context(timezone_id="Asia/Kolkata", viewport={"width": 1440, "height": 900})
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def visit(context: BrowserContext, ui: Ui) -> Callable[[str], Watched]:
    """Open a path in a new tab."""

    def open_path(path: str) -> Watched:
        watched = Watched(context.new_page())
        watched.page.goto(ui.url + path)
        return watched

    return open_path
