"""How far an import came, kept in a file: an import that was killed goes on where it was."""

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
    """Messages that the broker has confirmed, of the file's messages in their order.

    ``end_us`` is the moment to which the last time was moved, so that a later run moves them alike.
    """

    file: str
    messages: int
    readings: int
    finished: bool
    end_us: int | None = None


def import_key(path: Path, *settings: str) -> str:
    """Identity of an import: the same content under the same settings goes to the same place."""
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
    """Remembers the progress of one import; as a context, one process at a time has it."""

    def __init__(self, directory: Path, key: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / f"{key}.json"
        self._lock = (directory / f"{key}.lock").open("w")
        self.spool = directory / f"{key}.spool"

    def __enter__(self) -> Self:
        """Take the import for this process.

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
        """Give it back."""
        self._lock.close()

    def read(self) -> ImportProgress | None:
        """What an earlier run left; None if there was none, or its file is damaged."""
        try:
            return ImportProgress(**json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, progress: ImportProgress) -> None:
        """Replace what was remembered."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        fresh.replace(self._path)
