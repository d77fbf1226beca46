"""Progress of an import, kept in a file so that a killed import resumes."""

import fcntl
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_CHUNK_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """Number of the file's messages that the broker has confirmed.

    ``end_us`` is the moment to which the last time was shifted, so that a later run shifts by the same amount.
    """

    file: str
    messages: int
    readings: int
    finished: bool
    end_us: int | None = None


def import_key(path: Path, *settings: str) -> str:
    """Return the identity of an import: same content, same settings, same destination."""
    digest = hashlib.blake2b(digest_size=12)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    for setting in settings:
        digest.update(b"\0" + setting.encode())
    return digest.hexdigest()


class ImportRunningError(Exception):
    """Another process imports the same file to the same place."""


class ProgressFile:
    """Stores the progress of one import; as a context, it belongs to one process at a time."""

    def __init__(self, directory: Path, key: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / f"{key}.json"
        self._lock = (directory / f"{key}.lock").open("w")
        self.spool = directory / f"{key}.spool"

    def __enter__(self) -> Self:
        """Lock the import for this process.

        Raises
        ------
        ImportRunningError
            If another one has it.
        """
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with the process, however it ends
        except BlockingIOError:
            self._lock.close()
            raise ImportRunningError("another process is importing this file with these settings") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()

    def read(self) -> ImportProgress | None:
        """Return what an earlier run left, None without one or if its file is damaged."""
        try:
            return ImportProgress(**json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, progress: ImportProgress) -> None:
        """Replace the stored progress."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        fresh.replace(self._path)
