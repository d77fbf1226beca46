"""Set up the environment with only a Python interpreter: ``python3 bootstrap.py ROOT {run,dev}``.

It runs before anything is installed: standard library only, in syntax that old interpreters can read, so that they
too get a helpful message.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

UV_VERSION = "0.13.8"
MINIMUM_PYTHON = (3, 11)
NEEDED_GB = 3.0  # environment 1.5 GB, download caches, jars, a day of data
PROFILES = {"run": ["--no-dev", "--inexact"], "dev": []}


class BootstrapError(Exception):
    """The machine lacks something; the message says what to do."""


def python_problem(version: tuple[int, ...]) -> str | None:
    """Return what to do if the interpreter is too old."""
    if tuple(version[:2]) >= MINIMUM_PYTHON:
        return None
    return "Forewarn needs Python {}.{} or newer, this is {}.{}. Install one, e.g. `apt install python3`.".format(
        *MINIMUM_PYTHON, version[0], version[1]
    )


def venv_problem() -> str | None:
    """Return what to do if this Python cannot create virtual environments (a separate package on Debian)."""
    try:
        import ensurepip  # noqa: F401, PLC0415  # only to see whether it exists
        import venv  # noqa: F401, PLC0415  # as above
    except ImportError:
        return "This Python lacks the venv module. Install it, e.g. `apt install python3-venv`, and try again."
    return None


def disk_problem(directory: Path, needed_gb: float = NEEDED_GB) -> str | None:
    """Return what to do if there is too little space."""
    free_gb = shutil.disk_usage(directory).free / 1e9
    if free_gb >= needed_gb:
        return None
    return f"{directory} has {free_gb:.1f} GB free, Forewarn needs {needed_gb:g} GB. Free some space and try again."


def write_problem(directory: Path) -> str | None:
    """Return what to do if the directory is not writable."""
    if os.access(directory, os.W_OK | os.X_OK):
        return None
    return f"{directory} cannot be written to by this user. Change its owner, or clone elsewhere."


def first_problem(root: Path) -> str | None:
    """Return the first reason why the environment cannot be created."""
    return python_problem(sys.version_info[:2]) or venv_problem() or write_problem(root) or disk_problem(root)


def fingerprint(root: Path) -> str:
    """Return a digest of the environment's inputs."""
    inputs = [root / "uv.lock", root / "pyproject.toml"]
    inputs += sorted(root.glob("libs/*/pyproject.toml")) + sorted(root.glob("services/*/pyproject.toml"))
    digest = hashlib.sha256(UV_VERSION.encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(root: Path, profile: str) -> bool:
    """Return whether the environment exists and matches its inputs."""
    if not (root / ".venv" / "bin" / "python").exists():
        return False
    wanted = fingerprint(root)
    stamps = {profile, "dev"}  # dev serves every profile
    return any(_read(root / ".forewarn" / f"env-{name}.stamp") == wanted for name in stamps)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _run(command: list[str], what: str, root: Path, env: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(command, check=True, cwd=str(root), env=env, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as exc:
        raise BootstrapError(
            f"{what} failed ({exc}). If the lines above mention the network, check it and run the same "
            "command again: it resumes where it stopped."
        ) from exc


def ensure_uv(root: Path) -> Path:
    """Return the pinned uv, installed once into its own environment."""
    home = root / ".forewarn" / "bootstrap"
    uv = home / "bin" / "uv"
    marker = home / "uv-version"
    if uv.exists() and _read(marker) == UV_VERSION:
        return uv
    print(f"Installing uv {UV_VERSION} into {home.relative_to(root)}", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(home)], "Creating a virtual environment", root)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, f"uv=={UV_VERSION}"], "Installing uv", root)
    marker.write_text(UV_VERSION)
    return uv


def sync(root: Path, profile: str) -> None:
    """Install the locked dependencies into ``.venv`` if anything has changed."""
    if is_current(root, profile):
        return
    problem = first_problem(root)
    if problem:
        raise BootstrapError(problem)
    (root / ".forewarn").mkdir(exist_ok=True)
    begin = time.monotonic()
    uv = ensure_uv(root)
    print("Installing the locked dependencies into .venv (about 1.4 GB the first time)", flush=True)
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    certificates = environment.get("SSL_CERT_FILE") or environment.get("PIP_CERT")
    if certificates:
        environment["SSL_CERT_FILE"] = certificates  # otherwise uv trusts only its own list
    command = [str(uv), "sync", "--frozen", "--no-progress", "--quiet", *PROFILES[profile]]
    if not (root / ".venv" / "bin" / "python").exists():
        command += ["--python", sys.executable]
    _run(command, "Installing the dependencies", root, environment)
    (root / ".forewarn" / f"env-{profile}.stamp").write_text(fingerprint(root))
    print(f"Environment ready after {time.monotonic() - begin:.0f} s", flush=True)


def main() -> int:
    """Create the environment; on failure print one message and return 1."""
    if sys.version_info[:2] < MINIMUM_PYTHON:
        print(python_problem(sys.version_info[:2]), file=sys.stderr)
        return 1
    try:
        sync(Path(sys.argv[1]).resolve(), sys.argv[2])
    except BootstrapError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
