"""Result files that are written completely or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace the file at a path.

    A link stays and its target is replaced; a pipe or a device such as ``/dev/stdout`` is written to.

    Raises
    ------
    OSError
        If it cannot be written; the old file is then untouched.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            write(file)
        return
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            write(file)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
