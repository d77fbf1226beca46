"""Files of results: there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace what a path leads to.

    A link stays and what it points to is replaced; a pipe or a device such as ``/dev/stdout`` is written to.

    Raises
    ------
    OSError
        If it cannot be written; what was there is then untouched.
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
