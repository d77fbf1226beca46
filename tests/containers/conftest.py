"""Container tests need a Docker engine; without one they are skipped and say so."""

import subprocess

import pytest


@pytest.fixture(scope="session")
def engine():
    """Make sure that a Docker engine answers."""
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        pytest.skip("no Docker engine: there is no `docker` command")
    if answer.returncode != 0:
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()[:200]}")


@pytest.fixture(autouse=True)
def _need_engine(engine):
    """Every test here needs it."""
