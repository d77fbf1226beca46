"""Whether containers can be started here."""

import subprocess

import pytest


def need_engine() -> None:
    """Skip the test, and say so, where no Docker engine answers."""
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        pytest.skip("no Docker engine: there is no `docker` command")
    if answer.returncode != 0:
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()[:200]}")
