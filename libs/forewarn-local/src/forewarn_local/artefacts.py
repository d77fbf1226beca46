"""The Kafka broker's jars: pinned by coordinate and SHA-256, fetched once into a shared cache.

The lock file next to this module is in ``sha256sum -c`` format over Maven repository paths, which contain the
coordinates. It pins the dependency trees of ``org.apache.kafka:kafka_2.13`` and ``kafka-clients``, and an SLF4J binding
(see ``pin.py``).
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

from forewarn_local.errors import ArtefactError
from forewarn_local.repository import fetch_all_with_mvn, fetch_with_jgo, local_copy

KAFKA_VERSION = "4.3.0"
LOCK_NAME = f"kafka-{KAFKA_VERSION}.sha256"
_SCRATCH = ".fetching-"
_PARALLEL = 6  # downloads at once: the files are small, so latency dominates

Progress = Callable[[int, int], None]
"""Called with (jars ready, jars in all)."""

Fetch = Callable[[PurePosixPath, Path], Path]
"""Fetch the file at a Maven repository path into a directory; return where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One pinned jar."""

    path: PurePosixPath
    sha256: str


def read_lock(text: str | None = None) -> tuple[Artefact, ...]:
    """Return the pinned jars of a lock file, by default the committed one."""
    lines = (text if text is not None else files(__package__).joinpath(LOCK_NAME).read_text()).splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#"))
    return tuple(Artefact(path=PurePosixPath(path.strip()), sha256=digest) for digest, path in pairs)


def cache_dir(env: Mapping[str, str] | None = None) -> Path:
    """Return the download cache that clones share (``FOREWARN_CACHE``)."""
    values = os.environ if env is None else env
    return Path(values.get("FOREWARN_CACHE") or "~/.cache/forewarn").expanduser()


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def ensure_kafka(
    cache: Path,
    *,
    lock: tuple[Artefact, ...] | None = None,
    fetch: Fetch | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return the directory that holds exactly the pinned jars, fetched if needed.

    Several processes may call this at once: one fetches, the others wait. The directory appears by rename, so it is
    complete or absent. The default ``fetch`` tries the local Maven repository, then ``jgo``, then ``mvn``.

    Raises ArtefactError if a file cannot be fetched or differs from its pin.
    """
    pinned = read_lock() if lock is None else lock
    target = cache / f"kafka-{KAFKA_VERSION}-{_fingerprint(pinned)}"
    if _is_complete(target, pinned):
        return target
    with _locked(cache):
        if _is_complete(target, pinned):
            return target
        for stale in cache.glob(f"{_SCRATCH}*"):  # from a killed run: we hold the lock
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=cache) as scratch:
            ready = Path(scratch) / "jars"
            ready.mkdir()
            _collect(pinned, Path(scratch), ready, fetch, progress or (lambda _done, _total: None))
            shutil.rmtree(target, ignore_errors=True)
            ready.rename(target)
    return target


def _fingerprint(pinned: tuple[Artefact, ...]) -> str:
    return hashlib.sha256("".join(sorted(jar.sha256 for jar in pinned)).encode()).hexdigest()[:12]


def _is_complete(target: Path, pinned: tuple[Artefact, ...]) -> bool:
    return target.is_dir() and {jar.path.name for jar in pinned} == {path.name for path in target.iterdir()}


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "kafka.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    except PermissionError as exc:
        raise ArtefactError(f"Cannot write to the cache {cache}: {exc}. Set FOREWARN_CACHE elsewhere.") from exc


def _collect(pinned: tuple[Artefact, ...], scratch: Path, ready: Path, fetch: Fetch | None, progress: Progress) -> None:
    repository = scratch / "repository"
    missing = [jar for jar in pinned if fetch is not None or not _take_local(jar, ready)]
    done = len(pinned) - len(missing)
    progress(done, len(pinned))
    try:
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for _ in pool.map(lambda jar: _take(jar, repository, ready, fetch or fetch_with_jgo), missing):
                done += 1
                progress(done, len(pinned))
    except (OSError, RuntimeError) as exc:
        if fetch is not None or not shutil.which("mvn"):
            raise ArtefactError(
                f"Kafka {KAFKA_VERSION} could not be downloaded: {exc}. Check the network (or the mirror in "
                "your jgo or Maven settings) and try again: what was fetched completely is kept."
            ) from exc
        fetch_all_with_mvn([jar.path for jar in missing], repository)
        for jar in missing:
            _verified(jar, repository / jar.path, ready)
        progress(len(pinned), len(pinned))


def _take_local(jar: Artefact, ready: Path) -> bool:
    source = local_copy(jar.path)
    if source is None or sha256_of(source) != jar.sha256:
        return False
    shutil.copyfile(source, ready / jar.path.name)
    return True


def _take(jar: Artefact, repository: Path, ready: Path, fetch: Fetch) -> None:
    _verified(jar, fetch(jar.path, repository), ready)


def _verified(jar: Artefact, source: Path, ready: Path) -> None:
    actual = sha256_of(source)
    if actual != jar.sha256:
        raise ArtefactError(
            f"{jar.path.name} is not the file that was pinned: SHA-256 is {actual}, expected {jar.sha256}. "
            "Nothing was installed. A proxy or mirror that alters downloads is the usual cause."
        )
    shutil.move(source, ready / jar.path.name)
