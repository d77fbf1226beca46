"""How far an import came, kept in a file: an import that was killed goes on where it was."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Messages that the broker has confirmed, of the file's messages in their order."""

    file: str
    messages: int
    readings: int
    finished: bool


def import_key(path: Path, *settings: str) -> str:
    """Identity of an import: the same content under the same settings goes to the same place."""
    digest = hashlib.blake2b(digest_size=12)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    for setting in settings:
        digest.update(b"\0" + setting.encode())
    return digest.hexdigest()


class ProgressFile:
    """Remembers the progress of one import."""

    def __init__(self, directory: Path, key: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / f"{key}.json"
        self.spool = directory / f"{key}.spool"

    def read(self) -> Progress | None:
        """What an earlier run left; None if there was none, or its file is damaged."""
        try:
            return Progress(**json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, progress: Progress) -> None:
        """Replace what was remembered."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        fresh.replace(self._path)
