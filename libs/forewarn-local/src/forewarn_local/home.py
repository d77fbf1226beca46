"""The local platform's directories: ``.forewarn/`` in the repository, or ``FOREWARN_HOME``."""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

_MARKERS = ("uv.lock", ".forewarn")
_SOCKET_PATH_LIMIT = 100  # the kernel allows 108 bytes; supervisor adds a suffix while binding
_PASSWORD_KEY = "POSTGRES_PASSWORD"  # noqa: S105  # its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Directories and files of one local platform."""

    root: Path
    path: Path

    @property
    def data(self) -> Path:
        """Return the directory for data of broker and database."""
        return self.path / "data"

    @property
    def imports(self) -> Path:
        """Return the directory for progress of history imports; useless without the data."""
        return self.path / "imports"

    @property
    def logs(self) -> Path:
        """Return the directory with one log file per process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Return the directory for state of the running platform; useless once it has stopped."""
        return self.path / "run"

    @property
    def specs(self) -> Path:
        """Return the directory for specs of the processes; they contain secrets."""
        return self.run / "specs"

    @property
    def pids(self) -> Path:
        """Return the directory for records of started processes."""
        return self.run / "pids"

    @property
    def lock(self) -> Path:
        """Return the lock file, held by the only ``forewarn up`` of this home."""
        return self.run / "lock"

    @property
    def addresses(self) -> Path:
        """Return the file with addresses, ports and budgets of the running platform."""
        return self.run / "addresses.json"

    def running(self) -> dict[str, Any]:
        """Return the content of :attr:`addresses`; empty if the platform does not run."""
        try:
            return dict(json.loads(self.addresses.read_text()))
        except (OSError, ValueError):
            return {}

    @property
    def usage(self) -> Path:
        """Return the file with disk usage over this run."""
        return self.run / "usage.json"

    @property
    def socket(self) -> Path:
        """Return the supervisor's socket."""
        wanted = self.run / "supervisor.sock"
        if len(str(wanted)) <= _SOCKET_PATH_LIMIT:
            return wanted
        return Path(tempfile.gettempdir()) / f"forewarn-{sha256(str(wanted).encode()).hexdigest()[:12]}.sock"

    def make(self) -> None:
        """Create the directories; only this user may enter those with secrets."""
        for directory in (self.path, self.data, self.logs):
            directory.mkdir(parents=True, exist_ok=True)
        for directory in (self.run, self.specs, self.pids):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o700)

    def database_password(self) -> str:
        """Return the embedded database's password, generated on first use."""
        path = self.path / "secrets.env"
        known = dotenv_values(path).get(_PASSWORD_KEY) if path.exists() else None
        if known:
            return known
        password = secrets.token_urlsafe(24)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as stream:
            stream.write(f"{_PASSWORD_KEY}={password}\n")
        return password


def find_home(env: Mapping[str, str] | None = None, start: Path | None = None) -> Home:
    """Return the home for ``start``, by default the working directory, in or below the repository.

    ``FOREWARN_HOME`` in ``env``, by default the process's environment, overrides its place.
    """
    here = (start or Path.cwd()).absolute()
    root = next((d for d in (here, *here.parents) if any((d / marker).exists() for marker in _MARKERS)), here)
    override = (os.environ if env is None else env).get("FOREWARN_HOME")
    return Home(root=root, path=Path(override).expanduser().absolute() if override else root / ".forewarn")
