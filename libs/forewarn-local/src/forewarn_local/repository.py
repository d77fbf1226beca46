"""Fetch files from Maven repositories with ``jgo`` (pure Python) or ``mvn``."""

import os
import shutil
import subprocess
import xml.sax.saxutils as xml
from pathlib import Path, PurePosixPath

from forewarn_local.errors import ArtefactError

_ATTEMPTS = 3
_TIMEOUT_S = 30
_MVN_TIMEOUT_S = 600.0
_COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def coordinates(path: PurePosixPath) -> tuple[str, str, str]:
    """Return (group, name, version) of a jar's Maven repository path."""
    *group, name, version, _file = path.parts
    return ".".join(group), name, version


def local_copy(path: PurePosixPath) -> Path | None:
    """Return the file in the user's own Maven repository; None if it is missing."""
    base = Path(os.environ.get("M2_REPO") or "~/.m2/repository").expanduser()
    found = base / path
    return found if found.is_file() else None


def fetch_with_jgo(path: PurePosixPath, repository: Path) -> Path:
    """Download one file below ``repository``.

    Raises OSError or RuntimeError if no repository delivered it after several attempts.
    """
    from jgo.config import GlobalSettings  # noqa: PLC0415  # takes a quarter of a second, only for the first download
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415  # as above
    from jgo.maven import MavenContext  # noqa: PLC0415  # as above

    group, name, version = coordinates(path)
    remotes = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    context = MavenContext(repo_cache=repository, local_repos=[], remote_repos=remotes, timeout=_TIMEOUT_S)
    artifact = context.project(group, name).at_version(version).artifact()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError):
            (repository / path).unlink(missing_ok=True)  # an incomplete download would pass for the file
            if attempt == _ATTEMPTS:
                raise
    raise RuntimeError(f"{path} was not fetched")


def fetch_all_with_mvn(paths: list[PurePosixPath], repository: Path) -> None:
    """Download files below ``repository`` with one run of Maven; raise ArtefactError with its output."""
    repository.mkdir(parents=True, exist_ok=True)
    pom = repository / "pom.xml"
    pom.write_text(_pom(paths))
    command = [shutil.which("mvn") or "mvn", "-B", "-q", "-f", str(pom), _COPY_GOAL]
    options = [f"-DoutputDirectory={repository}", "-Dmdep.useRepositoryLayout=true"]
    try:
        run = subprocess.run(
            command + options,
            capture_output=True,
            text=True,
            timeout=_MVN_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ArtefactError(f"Maven did not fetch Kafka: {exc}") from exc
    if run.returncode != 0:
        tail = "\n".join((run.stdout + run.stderr).strip().splitlines()[-8:])
        raise ArtefactError(f"Neither jgo nor Maven could fetch Kafka. Maven said:\n{tail}")


def _pom(paths: list[PurePosixPath]) -> str:
    everything = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    entries = []
    for path in paths:
        group, name, version = (xml.escape(part) for part in coordinates(path))
        entries.append(
            f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>"
            f"<version>{version}</version>{everything}</dependency>"
        )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>forewarn</groupId><artifactId>jars</artifactId><version>1</version>"
        f"<dependencies>{''.join(entries)}</dependencies></project>"
    )
